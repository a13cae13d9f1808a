import { describe, expect, test } from '@jest/globals'
import { assess } from '../../shared/domain/assess/assess.ts'
import { intentOf } from '../../shared/domain/plan/intent.ts'
import { plan } from '../../shared/domain/plan/plan.ts'
import type { FelixConfigurations } from '../../shared/domain/cluster.ts'
import { policyWith } from '../../shared/domain/policy/policy.ts'
import { rangeTextAtMost } from '../../shared/domain/ports.ts'
import { failed, read, valueOf } from '../../shared/domain/read.ts'
import { rangeAnnotation } from '../../shared/domain/rollout/annotations.ts'
import { felixObject } from '../workflows/world.ts'
import { cluster, marked } from './ingredients.ts'
import { healthy, logged, nodesOf } from './states.ts'

const zone = 'topology.kubernetes.io/zone'

/** Three nodes whose range must change, in these zones; and what is known of those that serve webhooks. */
const first = (
  zones: string[],
  webhookNodes?: ReturnType<typeof read<string[]>> | ReturnType<typeof failed<never>>,
) => {
  const state = { ...cluster('eks range 20000-22767'), ...(webhookNodes && { webhookNodes }) }
  nodesOf(state).forEach((node, index) => (node.labels = { ...node.labels, [zone]: zones[index] ?? 'a' }))
  const policy = policyWith({})
  const assessment = assess(state, policy)
  const names = nodesOf(state).map(({ name }) => name)
  const { canary, last, scope } = intentOf(assessment, state, policy)
  const order = scope.map(({ node }) => names.indexOf(node.name))
  const planned = plan(assessment, state, policy).changes.flatMap(({ action, name }) =>
    action === 'create' ? [name] : [],
  )
  expect(planned).toEqual(scope.map(({ node }) => `node.${node.name}`))
  return { canary: names.indexOf(canary ?? ''), last: last.map((name) => names.indexOf(name)), order }
}
const [n0 = '', n1 = '', n2 = ''] = nodesOf(healthy()).map(({ name }) => name)

describe('the first node', () => {
  test('is the first by name, and not alone in its zone', () => {
    expect(first(['a', 'a', 'a']).canary).toBe(0)
    expect(first(['a', 'b', 'b']).canary).toBe(1)
  })

  test('is not one that answers webhooks for our writes, even where the others are alone in their zones', () => {
    expect(first(['a', 'a', 'a'], read([n0]))).toEqual({ canary: 1, last: [0], order: [1, 2, 0] })
    expect(first(['a', 'a', 'b'], read([n0, n1]))).toEqual({ canary: 2, last: [0, 1], order: [2, 0, 1] })
  })

  test('is one that uses the range, even where it is alone in its zone; those without IPVS follow', () => {
    const state = logged(cluster('eks range 20000-22767, kube-proxy log iptables'), 'kube-proxy', { mode: 'ipvs' }, [
      n2,
    ])
    nodesOf(state).forEach((node, index) => (node.labels = { ...node.labels, [zone]: index === 2 ? 'b' : 'a' }))
    const { canary, scope } = intentOf(assess(state, policyWith({})), state, policyWith({}))
    expect(canary).toBe(n2)
    expect(scope.map(({ node }) => node.name)).toEqual([n2, n0, n1])
  })

  test('is chosen as ever where all of them do, where none does, and where that is not known', () => {
    const asEver = { canary: 0, last: [], order: [0, 1, 2] }
    expect(first([], read([n0, n1, n2]))).toEqual(asEver)
    expect(first([], read(['another']))).toEqual(asEver)
    expect(first([], failed({ kind: 'denied', object: 'WebhookConfigurations', message: '403' }))).toEqual(asEver)
    expect(first([])).toEqual(asEver)
  })
})

const planned = (given: string, restarts: 'auto' | 'always' = 'auto') => {
  const state = cluster(given)
  const { changes, blockedBy } = plan(assess(state, policyWith({ restarts })), state, policyWith({ restarts }))
  return { changes, blockedBy }
}
const specs = (given: string): [string, unknown][] =>
  planned(given).changes.map(({ name, patch = {} }) => {
    const { spec } = patch as { spec?: { kubeNodePortRanges?: unknown } }
    return [name, spec?.kubeNodePortRanges ?? null]
  })

