import { createHash } from 'node:crypto'
import type { Incident } from '../../clients/aws/incidents.ts'
import type { Queues } from '../../clients/aws/queues.ts'
import type { Records, StoredReport } from '../../clients/aws/records.ts'
import {
  endedSince,
  type Excepted,
  exceptionsFor,
  isSilenced,
  said,
  withExceptions,
} from '../../domain/policy/exception.ts'
import type { Incarnation } from '../../domain/incarnation.ts'
import { type Halted, newsOf, type Notice, noticeOf } from '../../domain/notice/notice.ts'
import type { OutgoingNotice } from '../../domain/notice/outgoing.ts'
import { type Milestone, progressNotice } from '../../domain/notice/progress.ts'
import type { Action } from '../../domain/policy/policy.ts'
import type { Report } from '../../domain/report.ts'
import { clusterKey, type ClusterRef } from '../../messages.ts'
import type { EvaluateTools } from './tools.ts'

export interface Assessed {
  report: Report
  /** What people know. */
  last: StoredReport | undefined
  incarnation: Incarnation
  action: Action
  waits?: string | undefined
  /** A change in progress did not end for hours. */
  lasting?: boolean
  /** A rollout is in progress: the notice that all is well follows at its end. */
  unfinished?: boolean
  /** A rollout has halted, with the node if it is known. */
  halted?: Halted | undefined
  /** A person paused the rollout. */
  paused?: boolean
  /** `KEY=VALUE` of the cluster's tags, for routes; absent: EKS did not return them. */
  tags?: string[] | undefined
  /** Of a rollout under way. */
  progress?: Milestone | undefined
}

/**
 * Each notice is sent once: a report is stored only after its notices, so the stored report is what people know; a
 * claim prevents two concurrent evaluations from sending the same notice. Excepted findings are stored as such and
 * notified when the exception ends.
 */
export const tell = async (tools: EvaluateTools, cluster: ClusterRef, about: Assessed): Promise<void> => {
  const { last, action, waits, halted, paused, lasting } = about
  const key = clusterKey(cluster)
  const now = Date.parse(about.report.observedAt)
  // A slow evaluation: people know what is so since.
  if (last && Date.parse(last.observedAt) > now) return
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
    // An evaluation may have died after it had told them of a problem: then they hear of its end.
    const lastNews = (news === '' && last?.begun) || lastNewsOf(last)
    const isWell = news === '' && lastNews === ''
    const incident = isWell ? undefined : await incidentOf(tools, cluster, { ...about, lastNews })
    const notice = noticeOf(report, lastNews, action, {
      waits,
      halted,
      paused,
      lasting,
      brake: tools.brake?.command('report'),
      since: incident?.since,
      remarks,
    })
    if (notice) await publish(tools, cluster, { ...about, notice, report, incident })
    else if (incident && about.progress) await tellProgress(tools, cluster, { ...about, incident })
  }
  await tools.records.putReport(key, report)
}

/** A recorded change is one that has lasted for hours. */
const lastNewsOf = (last: Report | undefined): string => (last && newsOf(last, true)) ?? ''

const remarksOn = ({ cluster, codes }: Excepted): string[] => [
  ...(cluster ? [said(cluster)] : []),
  ...Array.from(codes, ([code, it]) => `${code} is not reported. ${said(it)}`),
]

/**
 * The incident of a notice. It begins with the first news after none; a repetition after a crash (`after`: the same
 * report was the last one) has the same incident.
 */
const incidentOf = async (
  { records, now }: EvaluateTools,
  cluster: ClusterRef,
  { report: { observedAt }, last, incarnation, tags, lastNews }: Assessed & { lastNews: string },
): Promise<Incident> => {
  const key = clusterKey(cluster)
  const known = await records.incident(key)
  const after = last?.observedAt ?? ''
  if (known && (lastNews !== '' || known.after === after)) return known
  // An incident that began before incidents were recorded.
  const since = lastNews === '' || !last ? observedAt : last.observedAt
  const begun = { id: digest([key, incarnation, since]), since, after, tags: tags ?? known?.tags ?? [] }
  await records.putIncident(key, begun, now().toISOString())
  return begun
}

const publish = async (
  tools: EvaluateTools,
  cluster: ClusterRef,
  {
    notice,
    report,
    last,
    incarnation,
    lasting,
    incident,
  }: Assessed & { notice: Notice; incident?: Incident | undefined },
) => {
  const [lastNews, news] = [lastNewsOf(last), newsOf(report, lasting)]
  if (last && news && lastNews === '') await tools.records.putBegun(clusterKey(cluster), last, news)
  // Notices about an earlier cluster with this name do not count for this one.
  const about = [incarnation, last?.observedAt, lastNews, news]
  await tellOnce(tools, clusterKey(cluster), { notice: outgoing(notice, { cluster, report, incident }), about })
}

const tellProgress = async (
  tools: EvaluateTools,
  cluster: ClusterRef,
  { report, progress, incident }: Assessed & { incident: Incident },
): Promise<void> => {
  if (!progress || incident.milestone === progress.milestone) return
  const notice = outgoing(progressNotice(report, progress, incident.since), { cluster, report, incident })
  await tellOnce(tools, clusterKey(cluster), { notice, about: ['progress', incident.id, progress.milestone] })
  const { milestone } = progress
  await tools.records.putIncident(clusterKey(cluster), { ...incident, milestone }, tools.now().toISOString())
}

const outgoing = (
  { subject, text, severity, kind }: Notice,
  { cluster, report, incident }: { cluster: ClusterRef; report: Report; incident?: Incident | undefined },
): OutgoingNotice => {
  const { name, account, region } = cluster
  const { verdict, observedAt, findings } = report
  const codes = findings.filter((it) => it.severity !== 'info').map(({ code }) => code)
  const causes = kind === 'trouble' || kind === 'halted' ? [...new Set(codes.length > 0 ? codes : [verdict])] : [kind]
  return {
    subject,
    text,
    attributes: { severity, kind, verdict, cluster: name, account, region, ...(incident && { tag: incident.tags }) },
    about: { at: observedAt, causes, ...(incident && { incident: incident.id, since: incident.since }) },
  }
}

/**
 * Records a notice and queues a message that sends it. `about` identifies it among those of the cluster: a repetition
 * has the same record and is sent once. Notices of all clusters wait together, so the hash contains the cluster.
 */
export const tellOnce = async (
  tools: { records: Pick<Records, 'keepNotice'>; queues: Pick<Queues, 'sendTelling'>; now: () => Date },
  cluster: string,
  { notice, about }: { notice: OutgoingNotice; about: unknown[] },
): Promise<void> => {
  const key = { cluster, hash: digest([cluster, ...about]) }
  const attributes = { ...notice.attributes, notice: key.hash }
  await tools.records.keepNotice(key, { ...notice, attributes }, tools.now().toISOString())
  await tools.queues.sendTelling({ schemaVersion: 1, tell: key })
}

const digest = (parts: unknown[]): string =>
  createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 32)
