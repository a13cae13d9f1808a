import type { ClusterFacts, NodeFacts } from '../facts/facts.ts'
import type { ClusterCheck, NodeCheck, NodeTrouble, Trouble } from './checks.ts'
import { grouped, inOrder } from './checks.ts'
import { addonDiffers } from './addon.ts'
import { unread } from './access.ts'
import * as whole from './cluster.ts'
import * as combination from './combination.ts'
import { clusterIdentity, tlsNotVerified } from './identity.ts'
import { ipvsDeprecated } from './deprecated.ts'
import * as mark from './mark.ts'
import { markForesight } from './mark-foresight.ts'
import * as mode from './mode.ts'
import { sctpPorts, strayPorts } from './node-ports.ts'
import { operatorBlind } from './operator-blind.ts'
import * as range from './range.ts'
import { hostPortsInRange } from './range-host-ports.ts'
import { rangeAssumed } from './range-assumed.ts'
import { rangeInvalid } from './range-invalid.ts'
import { withContext } from './remedy.ts'
import * as rollout from './rollout.ts'
import type { Finding } from '../report.ts'

const nodeChecks: readonly NodeCheck[] = [
  range.rangeDiffers,
  range.specIgnored,
  range.rangeShadowed,
  rangeInvalid,
  mode.modeNotRolled,
  mode.modeUnproven,
  mode.felixMissedMode,
  mode.staleDevice,
  combination.ipvsWithBpf,
  combination.ipvsWithNftables,
  combination.interfaceExclude,
  combination.selectorOverlap,
  mark.markCapacity,
  markForesight,
  mark.markInvalid,
  mark.markOverlap,
  mark.markTablesDiffer,
]

/** Checks of the connection to the cluster, whatever is in the cluster. */
const wayChecks: readonly ClusterCheck[] = [unread, clusterIdentity, tlsNotVerified]

const clusterChecks: readonly ClusterCheck[] = [
  ...wayChecks,
  rangeAssumed,
  whole.updating,
  hostPortsInRange,
  strayPorts,
  sctpPorts,
  whole.ownedByGitops,
  whole.operatorIgnored,
  operatorBlind,
  whole.apiUnavailable,
  whole.notReady,
  whole.updateStrategy,
  rollout.rolloutHalted,
  rollout.rolloutStateInvalid,
  rollout.flapping,
  mode.modeMixed,
  mode.modeMisconfigured,
  addonDiffers,
  ipvsDeprecated,
  range.specContradicts,
  mark.markNotStorable,
]

/** What the checks find on one node; nothing on a node that is not applicable. */
export const nodeTroubles = (it: NodeFacts, cluster: ClusterFacts): Trouble[] =>
  it.outside === undefined ? nodeChecks.flatMap((check) => check(it, cluster)) : []

/** All findings, the most severe first; each remedy can be pasted without changes. */
export const clusterFindings = (found: readonly NodeTrouble[], cluster: ClusterFacts): Finding[] =>
  inOrder(allFindings(found, cluster)).map(({ remedy, ...finding }) => ({
    ...finding,
    ...(remedy !== undefined && { remedy: withContext(remedy, cluster.state) }),
  }))

/** Groups equal problems of many nodes. Without Calico only the connection is checked, and what its removal interrupted. */
const allFindings = (found: readonly NodeTrouble[], cluster: ClusterFacts): Finding[] => {
  if (cluster.install === 'none')
    return [...wayChecks, rollout.rolloutHalted, rollout.rolloutStranded].flatMap((check) => check(cluster))
  const inside = cluster.nodes.filter(({ outside }) => outside === undefined).length
  const all = [...found, ...combination.nftablesModeDiffers(cluster)]
  return [...grouped(all, inside), ...clusterChecks.flatMap((check) => check(cluster))]
}
