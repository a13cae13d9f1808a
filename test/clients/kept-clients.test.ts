import { expect, test } from '@jest/globals'
import { keptClients } from '../../shared/clients/kube/client-cache.ts'
import type { KubeClient } from '../../shared/clients/kube/client.ts'

const desk = () => {
  const closed: string[] = []
  const made: string[] = []
  const client = keptClients()
  const of = (cluster: string, version = 'one') =>
    client(cluster, version, () => {
      made.push(`${cluster} ${version}`)
      return { close: () => void closed.push(`${cluster} ${version}`) } as KubeClient
    })
  return { of, made, closed }
}

test('a cluster has one client, whoever else is looked at in between', () => {
  const { of, made, closed } = desk()
  const first = of('a')
  of('b')
  expect(of('a')).toBe(first)
  expect([made, closed]).toEqual([['a one', 'b one'], []])
})

test('one made again under its name has another, and the old one is closed', () => {
  const { of, made, closed } = desk()
  const first = of('a')
  expect(of('a', 'two')).not.toBe(first)
  expect([made, closed]).toEqual([['a one', 'a two'], ['a one']])
})

test('those that were not asked for the longest are closed and forgotten', () => {
  const { of, closed, made } = desk()
  const names = Array.from({ length: 51 }, (_, index) => `c${index}`)
  for (const name of names.slice(0, 50)) of(name)
  of('c0')
  of('c50')
  expect(closed).toEqual(['c1 one'])
  of('c1')
  expect(closed).toEqual(['c1 one', 'c2 one'])
  expect(made).toHaveLength(52)
})
