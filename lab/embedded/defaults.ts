import { type Fieldful, isRecord, type KubeObject, listAt, recordAt, textAt } from './object.ts'

/** What the real server adds to an object of a built-in kind when it stores it. */
export function withDefaults(object: KubeObject): KubeObject {
  switch (object.kind) {
    case 'DaemonSet':
      return daemonSetDefaults(object)
    case 'Deployment':
      return { ...object, spec: { replicas: 1, ...recordAt(object, 'spec'), template: templateDefaults(object) } }
    case 'Pod':
      return { ...object, spec: podSpecDefaults({ enableServiceLinks: true, ...recordAt(object, 'spec') }) }
    case 'Service':
      return serviceDefaults(object)
    case 'ValidatingWebhookConfiguration':
      return webhookDefaults(object, {})
    case 'MutatingWebhookConfiguration':
      return webhookDefaults(object, { reinvocationPolicy: 'Never' })
    case 'Namespace':
      return namespaceDefaults(object)
    case 'Secret':
      return { type: 'Opaque', ...object }
    default:
      return object
  }
}

/** Nobody is called: the embedded server keeps webhooks for those who ask which there are. */
function webhookDefaults(configuration: KubeObject, more: Fieldful): KubeObject {
  const common = { failurePolicy: 'Fail', matchPolicy: 'Equivalent', timeoutSeconds: 10, ...more }
  const selectors = { namespaceSelector: {}, objectSelector: {} }
  const webhooks = listAt(configuration, 'webhooks').map((webhook) => {
    const rules = listAt(webhook, 'rules').map((rule) => ({ scope: '*', ...recordAt(rule) }))
    const config = recordAt(webhook, 'clientConfig')
    const { service } = config
    const clientConfig = isRecord(service) ? { ...config, service: { port: 443, ...service } } : config
    return { ...common, ...selectors, ...recordAt(webhook), clientConfig, rules }
  })
  return { ...configuration, webhooks }
}

function namespaceDefaults(namespace: KubeObject): KubeObject {
  const labels = { ...namespace.metadata.labels, 'kubernetes.io/metadata.name': namespace.metadata.name }
  const metadata = { ...namespace.metadata, labels }
  return { ...namespace, metadata }
}

function serviceDefaults(service: KubeObject): KubeObject {
  const given = recordAt(service, 'spec')
  const type = given['type'] ?? 'ClusterIP'
  const ports = listAt(service, 'spec', 'ports').map((port) =>
    isRecord(port) ? { protocol: 'TCP', targetPort: port['port'], ...port } : port,
  )
  const outside = type === 'NodePort' || type === 'LoadBalancer' ? { externalTrafficPolicy: 'Cluster' } : {}
  const balanced = type === 'LoadBalancer' ? { allocateLoadBalancerNodePorts: true } : {}
  const common = { type, sessionAffinity: 'None', internalTrafficPolicy: 'Cluster' }
  const spec = { ...common, ...outside, ...balanced, ...given, ...(ports.length === 0 ? {} : { ports }) }
  return { ...service, spec }
}

function daemonSetDefaults(daemonSet: KubeObject): KubeObject {
  const given = recordAt(daemonSet, 'spec')
  const strategy = recordAt(given, 'updateStrategy')
  const rolling = { maxUnavailable: 1, maxSurge: 0, ...recordAt(strategy, 'rollingUpdate') }
  const updateStrategy =
    strategy['type'] === 'OnDelete' ? { type: 'OnDelete' } : { type: 'RollingUpdate', rollingUpdate: rolling }
  const generation = String(daemonSet.metadata.generation ?? 1)
  const annotations = { 'deprecated.daemonset.template.generation': generation, ...daemonSet.metadata.annotations }
  const metadata = { ...daemonSet.metadata, annotations }
  const template = templateDefaults(daemonSet)
  return { ...daemonSet, metadata, spec: { revisionHistoryLimit: 10, ...given, updateStrategy, template } }
}

function templateDefaults(owner: KubeObject): Fieldful {
  const template = recordAt(owner, 'spec', 'template')
  const metadata = Object.entries(recordAt(template, 'metadata')).filter(([, value]) => !isEmpty(value))
  return { ...template, metadata: Object.fromEntries(metadata), spec: podSpecDefaults(recordAt(template, 'spec')) }
}

const isEmpty = (value: unknown): boolean => isRecord(value) && Object.keys(value).length === 0

function podSpecDefaults(spec: Fieldful): Fieldful {
  const account = spec['serviceAccountName'] === undefined ? {} : { serviceAccount: spec['serviceAccountName'] }
  const containers = (field: string) =>
    Array.isArray(spec[field]) ? { [field]: spec[field].filter(isRecord).map(containerDefaults) } : {}
  return {
    dnsPolicy: 'ClusterFirst',
    restartPolicy: 'Always',
    schedulerName: 'default-scheduler',
    securityContext: {},
    terminationGracePeriodSeconds: 30,
    ...account,
    ...spec,
    ...containers('containers'),
    ...containers('initContainers'),
    ...(Array.isArray(spec['volumes']) ? { volumes: spec['volumes'].filter(isRecord).map(volumeDefaults) } : {}),
  }
}

function containerDefaults(container: Fieldful): Fieldful {
  const image = textAt(container, 'image') ?? ''
  const tagged = /:[^/]+$/.test(image) && !image.endsWith(':latest')
  const probe = (field: string) =>
    isRecord(container[field]) ? { [field]: { ...probeDefaults, ...container[field] } } : {}
  const list = (field: string, fill: (item: Fieldful) => Fieldful) =>
    Array.isArray(container[field]) ? { [field]: container[field].filter(isRecord).map(fill) } : {}
  return {
    imagePullPolicy: tagged ? 'IfNotPresent' : 'Always',
    resources: {},
    terminationMessagePath: '/dev/termination-log',
    terminationMessagePolicy: 'File',
    ...container,
    ...list('ports', (port) => ({ protocol: 'TCP', ...port })),
    ...list('env', envDefaults),
    ...probe('livenessProbe'),
    ...probe('readinessProbe'),
    ...probe('startupProbe'),
  }
}

const probeDefaults = { failureThreshold: 3, periodSeconds: 10, successThreshold: 1, timeoutSeconds: 1 }

function envDefaults(variable: Fieldful): Fieldful {
  const source = recordAt(variable, 'valueFrom')
  if (!isRecord(source['fieldRef'])) return variable
  return { ...variable, valueFrom: { ...source, fieldRef: { apiVersion: 'v1', ...source['fieldRef'] } } }
}

function volumeDefaults(volume: Fieldful): Fieldful {
  const filled: Fieldful = { ...volume }
  for (const [source, defaults] of [
    ['configMap', { defaultMode: 420 }],
    ['secret', { defaultMode: 420 }],
    ['hostPath', { type: '' }],
  ] as const) {
    if (isRecord(filled[source])) filled[source] = { ...defaults, ...filled[source] }
  }
  return filled
}
