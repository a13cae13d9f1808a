import type { DaemonSetState } from '../domain/cluster.ts'
import { type Foreign, numberOf, objectOf, objectsOf, present, textMapOf, textOf } from './foreign.ts'
import { isCalicoNode, isCalicoWindows, isKubeProxy, templateOf } from './kube-containers.ts'
import { managedFieldsOf, metadataOf } from './kube-metadata.ts'

/** `undefined`: it runs none of the programs we look for. */
export function daemonSetOf(object: Foreign): DaemonSetState | undefined {
  const role = roleOf(object)
  if (role === undefined) return undefined
  const { namespace, name, uid, createdAt, labels, annotations } = metadataOf(object)
  const spec = objectOf(object['spec'])
  const template = objectOf(spec['template'])
  const nodeSelector = textMapOf(objectOf(template['spec'])['nodeSelector'])
  return present<DaemonSetState>({
    role,
    namespace,
    name,
    uid,
    generation: numberOf(objectOf(object['metadata'])['generation']) ?? 0,
    createdAt,
    labels,
    annotations,
    updateStrategy: strategyOf(objectOf(spec['updateStrategy'])),
    selector: textMapOf(objectOf(spec['selector'])['matchLabels']),
    nodeSelector: Object.keys(nodeSelector).length > 0 ? nodeSelector : undefined,
    template: { ...templateOf(template, role), annotations: metadataOf(template).annotations },
    status: statusOf(objectOf(object['status'])),
    managedFields: managedFieldsOf(object),
  })
}

/** By what it runs, never by its name alone: DaemonSets are renamed and copied per node group. */
function roleOf(object: Foreign): DaemonSetState['role'] | undefined {
  const { namespace } = metadataOf(object)
  const template = objectOf(objectOf(object['spec'])['template'])
  const podSpec = objectOf(template['spec'])
  const containers = objectsOf(podSpec['containers'])
  const windows = objectOf(podSpec['nodeSelector'])['kubernetes.io/os'] === 'windows'
  const app = metadataOf(template).labels['k8s-app'] ?? metadataOf(object).labels['k8s-app']
  if (app === 'calico-node-windows' || containers.some(isCalicoWindows)) return 'calico-node-windows'
  if (windows) return undefined
  if (app === 'calico-node' || containers.some(isCalicoNode)) return 'calico-node'
  if (namespace === 'kube-system' && (app === 'kube-proxy' || containers.some(isKubeProxy))) return 'kube-proxy'
  return undefined
}

function strategyOf(strategy: Foreign): DaemonSetState['updateStrategy'] {
  const maxUnavailable = objectOf(strategy['rollingUpdate'])['maxUnavailable']
  return present<DaemonSetState['updateStrategy']>({
    type: strategy['type'] === 'OnDelete' ? 'OnDelete' : 'RollingUpdate',
    maxUnavailable: textOf(maxUnavailable) ?? numberOf(maxUnavailable),
  })
}

function statusOf(status: Foreign): DaemonSetState['status'] {
  const count = (key: string) => numberOf(status[key]) ?? 0
  return {
    observedGeneration: count('observedGeneration'),
    desired: count('desiredNumberScheduled'),
    current: count('currentNumberScheduled'),
    updated: count('updatedNumberScheduled'),
    ready: count('numberReady'),
    unavailable: count('numberUnavailable'),
  }
}
