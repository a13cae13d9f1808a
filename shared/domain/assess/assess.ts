import { gapsOf } from '../facts/gaps.ts'
import { calicoSets, hasNoCalico } from '../facts/applicability.ts'
import { isAssumed, objectionsTo } from '../facts/assumption.ts'
import { underWay } from '../facts/changing.ts'
import type { ClusterFacts, NodeFacts } from '../facts/facts.ts'
import { nodeFacts } from '../facts/nodes.ts'
import { desiredOf, serviceRangeOf } from '../facts/ranges.ts'
import { nodeReport, report } from './report.ts'
import { clusterVerdict, nodeVerdict } from './verdict.ts'
import { kubernetesMinor, oldestCalico } from '../facts/version.ts'
import type { Assessment, NodeAssessment } from './assessment.ts'
import type { ClusterState } from '../cluster.ts'
import { clusterFindings, nodeTroubles } from '../findings/all.ts'
import { portUse } from '../findings/node-ports.ts'
import { differences } from '../identity.ts'
import type { Policy } from '../policy/policy.ts'
import { commonMode, configuredModes } from '../proxy-mode.ts'
import { valueOf } from '../read.ts'

export { ownerOf, type Owner } from '../facts/owner.ts'

/**
 * What is true of a cluster and what it means, per node and as a whole. Pure: the same state gives the same answer, live,
 * in a Lambda or from a captured file; "now" is the state's `observedAt`.
 */
export function assess(state: ClusterState, policy: Policy): Assessment {
  const cluster = factsOf(state, policy)
  const judged = cluster.nodes.map((it) => {
    const troubles = nodeTroubles(it, cluster)
    return { it, troubles, judgement: nodeVerdict(it, troubles, cluster) }
  })
  const nodes = judged.map(({ it, judgement }) => nodeReport(it, judgement))
  const verdict = clusterVerdict(
    cluster,
    nodes.map((it) => it.verdict),
  )
  const found = judged.flatMap(({ it, troubles }) => troubles.map((trouble) => ({ node: it.node.name, trouble })))
  return {
    report: report(cluster, { verdict, nodes, findings: clusterFindings(found, cluster) }),
    ...(cluster.desired && { desired: cluster.desired }),
    nodes: cluster.nodes.map(nodeAssessment),
  }
}

/** What EKS says of another cluster is nothing about this one. */
const withoutEks = (seen: ClusterState): ClusterState => {
  const { eks: _, ...state } = seen
  return state
}

/** Everything the checks ask about, worked out once. */
function factsOf(seen: ClusterState, policy: Policy): ClusterFacts {
  const otherThanEks = seen.identity ? differences(seen.identity) : []
  const state = otherThanEks.length > 0 ? withoutEks(seen) : seen
  const configurations = configuredModes(state)
  const serviceRange = serviceRangeOf(state)
  const { ranges, strays } = desiredOf(state, serviceRange)
  const configuredMode = commonMode(configurations)
  const minor = kubernetesMinor(state)
  const install = installOf(state)
  const assumed = isAssumed(serviceRange)
  const nodes = nodeFacts(state, { desired: assumed ? undefined : ranges, configurations })
  const calico = oldestCalico(nodes, state)
  const inUse = assumed ? strays.map(portUse) : []
  const objections = assumed ? [...objectionsTo(serviceRange, state, nodes), ...inUse] : []
  return {
    state,
    policy,
    now: Date.parse(state.observedAt),
    otherThanEks,
    gaps: gapsOf(state),
    underWay: underWay(state),
    serviceRange,
    objections,
    ...(ranges && objections.length === 0 && { desired: ranges }),
    strays: assumed ? [] : strays,
    ...(install && { install }),
    ...(calico && { calico }),
    calicoSets: calicoSets(state),
    configurations,
    ...(configuredMode && { configuredMode }),
    ...(minor !== undefined && { kubernetesMinor: minor }),
    vpcCni: usesVpcCni(state),
    felixObjects: new Map((valueOf(state.felix)?.objects ?? []).map((it) => [it.name, it])),
    nodes,
  }
}

/**
 * The operator's DaemonSet stands in a namespace of its own; that also tells where the Installation may not be read.
 * Undefined: neither was read, and nothing is claimed.
 */
function installOf(state: ClusterState): ClusterFacts['install'] {
  if (hasNoCalico(state)) return 'none'
  const sets = calicoSets(state)
  if (valueOf(state.installation) || sets.some(({ namespace }) => namespace === 'calico-system')) return 'operator'
  return sets.length > 0 ? 'manifest' : undefined
}

/** EKS's own CNI unless the operator says that Calico's is used. */
const usesVpcCni = (state: ClusterState): boolean => {
  const said = valueOf(state.installation)?.cniType
  if (said !== undefined) return said === 'AmazonVPC'
  // Where all DaemonSets were seen, the CNI's own is among them if it is there.
  if (valueOf(state.daemonSets)) return false
  return /-eks-/.test(valueOf(state.kubernetesVersion) ?? '') || valueOf(state.eks) !== undefined
}

const nodeAssessment = (it: NodeFacts): NodeAssessment => ({
  node: it.node,
  applicable: it.outside === undefined,
  runningMode: it.running?.mode ?? 'unknown',
  ...(it.calicoPod && { calicoPod: it.calicoPod }),
  ...(it.running && { kubeProxyPod: it.running.pod }),
  ...(it.version && { calicoVersion: it.version }),
  ...(it.felix && { felix: it.felix }),
  ...it.reached,
  rangeDiffers: it.rangeDiffers,
  missedMode: it.view.missed,
  olderThanMode: it.view.olderThanMode,
  broken: it.reached ? !it.reached.calicoPod.ready : it.outside === undefined && it.calicoPod?.ready !== true,
})
