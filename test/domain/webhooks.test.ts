import { describe, expect, test } from '@jest/globals'
import { calledForOurWrites, type WebhookRule } from '../../shared/domain/webhooks.ts'

const rule = (over: Partial<WebhookRule>): WebhookRule => ({
  groups: ['*'],
  operations: ['*'],
  resources: ['*'],
  scope: '*',
  ...over,
})
const service = { namespace: 'guards', name: 'guard' }
const isCalled = (over: Partial<WebhookRule>): boolean =>
  calledForOurWrites([{ service, rules: [rule(over)] }]).length > 0

describe('a webhook answers for our writes', () => {
  test.each([
    ['where it wants everything', {}],
    ['with every subresource', { resources: ['*/*'] }],
    ['of FelixConfigurations as stored', { groups: ['crd.projectcalico.org'], resources: ['felixconfigurations'] }],
    ['of FelixConfigurations as served', { groups: ['projectcalico.org'], resources: ['felixconfigurations'] }],
    ['of everything of Calico that goes', { groups: ['projectcalico.org'], operations: ['DELETE'] }],
    ['of Leases that change', { groups: ['coordination.k8s.io'], operations: ['UPDATE'], scope: 'Namespaced' }],
    ['of pods that go', { groups: [''], resources: ['pods'], operations: ['CREATE', 'DELETE'] }],
    ['of pods with what belongs to them', { groups: [''], resources: ['pods/*'], operations: ['DELETE'] }],
  ] satisfies [string, Partial<WebhookRule>][])('%s', (_, over) => expect(isCalled(over)).toBe(true))

  test.each([
    ['of pods that come', { groups: [''], resources: ['pods'], operations: ['CREATE', 'UPDATE'] }],
    ['of evictions', { groups: [''], resources: ['pods/eviction'] }],
    ['of Deployments', { groups: ['apps'] }],
    ['of connections', { operations: ['CONNECT'] }],
    ['of what is in no namespace, but not of Calico', { groups: ['', 'coordination.k8s.io'], scope: 'Cluster' }],
    ['of what is in a namespace, of Calico', { groups: ['crd.projectcalico.org'], scope: 'Namespaced' }],
    ['of its own resources', { groups: ['cert-manager.io'] }],
    ['of nothing', { groups: [], operations: [], resources: [] }],
  ] satisfies [string, Partial<WebhookRule>][])('but not %s', (_, over) => expect(isCalled(over)).toBe(false))

  test('and its Service is named once, however many of its webhooks do', () => {
    const other = { ...service, namespace: 'elsewhere' }
    const webhooks = [service, other, service].map((it) => ({ service: it, rules: [rule({}), rule({})] }))
    expect(calledForOurWrites(webhooks)).toEqual([service, other])
  })
})
