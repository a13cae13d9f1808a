import assert from 'node:assert/strict'
import { type Behaviour, call, type Json } from '../behaviour.ts'
import { created, namespaced } from '../objects.ts'

const admission = '/apis/admissionregistration.k8s.io/v1'
const rule = { apiGroups: ['*'], apiVersions: ['*'], operations: ['CREATE', 'DELETE'], resources: ['*'] }
const service = { namespace: 'contract-guards', name: 'guard' }

/** It concerns no object at all: no server under contract may call anybody. */
const webhook = (clientConfig: object) => ({
  name: 'guard.contract.example',
  clientConfig,
  rules: [rule],
  objectSelector: { matchLabels: { nothing: 'has-this-label' } },
  sideEffects: 'None',
  admissionReviewVersions: ['v1'],
})

/** What the tool reads to learn on which nodes the API server's calls end. */
export const webhooks: Behaviour[] = [
  ...(['Validating', 'Mutating'] as const).map((kind): Behaviour => {
    const path = `${admission}/${kind.toLowerCase()}webhookconfigurations`
    return {
      name: `${kind.toLowerCase()} ones are listed with their Services and rules, and with what was not said`,
      async run(cluster) {
        const body = {
          apiVersion: 'admissionregistration.k8s.io/v1',
          kind: `${kind}WebhookConfiguration`,
          metadata: { name: 'contract-guard' },
          webhooks: [webhook({ service })],
        }
        const { metadata } = await created(cluster, path, body)
        assert.equal(metadata.generation, 1)
        const { json } = await call(cluster, 'GET', `${path}?limit=500`)
        const found = json.items.find((it: Json) => it.metadata.name === 'contract-guard')
        assert.deepEqual(found.webhooks, [
          {
            ...webhook({ service: { ...service, port: 443 } }),
            rules: [{ ...rule, scope: '*' }],
            failurePolicy: 'Fail',
            matchPolicy: 'Equivalent',
            namespaceSelector: {},
            timeoutSeconds: 10,
            ...(kind === 'Mutating' && { reinvocationPolicy: 'Never' }),
          },
        ])
        assert.equal((await call(cluster, 'DELETE', `${path}/contract-guard`)).status, 200)
      },
    }
  }),
  {
    name: 'EndpointSlices are listed by the label that names their Service, with the nodes',
    async run(cluster) {
      const path = (await namespaced(cluster, 'contract-guards'))('endpointslices', '/apis/discovery.k8s.io/v1')
      const slice = (name: string, of: string, nodeName?: string) => ({
        apiVersion: 'discovery.k8s.io/v1',
        kind: 'EndpointSlice',
        metadata: { name, labels: { 'kubernetes.io/service-name': of } },
        addressType: 'IPv4',
        endpoints: [{ addresses: ['10.1.2.3'], ...(nodeName && { nodeName }) }],
      })
      for (const [name, of, node] of [
        ['guard-a', 'guard', 'n1'],
        ['guard-b', 'guard', undefined],
        ['other-a', 'other', 'n2'],
      ] as const)
        await created(cluster, path, slice(name, of, node))
      const query = `labelSelector=${encodeURIComponent('kubernetes.io/service-name=guard')}&limit=500`
      const { json } = await call(cluster, 'GET', `${path}?${query}`)
      const nodes = json.items.map((it: Json) => [it.metadata.name, it.endpoints.map((one: Json) => one.nodeName)])
      assert.deepEqual(nodes, [
        ['guard-a', ['n1']],
        ['guard-b', [undefined]],
      ])
    },
  },
]
