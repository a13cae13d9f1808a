import { describe, expect, test } from '@jest/globals'
import { assess } from '../../shared/domain/assess.ts'
import { intentOf } from '../../shared/domain/intent.ts'
import { plan } from '../../shared/domain/plan.ts'
import { policyWith } from '../../shared/domain/policy.ts'
import { failed, read } from '../../shared/domain/read.ts'
import { cluster } from './ingredients.ts'
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
