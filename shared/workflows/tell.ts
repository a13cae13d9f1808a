import { createHash } from 'node:crypto'
import type { OutgoingNotice } from '../clients/notices.ts'
import { endedSince, type Excepted, exceptionsFor, isSilenced, said, withExceptions } from '../domain/exception.ts'
import { newsOf, noticeOf } from '../domain/notice.ts'
import type { Action } from '../domain/policy.ts'
import type { Report } from '../domain/report.ts'
import { clusterKey, type ClusterRef } from '../messages.ts'
import type { EvaluateTools } from './evaluate.ts'

export interface Telling {
  report: Report
  /** What people know. */
  last: Report | undefined
  action: Action
  waits: string | undefined
  /** A rollout has halted, on that node where it is known. */
  halted?: { node?: string | undefined } | undefined
}

/**
 * Told once: a report is stored only after its news were told, so the stored report is what people know; a claim keeps
 * two looks from saying the same thing at one time. What is excepted is stored as such and told when the exception ends.
 */
export const tell = async (tools: EvaluateTools, cluster: ClusterRef, about: Telling): Promise<void> => {
  const { last, action, waits, halted } = about
  const key = clusterKey(cluster)
  const now = Date.parse(about.report.observedAt)
  const excepted = exceptionsFor(tools.policy.exceptions, cluster, now)
  const report = withExceptions(about.report, excepted)
  if (newsOf(report) === undefined) return
  if (isSilenced(about.report, excepted)) {
    tools.log('excepted', { cluster: key, exceptions: remarksOn(excepted) })
  } else {
    const ended = last ? endedSince(tools.policy.exceptions, cluster, { since: Date.parse(last.observedAt), now }) : []
    for (const it of ended) tools.log('exception ended', { ...it, cluster: key })
    const remarks = [
      ...remarksOn(excepted),
      ...ended.map((it) => `No longer excepted, since ${it.until}: ${it.reason}`),
    ]
    const notice = noticeOf(report, (last && newsOf(last)) ?? '', action, {
      waits,
      halted,
      brake: tools.brake?.command('report'),
      remarks,
    })
    if (notice) await publish(tools, cluster, { notice, report, last })
  }
  await tools.records.putReport(key, report)
}

const remarksOn = ({ cluster, codes }: Excepted): string[] => [
  ...(cluster ? [said(cluster)] : []),
  ...Array.from(codes, ([code, it]) => `${code} is not spoken of. ${said(it)}`),
]

const publish = async (
  tools: EvaluateTools,
  cluster: ClusterRef,
  {
    notice,
    report,
    last,
  }: { notice: NonNullable<ReturnType<typeof noticeOf>>; report: Report; last: Report | undefined },
) => {
  const told = (last && newsOf(last)) ?? ''
  const attributes = attributesOf(report, notice.severity, cluster)
  const about = [last?.observedAt, told, newsOf(report)]
  await tellOnce(tools, clusterKey(cluster), { notice: { ...notice, attributes }, about })
}

/** What makes it the same notice is `about`: of two that say so at one time, one is sent. Throws while another sends it. */
export const tellOnce = async (
  tools: Pick<EvaluateTools, 'records' | 'notices' | 'now' | 'log'>,
  key: string,
  { notice, about }: { notice: OutgoingNotice; about: unknown[] },
): Promise<void> => {
  const claim = { cluster: key, hash: digest(about) }
  const now = () => tools.now().toISOString()
  const state = await tools.records.claim(claim, now())
  if (state === 'busy') throw new Error(`Another look at ${key} is telling people just now; this one is tried again.`)
  if (state !== 'claimed') return
  await tools.notices.publish({ ...notice, attributes: { ...notice.attributes, notice: claim.hash } })
  tools.log('told', { cluster: key, subject: notice.subject })
  await tools.records.confirm(claim, now())
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