describe('a range that nobody proved', () => {
  const nothing = { changes: [], blockedBy: ['RANGE_ASSUMED'] }
  const ours = 'override Auto, annotation 30000:32767, node annotation 30000:32767'

  test.each(['annotation 20000:22767', 'node annotation 20000:22767', 'node port 20080', 'written yesterday'])(
    'is not written over %s',
    (given) => expect(planned(`no eks, ${given}`)).toEqual(nothing),
  )

  test('is no plan where EKS denies either', () => {
    expect(planned('denied eks, annotation 20000:22767')).toEqual(nothing)
    const both = planned('denied eks, denied environment, annotation 20000:22767')
    expect(both.blockedBy).toEqual(['ACCESS_DENIED', 'RANGE_ASSUMED'])
  })

  test.each(['denied', 'unauthenticated', 'unreachable'] as const)(
    'is one as soon as it was given, also where EKS is %s',
    (kind) => {
      const eks = failed<never>({ kind, object: 'eks:DescribeCluster', message: 'no' })
      const of = (given: string) => {
        const state = { ...cluster(given), eks }
        return plan(assess(state, policyWith({})), state, policyWith({}))
      }
      expect(of('no eks, given range 20000-22767').blockedBy).toEqual([])
      expect(of('no eks, given range 20000-22767').changes.length).toBeGreaterThan(0)
      expect(of('no eks, given range 20000-22767, denied environment').changes).toEqual([])
    },
  )

  test('finishes nothing that a proven one began', () => {
    const state = cluster(`no eks, ${ours}`)
    if ('value' in state.felix)
      state.felix.value.objects = state.felix.value.objects.map((it) => (it.name === 'default' ? it : marked(it)))
    const policy = policyWith({})
    expect(plan(assess(state, policy), state, policy)).toMatchObject(nothing)
  })

  test('blocks nothing where there is nothing to do', () =>
    expect(planned('no eks')).toEqual({ changes: [], blockedBy: [] }))

  test('keeps nobody from a restart that the mode asks for, unless something speaks against it', () => {
    const missed =
      'no eks, mode iptables, mode changed to ipvs, kube-proxy restarted, calico v3.22.2, calico log no ipvs'
    const { changes, blockedBy } = planned(missed)
    expect([changes.map(({ action }) => action), blockedBy]).toEqual([['restart', 'restart', 'restart'], []])
    expect(planned(`${missed}, annotation 20000:22767`)).toEqual(nothing)
  })

  test('is one that was given, probed, or told by EKS in any way', () => {
    expect(planned('no eks, given range 20000-22767').changes.length).toBeGreaterThan(0)
    expect(planned('annotation 20000:22767').changes.length).toBeGreaterThan(0)
  })
})

describe('spec.kubeNodePortRanges', () => {
  const range = 'eks range 20000-22767'
  test('is planned where nobody who cannot read it watches', () => {
    const all = specs(`${range}, calico v3.25.0`).slice(0, 4)
    expect(all).toEqual(
      ['node.node-0001', 'node.node-0002', 'node.node-0003', 'default'].map((it) => [it, ['20000:22767']]),
    )
    expect(specs(`${range}, calico v3.24.5, by manifest`)[3]).toEqual(['default', ['20000:22767']])
  })

  test('is taken out where an operator could stop on it, or nobody knows', () => {
    for (const calico of ['calico v3.24.5', 'calico v3.24.6', 'calico v3.20.0', 'calico vUnknown, denied version'])
      expect(specs(`${range}, spec 30000:32767, ${calico}`).filter(([, spec]) => spec !== null)).toEqual([])
  })
})

test('an equivalent text of default is the target, unless it is longer than the Lease has room for', () => {
  const targetWith = (text: string) => {
    const state = cluster(`annotation ${text}`)
    const felix = valueOf(state.felix) as FelixConfigurations
    const left = marked(felixObject(`node.${n0}`, { [rangeAnnotation]: '30000:32767' }))
    const whole = { ...state, felix: read({ ...felix, objects: [...felix.objects, left] }) }
    return intentOf(assess(whole, policyWith({})), whole, policyWith({})).target
  }
  expect(targetWith('30000:32000,32001:32767')).toBe('30000:32000,32001:32767')
  expect(targetWith(`30000:${'0'.repeat(rangeTextAtMost)}32767`)).toBe('30000:32767')
})
