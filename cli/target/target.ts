import type { KubeClient } from '../../shared/clients/kube/client.ts'
import type { Assessment } from '../../shared/domain/assess/assessment.ts'
import type { ClusterState } from '../../shared/domain/cluster.ts'
import type { Policy } from '../../shared/domain/policy/policy.ts'
import type { ClusterAddress } from '../../shared/domain/findings/remedy.ts'
import type { Plan, Report } from '../../shared/domain/report.ts'

/** The cluster of a command: behind a kubeconfig, in EKS, or in a file. */
export interface Target {
  /** For progress lines. */
  name: string
  /** For commands that are printed. */
  place: ClusterAddress
  observe: () => Promise<ClusterState>
  /** Absent if nothing can be written: a file, or an unreachable cluster. */
  kube?: KubeClient
  close: () => void
}

export interface AssessedTarget {
  state: ClusterState
  assessment: Assessment
  report: Report
  /** Computed on demand. */
  plan: () => Plan
}

/**
 * Observes and assesses; the domain is loaded only now. `forPlan`: also reads facts that only planning needs, if
 * something is to be changed.
 */
export const assessTarget = async (target: Target, policy: Policy, forPlan = false): Promise<AssessedTarget> => {
  const [{ assess }, { beside }, { plan }] = await Promise.all([
    import('../../shared/domain/assess/assess.ts'),
    import('../../shared/domain/assess/beside.ts'),
    import('../../shared/domain/plan/plan.ts'),
  ])
  const begun = performance.now()
  const seen = await target.observe()
  const readSeconds = Math.round((performance.now() - begun) / 100) / 10
  const assessment = assess(seen, policy)
  const changes = forPlan && target.kube ? plan(assessment, seen, policy).changes : []
  const state = changes.length > 0 ? await forPlanning(target, seen) : seen
  return {
    state,
    assessment,
    report: { ...assessment.report, ...(target.kube && { readSeconds }), ...beside(seen) },
    plan: () => plan(assessment, state, policy),
  }
}

/** Read from a live cluster; a state file may contain it. */
export const forPlanning = async ({ kube }: Target, state: ClusterState): Promise<ClusterState> => {
  if (!kube) return state
  const { withWebhookNodes } = await import('../../shared/workflows/observe/webhooks.ts')
  return withWebhookNodes(kube, state)
}
