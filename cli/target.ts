import type { KubeClient } from '../shared/clients/kube-client.ts'
import type { Assessment } from '../shared/domain/assessment.ts'
import type { ClusterState } from '../shared/domain/cluster.ts'
import type { Policy } from '../shared/domain/policy.ts'
import type { Plan, Report } from '../shared/domain/report.ts'

/** One cluster as a command sees it, wherever it is: behind a kubeconfig, in EKS, or in a file. */
export interface Target {
  /** For progress lines. */
  name: string
  observe: () => Promise<ClusterState>
  /** Absent where there is nothing to write to: a file, or a cluster that cannot be reached. */
  kube?: KubeClient
  close: () => void
}

export interface Looked {
  state: ClusterState
  assessment: Assessment
  report: Report
  /** Computed when asked for. */
  plan: () => Plan
}

/** Observes and judges; the domain is loaded only now. */
export const look = async (target: Target, policy: Policy): Promise<Looked> => {
  const [{ assess }, { plan }] = await Promise.all([
    import('../shared/domain/assess.ts'),
    import('../shared/domain/plan.ts'),
  ])
  const state = await target.observe()
  const assessment = assess(state, policy)
  return { state, assessment, report: assessment.report, plan: () => plan(assessment, state, policy) }
}
