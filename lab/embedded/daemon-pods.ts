import { createHash, randomBytes, randomUUID } from 'node:crypto'
import { type Context, internalWrite } from './context.ts'
import { daemonTolerations } from './node-fit.ts'
import { type KubeObject, type OwnerReference, recordAt, timestamp } from './object.ts'
import type { Resource } from './resources.ts'
import { qosClass } from './pod-status.ts'
import type { Container, DaemonSet, Node, Pod } from './workloads.ts'
import { create } from './writes.ts'

const letters = 'bcdfghjklmnpqrstvwxz2456789'

const spelled = (bytes: Uint8Array): string => [...bytes].map((byte) => letters[byte % letters.length]).join('')

/**
 * The revision of the DaemonSet's present template: an equal template gets its old name back, as after `rollout undo`.
 */
export function revisionOf({ spec }: DaemonSet): string {
  return spelled(createHash('sha256').update(JSON.stringify(spec.template)).digest().subarray(0, 10))
}

/** Makes sure the ControllerRevision of that hash exists; answers the hash. */
export function storeRevision(context: Context, revisions: Resource, daemonSet: DaemonSet, hash: string): string {
  const { name, namespace = '', annotations } = daemonSet.metadata
  const revisionName = `${name}-${hash}`
  if (context.store.get(revisions, `${namespace}/${revisionName}`) !== undefined) return hash
  const owned = (context.store.list(revisions) ?? []).filter(([, { metadata }]) =>
    metadata.ownerReferences?.some(({ uid }) => uid === daemonSet.metadata.uid),
  )
  const latest = Math.max(0, ...owned.map(([, revision]) => Number(revision['revision'])))
  const object: KubeObject = {
    apiVersion: 'apps/v1',
    kind: 'ControllerRevision',
    metadata: {
      name: revisionName,
      namespace,
      labels: { ...daemonSet.spec.template.metadata.labels, 'controller-revision-hash': hash },
      ownerReferences: [ownerReference(daemonSet)],
      ...(annotations === undefined ? {} : { annotations }),
    },
    data: { spec: { template: { $patch: 'replace', ...recordAt(daemonSet, 'spec', 'template') } } },
    revision: latest + 1,
  }
  create(context, revisions, object, internalWrite('kube-controller-manager'))
  return hash
}

const ownerReference = ({ metadata: { name, uid = '' } }: DaemonSet): OwnerReference => ({
  apiVersion: 'apps/v1',
  kind: 'DaemonSet',
  name,
  uid,
  controller: true,
  blockOwnerDeletion: true,
})

/** The pod as controller, admission and scheduler together make it: on its node from the start. */
export function daemonPod(
  context: Context,
  daemonSet: DaemonSet,
  { node, revision }: { node: Node; revision: string },
): Pod {
  const { template } = daemonSet.spec
  const { metadata: owner } = daemonSet
  const spec = podSpec(daemonSet, node.metadata.name)
  const generation = owner.annotations?.['deprecated.daemonset.template.generation'] ?? '1'
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: `${owner.name}-${spelled(randomBytes(5))}`,
      generateName: `${owner.name}-`,
      namespace: owner.namespace ?? '',
      uid: randomUUID(),
      generation: 1,
      creationTimestamp: timestamp(context.now()),
      labels: {
        ...template.metadata.labels,
        'controller-revision-hash': revision,
        'pod-template-generation': generation,
        ...topologyOf(node),
      },
      ...(isEmpty(template.metadata.annotations) ? {} : { annotations: { ...template.metadata.annotations } }),
      ownerReferences: [ownerReference(daemonSet)],
    },
    spec,
    status: {
      phase: 'Pending',
      qosClass: qosClass({ spec }),
      conditions: [{ type: 'PodScheduled', status: 'True', lastTransitionTime: timestamp(context.now()) }],
    },
  }
}

/** From Kubernetes 1.35 on a pod carries where its node stands. */
const topologyOf = ({ metadata: { labels = {} } }: Node): Record<string, string> =>
  Object.fromEntries(Object.entries(labels).filter(([key]) => /^topology\.kubernetes\.io\/(zone|region)$/.test(key)))

const isEmpty = (record: object | undefined): boolean => record === undefined || Object.keys(record).length === 0

function podSpec({ spec: { template } }: DaemonSet, node: string): Pod['spec'] {
  const { spec } = template
  const bound = [{ matchFields: [{ key: 'metadata.name', operator: 'In', values: [node] }] }]
  const required = { nodeSelectorTerms: bound }
  return {
    enableServiceLinks: true,
    preemptionPolicy: 'PreemptLowerPriority',
    priority: spec['priorityClassName'] === 'system-node-critical' ? 2_000_001_000 : 0,
    ...spec,
    affinity: { ...spec.affinity, nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: required } },
    nodeName: node,
    containers: spec.hostNetwork === true ? spec.containers.map(withHostPorts) : spec.containers,
    tolerations: daemonTolerations(spec),
  }
}

/** On the host's network a container's port is the host's. */
function withHostPorts(container: Container): Container {
  const { ports } = container
  if (!Array.isArray(ports)) return container
  return {
    ...container,
    ports: ports.map((port) => ({ hostPort: recordAt(port)['containerPort'], ...recordAt(port) })),
  }
}
