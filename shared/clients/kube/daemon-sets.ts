import type { DaemonSetState, PodState, NodeRequirement, NodeTerm, Toleration } from '../../domain/cluster.ts'
import {
  type Foreign,
  isObject,
  numberOf,
  objectOf,
  objectsOf,
  present,
  textMapOf,
  textOf,
  textsOf,
} from '../foreign.ts'
import { isCalicoNode, isCalicoWindows, isKubeProxy, templateOf } from './containers.ts'
import { managedFieldsOf, metadataOf } from './metadata.ts'
import { markingProgram, templateOfNeighbour } from './neighbours.ts'

/** `undefined`: it runs none of the relevant programs. */
export function daemonSetOf(object: Foreign): DaemonSetState | undefined {
  const template = objectOf(objectOf(object['spec'])['template'])
  const role = podRoleOf(object)
  if (role !== undefined) {
    const { annotations } = metadataOf(template)
    return whole(object, { role, template: { ...templateOf(template, role), annotations } })
  }
  const podSpec = objectOf(template['spec'])
  const marking = isForWindows(podSpec) ? undefined : markingProgram(podSpec)
  if (!marking) return undefined
  const { neighbour } = marking
  const set = whole(object, { role: 'neighbour', template: templateOfNeighbour(marking) })
  return { ...set, neighbour, labels: {}, annotations: {}, managedFields: [] }
}

const isForWindows = (podSpec: Foreign): boolean => objectOf(podSpec['nodeSelector'])['kubernetes.io/os'] === 'windows'

function whole(object: Foreign, known: Pick<DaemonSetState, 'role' | 'template'>): DaemonSetState {
  const { namespace, name, uid, createdAt, labels, annotations } = metadataOf(object)
  const spec = objectOf(object['spec'])
  const template = objectOf(spec['template'])
  const podSpec = objectOf(template['spec'])
  const nodeSelector = textMapOf(podSpec['nodeSelector'])
  const tolerations = objectsOf(podSpec['tolerations']).map(tolerationOf)
  return present<DaemonSetState>({
    ...known,
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
    affinity: affinityOf(podSpec),
    tolerations: tolerations.length > 0 ? tolerations : undefined,
    status: statusOf(objectOf(object['status'])),
    managedFields: managedFieldsOf(object),
  })
}

function tolerationOf(it: Foreign): Toleration {
  const text = (key: string) => textOf(it[key]) || undefined
  return present<Toleration>({
    key: text('key'),
    operator: text('operator'),
    value: text('value'),
    effect: text('effect'),
  })
}

function affinityOf(podSpec: Foreign): NodeTerm[] | undefined {
  const affinity = objectOf(objectOf(podSpec['affinity'])['nodeAffinity'])
  const required = affinity['requiredDuringSchedulingIgnoredDuringExecution']
  if (!isObject(required)) return undefined
  return objectsOf(required['nodeSelectorTerms']).map((term) => ({
    labels: objectsOf(term['matchExpressions']).map(requirementOf),
    fields: objectsOf(term['matchFields']).map(requirementOf),
  }))
}

const requirementOf = (it: Foreign): NodeRequirement => ({
  key: textOf(it['key']) ?? '',
  operator: textOf(it['operator']) ?? '',
  values: textsOf(it['values']),
})

/** The namespaces of calico-node in Calico's manifests and with its operator. */
const homes: readonly string[] = ['kube-system', 'calico-system']

/**
 * A user who may create DaemonSets in another namespace must not be able to fake the cluster's calico-node: a
 * DaemonSet of another namespace counts only if there is none in those of Calico.
 */
export function ofTheCluster(sets: DaemonSetState[]): DaemonSetState[] {
  const isFelix = ({ role }: DaemonSetState) => role === 'calico-node'
  const isAtHome = ({ namespace }: DaemonSetState) => homes.includes(namespace)
  return sets.some((it) => isFelix(it) && isAtHome(it)) ? sets.filter((it) => !isFelix(it) || isAtHome(it)) : sets
}

/** By the program that it runs, never by its name alone: DaemonSets are renamed and copied for node groups. */
function podRoleOf(object: Foreign): PodState['role'] | undefined {
  const { namespace } = metadataOf(object)
  const template = objectOf(objectOf(object['spec'])['template'])
  const podSpec = objectOf(template['spec'])
  const containers = objectsOf(podSpec['containers'])
  const app = metadataOf(template).labels['k8s-app'] ?? metadataOf(object).labels['k8s-app']
  if (app === 'calico-node-windows' || containers.some(isCalicoWindows)) return 'calico-node-windows'
  if (isForWindows(podSpec)) return undefined
  if (containers.some(isCalicoNode)) return 'calico-node'
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
