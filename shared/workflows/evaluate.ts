import { createHash } from 'node:crypto'
import type { Records } from '../clients/records.ts'
import type { Notices } from '../clients/notices.ts'
import type { Queues } from '../clients/queues.ts'
import type { EksCluster } from '../clients/eks.ts'
import type { ClusterState } from '../domain/cluster.ts'
import { assess } from '../domain/assess.ts'
import { newsOf, noticeOf } from '../domain/notice.ts'
import { plan } from '../domain/plan.ts'
import { actionFor, type Action, type Policy } from '../domain/policy.ts'
import type { Read } from '../domain/read.ts'
import { failureOf, valueOf } from '../domain/read.ts'
import type { Report } from '../domain/report.ts'
import { parseRollout } from '../domain/rollout.ts'
import { clusterKey, type ClusterRef, type Evaluation } from '../messages.ts'

export interface EvaluateTools {
  describe: (cluster: ClusterRef) => Promise<Read<EksCluster | undefined>>
  observe: (cluster: ClusterRef, eks: Read<EksCluster>) => Promise<ClusterState>
  records: Records
  notices: Notices
  queues: Queues
  policy: Policy
  now: () => Date
  log: (event: string, facts: object) => void
}

/** Looks at one cluster, says whether Calico is in step, remembers it, tells people what is new, and sets a rollout going. */
export const evaluate = async (tools: EvaluateTools, message: Evaluation, messageId: string): Promise<void> => {
  const { cluster } = message
  const eks = await tools.describe(cluster)
  if ('value' in eks && eks.value === undefined) return tools.log('cluster is gone', { cluster: clusterKey(cluster) })
  const known = eks as Read<EksCluster>
  const action = actionFor(tools.policy, valueOf(known)?.state.tags)
  if (action === 'off') return tools.log('cluster is switched off', { cluster: clusterKey(cluster) })
  const state = await tools.observe(cluster, known)
  const assessment = assess(state, tools.policy)
  const report: Report = { ...assessment.report, plan: plan(assessment, state, tools.policy) }
  tools.log('assessed', {
    cluster: clusterKey(cluster),
    reason: message.reason,
    cause: message.cause,
    ...summaryOf(report, action),
  })
  if (report.verdict === 'changing') return follow(tools, message)
  await tell(tools, cluster, { report, action })
  if (action === 'sync') await goOn(tools, message, { state, report, messageId })
}

const summaryOf = (report: Report, action: Action) => ({
  verdict: report.verdict,
  action,
  findings: report.findings.map(({ code, severity, subject }) => ({ code, severity, subject })),
  changes: report.plan?.changes.length ?? 0,
  blockedBy: report.plan?.blockedBy,
})

/**
 * Told once: a report is stored only after its news were told, so the stored report is what people know; a claim keeps
 * two looks from saying the same thing at one time.
 */
const tell = async (
  tools: EvaluateTools,
  cluster: ClusterRef,
  { report, action }: { report: Report; action: Action },
) => {
  const key = clusterKey(cluster)
  if (newsOf(report) === undefined) return
  const last = await tools.records.lastReport(key)
  const told = (last && newsOf(last)) ?? ''
  const notice = noticeOf(report, told, action)
  if (notice) {
    const claim = { cluster: key, hash: digest([last?.observedAt, told, newsOf(report)]) }
    const now = () => tools.now().toISOString()
    const state = await tools.records.claim(claim, now())
    if (state === 'busy') throw new Error(`Another look at ${key} is telling people just now; this one is tried again.`)
    if (state === 'claimed') {
      await tools.notices.publish({ ...notice, attributes: attributesOf(report, notice.severity, cluster) })
      tools.log('told', { cluster: key, subject: notice.subject })
      await tools.records.confirm(claim, now())
    }
  }
  await tools.records.putReport(key, report)
}

const attributesOf = (
  { verdict }: Report,
  severity: 'critical' | 'warning' | 'info',
  { name, account, region }: ClusterRef,
) => ({
  severity,
  verdict,
  cluster: name,
  account,
  region,
})

const digest = (parts: unknown[]): string =>
  createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 32)

/** 5 s, 10 s, 20 s … 15 min, for some three hours; after that the schedule looks again anyway. */
const follow = async ({ queues, log }: EvaluateTools, { cluster, reason, cause, attempt = 0 }: Evaluation) => {
  if (attempt >= 18) return log('change takes very long; left to the schedule', { cluster: clusterKey(cluster) })
  // A rollout that waits goes on when the change is over.
  const why = reason === 'rollout' ? reason : 'follow'
  const message: Evaluation = { schemaVersion: 1, cluster, reason: why, attempt: attempt + 1 }
  await queues.sendEvaluation(
    { ...message, ...(cause && { cause }) },
    { delaySeconds: Math.min(5 * 2 ** attempt, 900) },
  )
}

/** Seconds without a renewal of the Lease after which a running rollout is taken to have lost its message. */
const silentSeconds = 600

/** Who aborts a rollout does not want it begun again by the next event. */
const restAfterAbortHours = 24

/**
 * Begins a rollout, or lets one that waits go on. A look that has nothing to do with a rollout leaves a live one alone,
 * so that many events never make it many chains of messages.
 */
const goOn = async (
  tools: EvaluateTools,
  { cluster, reason }: Evaluation,
  { state, report, messageId }: { state: ClusterState; report: Report; messageId: string },
) => {
  const { changes = [], blockedBy = [] } = report.plan ?? {}
  const record = valueOf(state.rollout)
  const rollout = parseRollout(record)
  const since = (at: string | undefined) => (tools.now().getTime() - Date.parse(at ?? '1970-01-01')) / 1000
  const goesOn = reason === 'rollout' || since(record?.renewedAt) > silentSeconds
  const send = (begin: boolean) => tools.queues.sendRolloutStep({ schemaVersion: 1, cluster, begin }, messageId)
  if (failureOf(state.rollout)) return
  switch (rollout?.state) {
    case 'aborting':
      return goesOn ? send(false) : undefined
    case 'running':
      return goesOn && blockedBy.length === 0 ? send(changes.length > 0) : undefined
    case 'paused':
    case 'halted':
      return
    case 'done':
    case 'aborted':
    case undefined: {
      const rests = rollout?.state === 'aborted' && since(rollout.finishedAt) < restAfterAbortHours * 3600
      if (!rests && changes.length > 0 && blockedBy.length === 0) await send(true)
    }
  }
}
