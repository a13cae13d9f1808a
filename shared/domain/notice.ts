import { plain, unlinked } from './plain.ts'
import { quoted } from './findings/remedy.ts'
import type { Action } from './policy.ts'
import type { Finding, Report, Severity } from './report.ts'

/** A message to people: plain text that says what is wrong, why we think so, and what to do. */
export interface Notice {
  subject: string
  text: string
  severity: Severity
}

/**
 * What people have to know about a cluster, as one text: while it stays the same they are told nothing, and while all
 * is well it is empty. `undefined`: cannot be said yet, look again when the change is over.
 */
export const newsOf = ({ verdict, findings, plan }: Report): string | undefined => {
  const finishing = verdict === 'in-step' && (plan?.changes.length ?? 0) > 0
  if (verdict === 'changing' || finishing) return undefined
  const codes = findings
    .filter(({ severity }) => severity !== 'info')
    .map(({ code, severity }) => `${severity} ${code}`)
  const bad = verdict === 'out-of-step' || verdict === 'unknown' ? [verdict] : []
  return [...bad, ...new Set(codes.toSorted())].join('; ')
}

/** What else bears on a cluster at this moment. */
export interface Circumstances {
  /** Why what is to be done is not done yet. */
  waits?: string | undefined
  /** Said after all else: exceptions that hold or have ended. */
  remarks?: readonly string[]
}

/** `told`: the news people had last. `undefined`: there is nothing to say. */
export const noticeOf = (
  report: Report,
  told: string,
  action: Action,
  about: Circumstances = {},
): Notice | undefined => {
  const news = newsOf(report)
  if (news === undefined || news === told) return undefined
  // One trouble less on the way is no news; the end is.
  if (isBeingPutRight(report, action, about) && isPartOf(news, told)) return undefined
  const where = unlinked(report.cluster.name)
  if (news === '')
    return { subject: `${where}: Calico is in step again`, text: unlinked(goodNews(report)), severity: 'info' }
  const severity = worst(report.findings, report.verdict === 'unknown' ? 'warning' : 'info')
  return { subject: `${where}: ${headline[report.verdict]}`, text: unlinked(badNews(report, action, about)), severity }
}

const isBeingPutRight = ({ plan }: Report, action: Action, { waits }: Circumstances): boolean =>
  action === 'sync' &&
  waits === undefined &&
  plan !== undefined &&
  plan.changes.length > 0 &&
  plan.blockedBy.length === 0

const isPartOf = (news: string, told: string): boolean =>
  news !== '' && news.split('; ').every((it) => told.split('; ').includes(it))

const headline: Record<Report['verdict'], string> = {
  'in-step': 'Calico is in step, but look at this',
  'out-of-step': 'Calico is out of step with kube-proxy',
  unknown: 'cannot tell whether Calico is in step',
  changing: 'a change is under way',
  'not-applicable': 'nothing to keep in step, but look at this',
}

const order: Severity[] = ['critical', 'warning', 'info']

const worst = (findings: Finding[], least: Severity): Severity =>
  order.find((severity) => severity === least || findings.some((it) => it.severity === severity)) ?? least

const goodNews = ({ cluster, desiredRange, nodes }: Report): string =>
  [
    `${title(cluster)}: Calico is in step with kube-proxy on all ${nodes.length} nodes.`,
    desiredRange && `Node ports: ${desiredRange.join(', ')}.`,
  ]
    .filter(Boolean)
    .join('\n')

const badNews = (report: Report, action: Action, { waits, remarks = [] }: Circumstances): string => {
  const told = report.findings.filter(({ severity }) => severity !== 'info')
  const parts = told.map(({ severity, code, message, remedy }) =>
    [`${severity.toUpperCase()} ${code}: ${message}`, remedy && `  To mend it: ${remedy}`].filter(Boolean).join('\n'),
  )
  return [
    `${title(report.cluster)}: ${report.verdict}`,
    ...parts,
    nextUp(report, action, waits && plain(waits)),
    ...remarks,
  ]
    .filter(Boolean)
    .join('\n\n')
}

const title = ({ name, region, account }: Report['cluster']): string =>
  `${name}${region ? ` (${[account, region].filter(Boolean).join(', ')})` : ''}`

/** What happens now, and by whom. */
const nextUp = ({ plan, cluster }: Report, action: Action, waits: string | undefined): string | undefined => {
  if (!plan) return undefined
  if (plan.blockedBy.length > 0) return `Nothing will be changed: ${plan.blockedBy.join(', ')}.`
  if (plan.changes.length === 0) return undefined
  const { felixRestarts, felixRestartsAtOnce, podRestarts, seconds } = plan.forecast
  const disturbs = `Felix restarts on ${felixRestarts} nodes, at most ${felixRestartsAtOnce} at a time; ${podRestarts} calico-node pods are restarted${seconds === undefined ? '' : `; about ${Math.ceil(seconds / 60)} min`}.`
  if (action === 'sync' && waits) return `It will be put right, but not yet: ${waits}. ${disturbs}`
  if (action === 'sync') return `It is being put right now. ${disturbs}`
  const region = cluster.region ? ` --region ${quoted(cluster.region)}` : ''
  return `To put it right: calico-ipvs-sync sync --cluster ${quoted(cluster.name)}${region}\n${disturbs}`
}
