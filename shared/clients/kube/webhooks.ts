import type { Callee, Webhook, WebhookRule } from '../../domain/webhooks.ts'
import { type Foreign, objectOf, objectsOf, textOf } from '../foreign.ts'
import type { KubeHttp } from './http.ts'
import { list } from './list.ts'

/** Of both kinds, those with a Service. */
export async function webhooks(http: KubeHttp): Promise<Webhook[]> {
  const found = ['validating', 'mutating'].map((kind) =>
    list(http, `/apis/admissionregistration.k8s.io/v1/${kind}webhookconfigurations`, {}, webhooksIn),
  )
  return (await Promise.all(found)).flat(2)
}

const webhooksIn = (configuration: Foreign): Webhook[] =>
  objectsOf(configuration['webhooks']).flatMap((webhook) => {
    const service = objectOf(objectOf(webhook['clientConfig'])['service'])
    const [namespace, name] = [textOf(service['namespace']), textOf(service['name'])]
    return namespace && name ? [{ service: { namespace, name }, rules: objectsOf(webhook['rules']).map(ruleOf) }] : []
  })

const ruleOf = (rule: Foreign): WebhookRule => {
  const texts = (field: string) => {
    const listed = rule[field]
    return Array.isArray(listed) ? listed.filter((it) => typeof it === 'string') : []
  }
  return {
    groups: texts('apiGroups'),
    operations: texts('operations'),
    resources: texts('resources'),
    scope: textOf(rule['scope']) ?? '*',
  }
}

/** Names of the nodes on which the Service's pods run, ready or not. */
export async function servingNodes(http: KubeHttp, { namespace, name }: Callee): Promise<string[]> {
  const path = `/apis/discovery.k8s.io/v1/namespaces/${encodeURIComponent(namespace)}/endpointslices`
  const ofService = { labelSelector: `kubernetes.io/service-name=${name}` }
  const nodesIn = (slice: Foreign) => objectsOf(slice['endpoints']).flatMap(({ nodeName }) => textOf(nodeName) ?? [])
  return (await list(http, path, ofService, nodesIn)).flat()
}
