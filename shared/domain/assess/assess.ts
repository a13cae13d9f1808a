import type { Assessment, NodeAssessment } from './assessment.ts'
import { nodeReport, report } from './report.ts'
import { clusterVerdict, nodeVerdict } from './verdict.ts'
import type { ClusterState } from '../cluster.ts'
import { factsOf } from '../facts/cluster.ts'
import type { NodeFacts } from '../facts/facts.ts'
import { clusterFindings, nodeTroubles } from '../findings/all.ts'
import type { Policy } from '../policy/policy.ts'

/**
 * Derives findings and verdict of a cluster and of each node. Pure: the same state gives the same result, live, in a
 * Lambda function or from a captured file; "now" is the state's `observedAt`.
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
