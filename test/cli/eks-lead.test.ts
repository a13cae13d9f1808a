import { describe, expect, test } from '@jest/globals'
import { searchByEndpoint, searchedAtMost } from '../../cli/target/eks-lead.ts'
import { failed, read, type Read } from '../../shared/domain/read.ts'

const lead = { server: 'https://ABC.gr7.eu-west-1.eks.amazonaws.com', place: { region: 'eu-west-1' } }

/** EKS with these clusters, and how often it was asked for one. */
const region = (servers: Record<string, string | Read<string | undefined>>) => {
  let asked = 0
  const eks = {
    list: async () => Object.keys(servers),
    server: async (name: string) => {
      asked += 1
      const server = servers[name]
      return typeof server === 'object' ? server : read(server)
    },
  }
  return { eks, asked: () => asked }
}
const own = 'https://abc.gr7.eu-west-1.eks.amazonaws.com:443/'
const denied = failed<undefined>({ kind: 'denied', object: 'eks:DescribeCluster', message: 'no' })

describe('the EKS cluster with an endpoint', () => {
  test('is the one that has it, however it is written', async () => {
    const { eks } = region({ a: 'https://def.gr7.eu-west-1.eks.amazonaws.com', b: own })
    expect(await searchByEndpoint(eks, lead)).toEqual({ value: 'b' })
  })

  test('is found beside clusters that may not be read', async () => {
    const { eks } = region({ a: denied, b: own })
    expect(await searchByEndpoint(eks, lead)).toEqual({ value: 'b' })
  })

  test.each<[string, Record<string, string | Read<string | undefined>>, object]>([
    [
      'none has it',
      { a: 'https://def.example' },
      { kind: 'unreachable', message: expect.stringContaining('None of the 1') },
    ],
    ['there is none at all', {}, { kind: 'unreachable', message: expect.stringContaining('None of the 0') }],
    [
      'two claim it',
      { a: own, b: own },
      { kind: 'unreachable', message: expect.stringContaining('More than one of the 2') },
    ],
    ['it may be one that cannot be read', { a: denied, b: 'https://def.example' }, { kind: 'denied', message: 'no' }],
  ])('is not known where %s', async (_, servers, failure) => {
    expect(await searchByEndpoint(region(servers).eks, lead)).toMatchObject({ failure })
  })

  test('is not searched for among very many, and that is said', async () => {
    const names = Array.from({ length: searchedAtMost + 1 }, (_, index) => [`c${index}`, own])
    const { eks, asked } = region(Object.fromEntries(names) as Record<string, string>)
    expect(await searchByEndpoint(eks, lead)).toMatchObject({
      failure: {
        kind: 'unavailable',
        message: expect.stringMatching(/not searched: .* has 101, .*--cluster NAME --region eu-west-1/),
      },
    })
    expect(asked()).toBe(0)
  })

  test('is not asked for a hundred times where EKS does not answer', async () => {
    const away = failed<undefined>({ kind: 'unreachable', object: 'eks:DescribeCluster', message: 'no answer' })
    const { eks, asked } = region(Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`c${index}`, away])))
    expect(await searchByEndpoint(eks, lead)).toEqual(away)
    expect(asked()).toBeLessThanOrEqual(8)
  })

  test('is not known where the region cannot be listed', async () => {
    const list = () => Promise.reject(Object.assign(new Error('no'), { name: 'AccessDeniedException' }))
    const { eks } = region({})
    expect(await searchByEndpoint({ ...eks, list }, lead)).toMatchObject({
      failure: { kind: 'denied', object: 'eks:ListClusters' },
    })
  })
})
