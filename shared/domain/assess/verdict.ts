import type { ClusterFacts, NodeFacts } from '../facts/facts.ts'
import type { Trouble } from '../findings/checks.ts'
import type { Verdict } from '../report.ts'

export interface Judgement {
  verdict: Verdict
  /** Why not applicable, unknown or changing. */
  reason?: string
}

/** A node is in step when nothing on it needs a change. */
export function nodeVerdict(it: NodeFacts, troubles: readonly Trouble[], cluster: ClusterFacts): Judgement {
  const { gaps, otherThanEks } = cluster
  if (it.outside !== undefined) return { verdict: 'not-applicable', reason: it.outside }
  if (otherThanEks.length > 0) return { verdict: 'unknown', reason: 'EKS describes another cluster' }
  const [gap] = gaps.needed
  if (gap) return { verdict: 'unknown', reason: `${gap.object} could not be read: ${gap.message}` }
  if (troubles.some(({ breaks }) => breaks)) return { verdict: 'out-of-step' }
  if (it.starting !== undefined) return { verdict: 'changing', reason: it.starting }
  const doubt = doubtOf(it) ?? (it.ipvs === 'active' && cluster.objections.length > 0 ? assumedRange : undefined)
  return doubt === undefined ? { verdict: 'in-step' } : { verdict: 'unknown', reason: doubt }
}

const assumedRange = 'the service range is only assumed, and something contradicts the assumption'

/** Facts that are missing for the verdict in-step. */
function doubtOf({ running, calicoPod, view, ipvs, values, felix }: NodeFacts): string | undefined {
  if (!running) return 'no kube-proxy pod was found on this node'
  if (running.mode === 'unknown') return running.reason
  if (!calicoPod) return 'calico-node should run here, but has no pod'
  if (view.doubt !== undefined) return view.doubt
  if (ipvs !== 'active') return undefined
  if (values.effectiveRange === undefined) return `Felix's range is not known: ${why(felix)}`
  if (values.effectiveMarkMask === undefined) return `Felix's mark mask is not known: ${why(felix)}`
  return undefined
}

const why = (felix: NodeFacts['felix']): string =>
  felix?.warnings.find(({ kind }) => kind === 'unknown' || kind === 'ambiguous' || kind === 'vast')?.message ??
  "it depends on Calico's version, which is not known"

const worstFirst: readonly Verdict[] = ['out-of-step', 'unknown', 'changing', 'in-step']

/**
 * The cluster has the verdict of its worst node, never an average. While a change is in progress it is `changing`,
 * regardless of its nodes.
 */
export function clusterVerdict(cluster: ClusterFacts, verdicts: readonly Verdict[]): Verdict {
  const { gaps, underWay, state, nodes, otherThanEks } = cluster
  if ('failure' in state.nodes || otherThanEks.length > 0) return 'unknown'
  const counted = verdicts.filter((it) => it !== 'not-applicable')
  if (counted.length === 0 && (nodes.length > 0 || gaps.needed.length === 0)) return 'not-applicable'
  if (gaps.needed.length > 0) return 'unknown'
  if (underWay.length > 0) return 'changing'
  return worstFirst.find((it) => verdicts.includes(it)) ?? 'not-applicable'
}
