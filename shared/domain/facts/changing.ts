import { calicoSets, hasNoCalico, isUnseen } from './applicability.ts'
import type { ClusterState, DaemonSetState } from '../cluster.ts'
import { counted } from '../counted.ts'
import type { ProxyConfiguration } from '../proxy-mode/configured.ts'
import { valueOf } from '../read.ts'
import type { Evidence, FindingCode } from '../report.ts'

/** A change is in progress; the current state will change. */
export interface UnderWay {
  code: FindingCode
  subject: string
  message: string
  evidence: Evidence[]
}

/** EKS updates, rolls of kube-proxy and calico-node, a migration between two installations of Calico. */
export const underWay = (state: ClusterState, configurations: readonly ProxyConfiguration[]): UnderWay[] =>
  hasNoCalico(state) ? [] : [...ofEks(state), ...rolls(state, configurations), ...migration(state)]

const inTransition = ['CREATING', 'UPDATING', 'PENDING', 'DELETING']

function ofEks(state: ClusterState): UnderWay[] {
  const eks = valueOf(state.eks)
  if (!eks) return []
  const found: UnderWay[] = []
  const say = (message: string, evidence: Evidence) =>
    found.push({ code: 'CLUSTER_UPDATING', subject: 'cluster', message, evidence: [evidence] })
  if (inTransition.includes(eks.status)) {
    say(`EKS reports the cluster as ${eks.status}.`, {
      object: 'eks:DescribeCluster',
      field: 'status',
      value: eks.status,
    })
  }
  const addon = valueOf(eks.kubeProxyAddon)
  if (addon && inTransition.includes(addon.status)) {
    say(`The kube-proxy add-on is ${addon.status}.`, {
      object: 'eks:DescribeAddon',
      field: 'status',
      value: addon.status,
    })
  }
  for (const it of valueOf(eks.updates) ?? []) {
    const of = it.addon ?? it.nodegroup
    say(`The update ${it.type}${of ? ` of ${of}` : ''} is ${it.status}.`, {
      object: `eks:Update/${it.id}`,
      field: 'status',
      value: it.status,
      ...(it.startedAt === undefined ? {} : { at: it.startedAt }),
    })
  }
  return found
}

function rolls(state: ClusterState, configurations: readonly ProxyConfiguration[]): UnderWay[] {
  const proxies = configurations.map(({ daemonSet }) => daemonSet)
  return [...proxies, ...calicoSets(state)].filter(isRolling).map((set) => ({
    code: 'CLUSTER_UPDATING',
    subject: `DaemonSet/${set.namespace}/${set.name}`,
    message: `${set.name} is being rolled: ${set.status.updated} of ${counted(set.status.desired, 'pod')} ${set.status.updated === 1 ? 'has' : 'have'} the current template.`,
    evidence: [{ object: `DaemonSet/${set.namespace}/${set.name}`, field: 'status', value: statusText(set) }],
  }))
}

const statusText = ({ generation, status }: DaemonSetState): string =>
  `generation ${generation}, observed ${status.observedGeneration}, desired ${status.desired}, updated ${status.updated}`

/**
 * With `OnDelete` nothing is rolled automatically: pods with an older template may remain forever, so the cluster is
 * not changing.
 */
export const isRolling = (set: DaemonSetState): boolean =>
  isUnseen(set) || (set.updateStrategy.type === 'RollingUpdate' && set.status.updated < set.status.desired)

function migration(state: ClusterState): UnderWay[] {
  const sets = calicoSets(state)
  if (sets.length < 2) return []
  const names = sets.map((it) => `DaemonSet/${it.namespace}/${it.name}`)
  return [
    {
      code: 'CALICO_MIGRATING',
      subject: 'cluster',
      message: `Calico is installed twice, as in a migration to the operator: ${names.join(' and ')}. Wait for the migration to end, or remove the remaining DaemonSet.`,
      evidence: sets.map((it, at) => ({ object: names[at] ?? '', field: 'status', value: statusText(it) })),
    },
  ]
}

/** A failed EKS cluster is not changing, but nothing may be written to it either. */
export const failedStatus = (state: ClusterState): string | undefined => {
  const status = valueOf(state.eks)?.status
  return status === undefined || status === 'ACTIVE' || inTransition.includes(status) ? undefined : status
}
