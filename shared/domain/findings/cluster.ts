import { failedStatus } from '../facts/changing.ts'
import type { ClusterFacts, NodeFacts } from '../facts/facts.ts'
import type { DaemonSetState } from '../cluster.ts'
import { counted } from '../counted.ts'
import { certainValues } from '../felix/felix-index.ts'
import { objectName } from '../felix/layer.ts'
import type { ClusterCheck } from './checks.ts'
import { ownerOf } from '../facts/owner.ts'
import { isReachedByDefault } from './range-layers.ts'
import { felixObject, kubectl, onCluster, rangeManifest } from './remedy.ts'
import { type PortRange, sameRanges } from '../ports.ts'
import { quoted } from '../shell.ts'
import { isRolledOut } from '../proxy-mode/configured.ts'
import { podId } from '../proxy-mode/samples.ts'
import { ignoreKey } from '../capture/annotations.ts'
import { valueOf } from '../read.ts'
import type { Evidence, Finding } from '../report.ts'

export const updating: ClusterCheck = ({ underWay, state }) => {
  const changes = underWay.map(
    (it): Finding => ({ ...it, severity: it.code === 'CALICO_MIGRATING' ? 'warning' : 'info' }),
  )
  const status = failedStatus(state)
  if (status === undefined) return changes
  const evidence = [{ object: 'eks:DescribeCluster', field: 'status', value: status }]
  const message = `EKS reports the cluster as ${status}: nothing is written to it.`
  return [...changes, { code: 'CLUSTER_UPDATING', severity: 'warning', subject: 'cluster', message, evidence }]
}

/**
 * Reported only where the object needs a change: the owner of an object that is in step does not matter. A rollout writes it
 * last, when no node differs any more.
 */
export const ownedByGitops: ClusterCheck = (cluster) => {
  const { nodes, desired, policy } = cluster
  const object = felixObject(cluster, 'default')
  const owner = object && ownerOf(object)
  const isNeededBy = (it: NodeFacts) => it.rangeDiffers || (isOverridden(it) && !isInDefault(it, desired))
  if (!owner || !desired || !nodes.some((it) => isReachedByDefault(it, cluster) && isNeededBy(it))) return []
  return [
    {
      code: 'OWNED_BY_GITOPS',
      severity: policy.ignoreOwner ? 'info' : 'warning',
      subject: 'FelixConfiguration/default',
      message: `${owner.tool} owns FelixConfiguration/default and would revert a change made here: change the range at its source.`,
      evidence: [owner.evidence],
      remedy: `Merge this into what ${owner.tool} applies:\n${rangeManifest(cluster, 'default', desired)}`,
    },
  ]
}

const isOverridden = ({ sources }: NodeFacts): boolean => sources.KubeNodePortRanges === 'host'

/** Whether a Felix of this node's version would use the range if the node had no override. */
const isInDefault = ({ index }: NodeFacts, desired: PortRange[] | undefined): boolean => {
  const felix = index?.resolve({ nodeName: '', nodeLabels: {}, env: [] })
  const range = felix && certainValues(felix).effectiveRange
  return range !== undefined && desired !== undefined && sameRanges(range, desired)
}

/** Then the operator does not touch the object, neither to update nor to repair it. */
export const operatorIgnored: ClusterCheck = ({ state, calicoSets }) => {
  const objects = [
    { object: 'Installation/default', annotations: valueOf(state.installation)?.annotations ?? {} },
    ...calicoSets.map((it) => ({ object: `DaemonSet/${it.namespace}/${it.name}`, annotations: it.annotations })),
    ...(valueOf(state.felix)?.objects ?? [])
      .filter(({ name }) => name === 'default')
      .map(({ name, annotations }) => ({ object: objectName(name), annotations })),
  ]
  return objects
    .filter(({ annotations }) => annotations[ignoreKey] === 'true')
    .map(({ object }) => ({
      code: 'OPERATOR_IGNORED',
      severity: 'warning',
      subject: object,
      message: `An annotation tells the operator to ignore ${object}: it neither updates nor repairs it.`,
      evidence: [{ object, field: `metadata.annotations[${ignoreKey}]`, value: 'true' }],
      remedy: `Remove the annotation ${ignoreKey} when it is no longer needed.`,
    }))
}

export const apiUnavailable: ClusterCheck = (cluster) => {
  const failure = valueOf(cluster.state.felix)?.v3Failure
  if (!failure) return []
  return [
    {
      code: 'CALICO_API_UNAVAILABLE',
      severity: 'warning',
      subject: 'APIService/v3.projectcalico.org',
      message: `projectcalico.org/v3 is registered but does not answer; the stored objects were read instead, and nothing is written while it is not known which API is in use. ${failure.message}`,
      evidence: [
        {
          object: failure.object,
          field: failure.status === undefined ? 'answer' : `HTTP ${failure.status}`,
          value: failure.message,
        },
      ],
      remedy: `${kubectl(cluster)} get apiservice v3.projectcalico.org -o yaml\n${kubectl(cluster)} get pods -A -l k8s-app=calico-apiserver`,
    },
  ]
}

