/** A Service that the API server calls. */
export interface Callee {
  namespace: string
  name: string
}

/** An admission webhook that the API server reaches through a Service. A webhook given by URL may run anywhere. */
export interface Webhook {
  service: Callee
  rules: WebhookRule[]
}

/** As in the webhook configuration: `*` is any. */
export interface WebhookRule {
  groups: string[]
  operations: string[]
  /** `pods`, `pods/log`, `*`, `*` with subresources. */
  resources: string[]
  scope: string
}

/** Every kind of write of this tool that a webhook could deny or block. */
const ourWrites = [
  {
    groups: ['projectcalico.org', 'crd.projectcalico.org'],
    resource: 'felixconfigurations',
    operations: ['CREATE', 'UPDATE', 'DELETE'],
    scope: 'Cluster',
  },
  { groups: ['coordination.k8s.io'], resource: 'leases', operations: ['CREATE', 'UPDATE'], scope: 'Namespaced' },
  { groups: [''], resource: 'pods', operations: ['DELETE'], scope: 'Namespaced' },
] as const

/**
 * Services that the API server calls for this tool's writes. Selectors and conditions that exclude our objects are
 * not evaluated: one Service too many does no harm, because it only affects which node is changed first.
 */
export const calledForOurWrites = (webhooks: Webhook[]): Callee[] => {
  const called = webhooks.filter(({ rules }) => rules.some((rule) => ourWrites.some((write) => concerns(rule, write))))
  return [...new Map(called.map(({ service }) => [`${service.namespace}/${service.name}`, service])).values()]
}

/** The version is not compared: by default a webhook is called for every version of a resource. */
const concerns = (rule: WebhookRule, write: (typeof ourWrites)[number]): boolean =>
  hasOneOf(rule.groups, write.groups) &&
  hasOneOf(rule.operations, write.operations) &&
  (rule.scope === '*' || rule.scope === write.scope) &&
  rule.resources.some((it) => ['*', '*/*', write.resource, `${write.resource}/*`].includes(it))

const hasOneOf = (listed: string[], wanted: readonly string[]): boolean =>
  listed.includes('*') || wanted.some((it) => listed.includes(it))
