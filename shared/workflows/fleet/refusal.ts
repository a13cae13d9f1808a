import type { ClusterState } from '../../domain/cluster.ts'
import { takingOperatorRole } from '../../domain/fleet.ts'
import type { Finding, Report } from '../../domain/report.ts'
import { rolloutIn } from '../../domain/rollout/parse.ts'
import { takesSteps } from '../../domain/rollout/rollout.ts'
import type { Evaluation } from '../../messages.ts'
import { accessRemedy } from '../rollout/access-review.ts'

/**
 * `evaluate` may only read, so it cannot check what `rollout-step` may write. `rollout-step` reports denied
 * permissions, and the report contains them until a rollout begins.
 */
const review = 'SelfSubjectAccessReview'

/** As this message says: it was denied just now. */
export const refusedIn = ({ reason, missing }: Evaluation): string[] | undefined =>
  reason === 'refused' ? missing : undefined

/** As the last report says. */
export const deniedIn = (last: Report | undefined): string[] | undefined =>
  last?.findings.find(({ evidence }) => evidence[0]?.object === review)?.evidence.flatMap(({ field }) => field ?? [])

/**
 * The permissions that were denied when a rollout last tried to begin, as long as it has not begun and something must
 * be changed.
 */
export const refusedBefore = (
  denied: string[] | undefined,
  { state, report }: { state: ClusterState; report: Report },
): string[] | undefined => {
  return !takesSteps(rolloutIn(state)) && (report.plan?.changes.length ?? 0) > 0 ? denied : undefined
}

export const withRefusal = (report: Report, missing: string[] | undefined): Report => {
  if (!missing) return report
  const { plan } = report
  return {
    ...report,
    findings: [...report.findings, refusalOf(missing)],
    ...(plan && { plan: { ...plan, changes: [], blockedBy: [...plan.blockedBy, 'ACCESS_DENIED'] } }),
  }
}

const spokeRemedy =
  "Roll the spoke's template out to the account with Changes=yes, or name viewerRoleArn alone for it in the deployment's accounts, so that it is only reported."

const refusalOf = (missing: string[]): Finding => ({
  code: 'ACCESS_DENIED',
  severity: 'warning',
  subject: 'rollout',
  message: `The cluster cannot be fixed: ${missing.includes(takingOperatorRole) ? 'STS' : 'it'} does not allow calico-ipvs-sync to ${missing.join(', ')}. Nothing was written.`,
  evidence: missing.map((field) => ({ object: review, field, value: 'denied' })),
  remedy: missing.includes(takingOperatorRole) ? spokeRemedy : accessRemedy,
})
