import type { EnvFrom, EnvVar, PodState } from '../../domain/cluster.ts'
import { type Foreign, objectOf, objectsOf, present, textOf, textsOf, timeOf } from '../foreign.ts'
import { containerStatus, envFromOf, envOf, mainContainer, proxyFlags } from './containers.ts'
import type { PodsOf } from './client.ts'
import { conditionOf, metadataOf } from './metadata.ts'

/**
 * A reader of one DaemonSet's pods. Pods of one revision have one environment, so that equal ones share one array:
 * hundreds of pods then need little memory.
 */
export function podReader(of: PodsOf): (pod: Foreign) => PodState | undefined {
  const env = interned<EnvVar[]>()
  const envFrom = interned<EnvFrom[]>()
  const owners = of.uid === undefined ? undefined : new Set([of.uid].flat())
  return (pod) => {
    const owner = objectsOf(objectOf(pod['metadata'])['ownerReferences']).find(({ controller }) => controller === true)
    const phase = objectOf(pod['status'])['phase']
    // A pod that has ended (for example evicted) runs nothing until the DaemonSet controller removes it.
    if (phase === 'Failed' || phase === 'Succeeded') return undefined
    // A static pod's mirror pod is owned by its Node. calico-node is never a static pod.
    const isStatic = owner === undefined || owner['kind'] === 'Node'
    if (owners && !(isStatic ? of.role === 'kube-proxy' : owners.has(textOf(owner['uid']) ?? ''))) return undefined
    const state = podOf(pod, of.role, owner)
    return { ...state, env: env(state.env), envFrom: envFrom(state.envFrom) }
  }
}

function podOf(pod: Foreign, role: PodState['role'], owner: Foreign | undefined): PodState {
  const { namespace, name, uid, createdAt, labels } = metadataOf(pod)
  const spec = objectOf(pod['spec'])
  const container = mainContainer(spec, role)
  const { holds: ready, since: readySince } = conditionOf(pod, 'Ready')
  return present<PodState>({
    role,
    namespace,
    name,
    uid,
    node: textOf(spec['nodeName']) ?? nodeWanted(spec) ?? '',
    daemonSet: owner?.['kind'] === 'DaemonSet' ? textOf(owner['uid']) : undefined,
    revision: labels['controller-revision-hash'],
    image: textOf(container['image']) ?? '',
    flags: role === 'kube-proxy' && owner?.['kind'] !== 'DaemonSet' ? proxyFlags(container) : undefined,
    createdAt,
    ready,
    readySince,
    deletedAt: timeOf(objectOf(pod['metadata'])['deletionTimestamp']),
    ...containerStatus(pod, textOf(container['name'])),
    env: envOf(container),
    envFrom: envFromOf(container),
  })
}

/** The DaemonSet controller assigns a pod to a node by affinity: until it is scheduled, its node is only there. */
function nodeWanted(spec: Foreign): string | undefined {
  const affinity = objectOf(objectOf(spec['affinity'])['nodeAffinity'])
  const required = objectOf(affinity['requiredDuringSchedulingIgnoredDuringExecution'])
  const fields = objectsOf(required['nodeSelectorTerms']).flatMap((term) => objectsOf(term['matchFields']))
  return textsOf(fields.find(({ key }) => key === 'metadata.name')?.['values'])[0]
}

function interned<T>(): (value: T) => T {
  const known = new Map<string, T>()
  return (value) => {
    const key = JSON.stringify(value)
    const first = known.get(key)
    if (first !== undefined) return first
    known.set(key, value)
    return value
  }
}
