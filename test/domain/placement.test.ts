import { describe, expect, test } from '@jest/globals'
import type { DaemonSetState, NodeState } from '../../shared/domain/cluster.ts'
import { leftOutBy, selects } from '../../shared/domain/placement.ts'
import { kubeProxySet, nodeNamed } from './states.ts'

const set = (over: Partial<DaemonSetState>) => kubeProxySet(1, over)
const node = (over: Partial<NodeState> = {}) => nodeNamed('n1', { labels: { zone: 'a', cores: '8' }, ...over })
const affinity = (key: string, operator: string, ...values: string[]) =>
  set({ affinity: [{ labels: [{ key, operator, values }], fields: [] }] })

describe('a DaemonSet means to have a pod on a node', () => {
  test('with nothing said against it', () => expect(selects(set({}), node())).toBe(true))

  test.each([
    ['zone', 'In', ['a', 'b'], true],
    ['zone', 'In', ['b'], false],
    ['rack', 'In', ['b'], false],
    ['zone', 'NotIn', ['a'], false],
    ['rack', 'NotIn', ['a'], true],
    ['zone', 'Exists', [], true],
    ['rack', 'Exists', [], false],
    ['zone', 'DoesNotExist', [], false],
    ['rack', 'DoesNotExist', [], true],
    ['cores', 'Gt', ['4'], true],
    ['cores', 'Gt', ['8'], false],
    ['cores', 'Lt', ['16'], true],
    ['zone', 'Gt', ['4'], false],
    ['constructor', 'Exists', [], false],
    ['zone', 'Near', ['a'], false],
  ])('whose affinity is %s %s %j: %p', (key, operator, values, expected) => {
    expect(selects(affinity(key, operator, ...values), node())).toBe(expected)
  })

  test('if any term holds whole; an empty term holds nowhere', () => {
    const [near, far] = ['a', 'b'].map((zone) => ({ key: 'zone', operator: 'In', values: [zone] }))
    const named = { key: 'metadata.name', operator: 'In', values: ['n1'] }
    if (!near || !far) throw new Error('no requirements')
    const withTerms = (...terms: NonNullable<DaemonSetState['affinity']>) => selects(set({ affinity: terms }), node())
    expect(withTerms({ labels: [near, far], fields: [] })).toBe(false)
    expect(withTerms({ labels: [far], fields: [] }, { labels: [near], fields: [] })).toBe(true)
    expect(withTerms({ labels: [near], fields: [named] })).toBe(true)
    expect(withTerms({ labels: [near], fields: [{ ...named, values: ['n2'] }] })).toBe(false)
    expect(withTerms({ labels: [], fields: [] })).toBe(false)
  })

  test('unless a selector asks for another', () => {
    expect(leftOutBy(set({ nodeSelector: { zone: 'b' } }), node())).toBe('nodeSelector')
  })
})

describe('a taint', () => {
  const tainted = (effect = 'NoSchedule', key = 'gpu') => node({ taints: [{ key, value: 'yes', effect }] })

  test.each([
    ['no toleration', [], false],
    ['any', [{ operator: 'Exists' }], true],
    ['the key', [{ key: 'gpu', operator: 'Exists' }], true],
    ['key and value', [{ key: 'gpu', value: 'yes' }], true],
    ['another value', [{ key: 'gpu', value: 'no' }], false],
    ['another key', [{ key: 'cpu', operator: 'Exists' }], false],
    ['another effect', [{ operator: 'Exists', effect: 'NoExecute' }], false],
    ['its effect', [{ operator: 'Exists', effect: 'NoSchedule' }], true],
  ])('with %s tolerated', (_, tolerations, expected) => {
    expect(selects(set({ tolerations }), tainted())).toBe(expected)
  })

  test('that only prefers keeps nobody away, and neither does a node that is not well', () => {
    expect(selects(set({}), tainted('PreferNoSchedule'))).toBe(true)
    expect(selects(set({}), tainted('NoExecute', 'node.kubernetes.io/not-ready'))).toBe(true)
    expect(selects(set({}), tainted('NoSchedule', 'node.kubernetes.io/unschedulable'))).toBe(true)
    expect(leftOutBy(set({}), tainted())).toBe('no toleration for the taint gpu')
  })
})
