import { createHash } from 'node:crypto'
import type { OutgoingNotice } from '../../clients/aws/notices.ts'
import type { Queues } from '../../clients/aws/queues.ts'
import type { Records } from '../../clients/aws/records.ts'
import {
  endedSince,
  type Excepted,
  exceptionsFor,
  isSilenced,
  said,
  withExceptions,
} from '../../domain/policy/exception.ts'
import type { Incarnation } from '../../domain/incarnation.ts'
import { newsOf, noticeOf } from '../../domain/notice/notice.ts'
import type { Action } from '../../domain/policy/policy.ts'
import type { Report } from '../../domain/report.ts'
import { PermanentError, RetryLaterError } from '../../errors.ts'
import { clusterKey, type ClusterRef, type Telling } from '../../messages.ts'
import type { EvaluateTools } from './tools.ts'

export interface Assessed {
  report: Report
  /** What people know. */
  last: Report | undefined
  incarnation: Incarnation
  action: Action
  waits?: string | undefined
  /** A change that is under way did not end for hours. */
  lasting?: boolean
  /** A rollout is under way: that all is well is told when it is over. */
  unfinished?: boolean
  /** A rollout has halted, on that node where it is known. */
  halted?: { node?: string | undefined } | undefined
}

/**
 * Told once: a report is stored only after its news were told, so the stored report is what people know; a claim keeps
 * two looks from saying the same thing at one time. What is excepted is stored as such and told when the exception ends.
 */
export const tell = async (tools: EvaluateTools, cluster: ClusterRef, about: Assessed): Promise<void> => {
  const { last, action, waits, halted, lasting } = about
  const key = clusterKey(cluster)
  const now = Date.parse(about.report.observedAt)
  const excepted = exceptionsFor(tools.policy.exceptions, cluster, now)
  const report = withExceptions(about.report, excepted)
  const news = newsOf(report, lasting)
  if (news === undefined || (news === '' && about.unfinished)) return
  if (isSilenced(about.report, excepted)) {
    tools.log('excepted', { cluster: key, exceptions: remarksOn(excepted) })
  } else {
    const ended = last ? endedSince(tools.policy.exceptions, cluster, { since: Date.parse(last.observedAt), now }) : []
    for (const it of ended) tools.log('exception ended', { ...it, cluster: key })
    const remarks = [
      ...remarksOn(excepted),
      ...ended.map((it) => `No longer excepted, since ${it.until}: ${it.reason}`),
    ]
    const notice = noticeOf(report, toldOf(last), action, {
      waits,
      halted,
      lasting,
      brake: tools.brake?.command('report'),
      remarks,
    })
    if (notice) await publish(tools, cluster, { ...about, notice, report })
  }
  await tools.records.putReport(key, report)
}

/** A change that is on record is one that lasted. */
const toldOf = (last: Report | undefined): string => (last && newsOf(last, true)) ?? ''

const remarksOn = ({ cluster, codes }: Excepted): string[] => [
  ...(cluster ? [said(cluster)] : []),
  ...Array.from(codes, ([code, it]) => `${code} is not spoken of. ${said(it)}`),
]

const publish = async (
  tools: EvaluateTools,
  cluster: ClusterRef,
  { notice, report, last, incarnation, lasting }: Assessed & { notice: NonNullable<ReturnType<typeof noticeOf>> },
) => {
  const told = toldOf(last)
  const attributes = attributesOf(report, notice.severity, cluster)
  // What was said of an earlier cluster of the name was not said of this one.
  const about = [incarnation, last?.observedAt, told, newsOf(report, lasting)]
  await tellOnce(tools, clusterKey(cluster), { notice: { ...notice, attributes }, about })
}

/**
 * Puts a notice on record and has a message of its own send it. What makes it the same notice is `about`: said again, it is
 * the same record, and sent once.
 */
export const tellOnce = async (
  tools: { records: Pick<Records, 'keepNotice'>; queues: Pick<Queues, 'sendTelling'>; now: () => Date },
  cluster: string,
  { notice, about }: { notice: OutgoingNotice; about: unknown[] },
): Promise<void> => {
  const key = { cluster, hash: digest(about) }
  const attributes = { ...notice.attributes, notice: key.hash }
  await tools.records.keepNotice(key, { ...notice, attributes }, tools.now().toISOString())
  await tools.queues.sendTelling({ schemaVersion: 1, tell: key })
}

/**
 * Sends a notice that is on record, once: of two messages that say so at one time, one does. Throws `RetryLaterError` where
 * SNS refuses or another is just sending it, so that its message comes again.
 */
export const sendNotice = async (
  tools: Pick<EvaluateTools, 'records' | 'notices' | 'now' | 'log'>,
  { tell: key }: Telling,
): Promise<void> => {
  const now = () => tools.now().toISOString()
  const notice = await tools.records.keptNotice(key)
  if (!notice) throw new PermanentError(`The notice ${key.hash} of ${key.cluster} is not on record.`)
  const state = await tools.records.claim(key, now())
  if (state === 'busy') throw new RetryLaterError(`Another message is sending the notice ${key.hash} just now.`, 60)
  if (state === 'told') return
  try {
    await tools.notices.publish(notice)
  } catch (error) {
    await tools.records.release(key, now())
    throw new RetryLaterError(
      `SNS did not take the notice: ${error instanceof Error ? error.message : String(error)}`,
      30,
    )
  }
  tools.log('told', { cluster: key.cluster, subject: notice.subject })
  await tools.records.confirm(key, now())
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
