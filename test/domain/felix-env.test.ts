import { describe, expect, test } from '@jest/globals'
import type { ConfigMapState, EnvFrom, EnvVar } from '../../shared/domain/cluster.ts'
import { resolveEnv } from '../../shared/domain/felix/env.ts'
import { failed, type Read, read } from '../../shared/domain/read.ts'

const configMap = (data: Record<string, string>): Read<ConfigMapState | undefined> =>
  read({ data, createdAt: '', managedFields: [], labels: {}, annotations: {} })
const unreadable = failed<ConfigMapState | undefined>({ kind: 'denied' as const, object: 'ConfigMap', message: '' })

const resolve = (
  from: { env?: EnvVar[]; envFrom?: EnvFrom[] },
  configMaps: Record<string, Read<ConfigMapState | undefined>> = {},
) => resolveEnv({ env: from.env ?? [], envFrom: from.envFrom ?? [], namespace: 'calico-system' }, configMaps)

const source = (name: string, more: Partial<EnvFrom> = {}): EnvFrom => ({ configMap: name, optional: false, ...more })

describe("calico-node's environment", () => {
  test('is envFrom in order, and env over it', () => {
    const answer = resolve(
      { env: [{ name: 'FELIX_A', value: 'env' }], envFrom: [source('one'), source('two')] },
      {
        'calico-system/one': configMap({ FELIX_A: '1', FELIX_B: '1', FELIX_C: '1' }),
        'calico-system/two': configMap({ FELIX_B: '2' }),
      },
    )
    expect(Object.fromEntries(answer.env.map((it) => [it.name, it.value]))).toEqual({
      FELIX_A: 'env',
      FELIX_B: '2',
      FELIX_C: '1',
    })
    expect(answer.unknownEnv).toEqual([])
  })

  test('takes the last of two entries of the same name', () => {
    const env = [
      { name: 'FELIX_A', value: '1' },
      { name: 'FELIX_A', value: '2' },
    ]
    expect(resolve({ env })).toEqual({ env: [{ name: 'FELIX_A', value: '2' }], unknownEnv: [] })
  })

  test('puts the prefix before the keys of a ConfigMap', () => {
    const answer = resolve(
      { envFrom: [source('one', { prefix: 'FELIX_' })] },
      { 'calico-system/one': configMap({ A: '1' }) },
    )
    expect(answer.env).toEqual([{ name: 'FELIX_A', value: '1' }])
  })

  test('may hold anything where it takes all of a Secret, but for what env sets afterwards', () => {
    const envFrom: EnvFrom[] = [source('one'), { unknown: 'secretRef' }]
    const env = [{ name: 'FELIX_B', value: 'env' }]
    const maps = { 'calico-system/one': configMap({ FELIX_A: '1', FELIX_B: '1' }) }
    expect(resolve({ env, envFrom }, maps)).toEqual({
      env: [{ name: 'FELIX_B', value: 'env' }],
      unknownEnv: ['FELIX_A', '*'],
    })
  })

  test('takes only names with its prefix from a Secret that has one', () => {
    const envFrom: EnvFrom[] = [source('one'), { unknown: 'secretRef', prefix: 'FELIX_K' }]
    const maps = { 'calico-system/one': configMap({ FELIX_A: '1', FELIX_K1: '1' }) }
    expect(resolve({ envFrom }, maps)).toEqual({
      env: [{ name: 'FELIX_A', value: '1' }],
      unknownEnv: ['FELIX_K1', 'FELIX_K*'],
    })
  })

  test('takes values from ConfigMaps of its own namespace', () => {
    const env = [{ name: 'FELIX_A', from: { configMap: 'one', key: 'a', optional: false } }]
    const maps = { 'calico-system/one': configMap({ a: '1' }), 'default/one': configMap({ a: '2' }) }
    expect(resolve({ env }, maps).env).toEqual([{ name: 'FELIX_A', value: '1' }])
  })

  test('leaves out what is optional and not there', () => {
    const env = [{ name: 'FELIX_A', from: { configMap: 'one', key: 'a', optional: true } }]
    expect(resolve({ env }, { 'calico-system/one': read(undefined) })).toEqual({ env: [], unknownEnv: [] })
    expect(resolve({ envFrom: [source('one', { optional: true })] }, { 'calico-system/one': read(undefined) })).toEqual(
      {
        env: [],
        unknownEnv: [],
      },
    )
  })

  test.each<[string, EnvVar]>([
    ['a secret or a field', { name: 'FELIX_A', from: { unknown: 'secretKeyRef' } }],
    [
      'a ConfigMap that could not be read',
      { name: 'FELIX_A', from: { configMap: 'denied', key: 'a', optional: true } },
    ],
    ['a ConfigMap that was not read', { name: 'FELIX_A', from: { configMap: 'other', key: 'a', optional: true } }],
    [
      'a key that is missing but must be there',
      { name: 'FELIX_A', from: { configMap: 'one', key: 'b', optional: false } },
    ],
    ['a variable that is not kept', { name: 'FELIX_A', value: '$(MY_RANGE)' }],
  ])('cannot be known from %s', (_, variable) => {
    const maps = { 'calico-system/denied': unreadable, 'calico-system/one': configMap({ a: '1' }) }
    expect(resolve({ env: [variable] }, maps)).toEqual({ env: [], unknownEnv: ['FELIX_A'] })
  })

  test('replaces references to earlier variables, and keeps escaped ones', () => {
    const env = [
      { name: 'CALICO_A', value: '30000' },
      { name: 'FELIX_A', value: '$(CALICO_A):32767' },
      { name: 'FELIX_B', value: '$$(CALICO_A) $x' },
    ]
    expect(resolve({ env }).env.slice(1)).toEqual([
      { name: 'FELIX_A', value: '30000:32767' },
      { name: 'FELIX_B', value: '$(CALICO_A) $x' },
    ])
  })

  test('with two spellings of one parameter is in an order that nobody knows, unless they agree', () => {
    const env = (second: string) => [
      { name: 'FELIX_BPFENABLED', value: 'true' },
      { name: 'FELIX_BPFEnabled', value: second },
    ]
    expect(resolve({ env: env('false') })).toEqual({ env: [], unknownEnv: ['FELIX_BPFENABLED', 'FELIX_BPFEnabled'] })
    expect(resolve({ env: env('true') }).unknownEnv).toEqual([])
  })

  test('may hold anything where a ConfigMap cannot be read, but not what env sets itself', () => {
    const answer = resolve(
      { env: [{ name: 'FELIX_B', value: 'env' }], envFrom: [source('one'), source('denied', { prefix: 'FELIX_' })] },
      { 'calico-system/one': configMap({ FELIX_A: '1', FELIX_B: '1' }), 'calico-system/denied': unreadable },
    )
    expect(answer).toEqual({ env: [{ name: 'FELIX_B', value: 'env' }], unknownEnv: ['FELIX_A', 'FELIX_*'] })
  })
})
