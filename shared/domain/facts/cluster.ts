import { calicoSets, hasNoCalico } from './applicability.ts'
import { isAssumed, objectionsTo } from './assumption.ts'
import { underWay } from './changing.ts'
import type { ClusterFacts } from './facts.ts'
import { gapsOf } from './gaps.ts'
import { nodeFacts } from './nodes.ts'
import { portUse } from './port-use.ts'
import { desiredOf, serviceRangeOf } from './ranges.ts'
import { oldestCalico } from './version.ts'
import type { ClusterState } from '../cluster.ts'
import { differences } from '../identity.ts'
import type { Policy } from '../policy/policy.ts'
import { commonMode, configuredModes } from '../proxy-mode/configured.ts'
import { kubernetesMinor } from '../proxy-mode/kubernetes-minor.ts'
import { valueOf } from '../read.ts'
import { parseRollout, rolloutOf } from '../rollout/parse.ts'

/** Without the answer of EKS, because it described another cluster. */
const withoutEks = (seen: ClusterState): ClusterState => {
  const { eks: _, ...state } = seen
  return state
}

/** All facts that the checks use, derived once. */
export function factsOf(seen: ClusterState, policy: Policy): ClusterFacts {
  const otherThanEks = seen.identity ? differences(seen.identity) : []
  const state = otherThanEks.length > 0 ? withoutEks(seen) : seen
  const configurations = configuredModes(state)
  const serviceRange = serviceRangeOf(state)
  const { ranges, strays } = desiredOf(state, serviceRange)
  const configuredMode = commonMode(configurations)
  const minor = kubernetesMinor(state)
  const install = installOf(state)
  const assumed = isAssumed(serviceRange)
  const now = Date.parse(state.observedAt)
  const lease = parseRollout(valueOf(state.rollout), now)
  const rollout = rolloutOf(lease)
  const nodes = nodeFacts(state, { ranges, assumed, configurations })
  const calico = oldestCalico(nodes, state)
  const inUse = assumed ? strays.map(portUse) : []
  const objections = assumed ? [...objectionsTo(serviceRange, state, nodes), ...inUse] : []
  return {
    state,
    policy,
    now,
    lease,
    ...(rollout && { rollout }),
    otherThanEks,
    gaps: gapsOf(state, configurations),
    underWay: underWay(state, configurations),
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
 * The operator's DaemonSet has its own namespace, which shows the installation even if the Installation may not be
 * read. Undefined: neither was read.
 */
function installOf(state: ClusterState): ClusterFacts['install'] {
  if (hasNoCalico(state)) return 'none'
  const sets = calicoSets(state)
  if (valueOf(state.installation) || sets.some(({ namespace }) => namespace === 'calico-system')) return 'operator'
  return sets.length > 0 ? 'manifest' : undefined
}

/** EKS's own CNI, unless the operator uses Calico's CNI. */
const usesVpcCni = (state: ClusterState): boolean => {
  const said = valueOf(state.installation)?.cniType
  if (said !== undefined) return said === 'AmazonVPC'
  // If all DaemonSets were read, that of the CNI is among them if it exists.
  if (valueOf(state.daemonSets)) return false
  return /-eks-/.test(valueOf(state.kubernetesVersion) ?? '') || valueOf(state.eks) !== undefined
}