const settling = 5 * 60_000

/** Nodes on which the pod has only just started do not count. */
export const notReady: ClusterCheck = (cluster) => {
  const { nodes, now, gaps } = cluster
  if (gaps.needed.length > 0) return []
  const inside = nodes.filter(({ outside, starting }) => outside === undefined && starting === undefined)
  const broken = inside.filter(({ calicoPod }) => !calicoPod?.ready)
  const [first] = broken
  if (!first) return []
  const young = broken.every(
    ({ calicoPod }) => calicoPod && now - Date.parse(calicoPod.startedAt ?? calicoPod.createdAt) < settling,
  )
  const unfinished = unfinishedIn(cluster)
  const names = broken
    .slice(0, 3)
    .map(({ node }) => node.name)
    .join(', ')
  return [
    {
      code: 'NODES_NOT_READY',
      severity: young && !isHaltedOn(cluster, broken) ? 'info' : 'warning',
      subject: broken.length === 1 ? `node/${first.node.name}` : 'cluster',
      message: `${unfinished?.while ?? ''}calico-node is not Ready on ${broken.length} of ${counted(inside.length, 'node')}: ${names}${broken.length > 3 ? ', …' : ''}. ${unfinished?.later ?? 'This tool changes nothing there until calico-node is Ready.'}`,
      evidence: broken.slice(0, 10).map(readiness),
      remedy: [
        ...(unfinished ? [`${onCluster(cluster, 'rollout status')}   # what it changed, and how it continues`] : []),
        `${kubectl(cluster)} get pods -A -l k8s-app=calico-node -o wide   # describe those with 0/1, read their logs`,
      ].join('\n'),
    },
  ]
}

/** It may have made them so, also through `default`, which names no node. */
const unfinishedIn = ({ rollout }: ClusterFacts): { while: string; later: string } | undefined => {
  if (rollout?.state !== 'running') return undefined
  return {
    while: `While the rollout ${rollout.id} is not finished, `,
    later: 'While a node that it changed is not Ready it changes no other, and it halts if that lasts.',
  }
}

/** If a rollout halted because of one of them, it is not a pod that has only just started. */
const isHaltedOn = ({ rollout }: ClusterFacts, broken: NodeFacts[]): boolean =>
  rollout?.state === 'halted' && broken.some(({ node }) => node.name === rollout.evidence?.node)

function readiness({ node, calicoPod: pod }: NodeFacts): Evidence {
  if (!pod) return { object: `Node/${node.name}`, field: 'calico-node', value: 'no pod' }
  const value = pod.waiting ?? `Ready False, ${counted(pod.restartCount, 'restart')}`
  return {
    object: `Pod/${podId(pod)}`,
    field: 'status.conditions[Ready]',
    value,
    ...(pod.readySince && { at: pod.readySince }),
  }
}

/** With `OnDelete`, a restart by annotation, as documented for Calico, restarts nothing. */
export const updateStrategy: ClusterCheck = (cluster) =>
  [...cluster.calicoSets, ...cluster.configurations.map(({ daemonSet }) => daemonSet)]
    .filter(({ updateStrategy }) => updateStrategy.type === 'OnDelete')
    .map((set) => {
      const behind = !isRolledOut(set)
      const waiting = behind
        ? `; ${counted(set.status.desired - set.status.updated, 'pod still has', 'pods still have')} an older template`
        : ''
      return {
        code: 'UPDATE_STRATEGY',
        severity: behind ? 'warning' : 'info',
        subject: `DaemonSet/${set.namespace}/${set.name}`,
        message: `${set.name} has the update strategy OnDelete: a pod gets a change only after it is deleted${waiting}.`,
        evidence: [
          { object: `DaemonSet/${set.namespace}/${set.name}`, field: 'spec.updateStrategy.type', value: 'OnDelete' },
        ],
        remedy: `A rollout restart restarts nothing. Delete one pod at a time, and wait until its successor is Ready. The pods: ${podsOf(cluster, set)}`,
      }
    })

const podsOf = (cluster: ClusterFacts, { namespace, selector }: DaemonSetState): string => {
  const labels = Object.entries(selector).map(([key, value]) => `${key}=${value}`)
  return `${kubectl(cluster)} -n ${quoted(namespace)} get pods -l ${quoted(labels.join(','))} -o wide`
}
