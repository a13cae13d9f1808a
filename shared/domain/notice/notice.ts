import { counted } from '../counted.ts'
import { plain, unlinked } from '../plain.ts'
import { tookFrom } from './duration.ts'
import type { NoticeKind } from './outgoing.ts'
import { commandOn } from '../findings/remedy.ts'
import type { Action } from '../policy/policy.ts'
import type { Finding, FindingCode, Plan, Report, Severity } from '../report.ts'

/** A message to people: plain text with the problem, the evidence, and what to do. */
export interface Notice {
  subject: string
  text: string
  severity: Severity
  kind: NoticeKind
}

/**
 * The state of a cluster that people must know, as one text: a notice is sent only when it changes, and it is empty
 * while all is well. `undefined`: not known yet, evaluate again after the change. `lasting`: a change that did not
 * end for hours.
 */
export const newsOf = ({ verdict, findings, plan }: Report, lasting = false): string | undefined => {
  const finishing = verdict === 'in-step' && (plan?.changes.length ?? 0) > 0
  if (finishing || (verdict === 'changing' && !lasting)) return undefined
  const codes = findings
    .filter(({ severity }) => severity !== 'info')
    .map(({ code, severity }) => `${severity} ${code}`)
  if (verdict === 'changing' && codes.length === 0) return undefined
  // A halt is reported at once, also while the cluster changes: the end of that change is no news.
  const isHalted = codes.some((it) => it.endsWith(' ROLLOUT_HALTED'))
  const standing = isHalted && verdict === 'changing' ? 'out-of-step' : verdict
  const bad = standing === 'in-step' || standing === 'not-applicable' ? [] : [standing]
  return [...bad, ...new Set(codes.toSorted())].join('; ')
}

/** Other facts about a cluster for its notice. */
export interface Circumstances {
  /** Why the change is not made yet. */
  waits?: string | undefined
  /** A rollout has halted, with the node if it is known. */
  halted?: Halted | undefined
  /** A person paused the rollout. */
  paused?: boolean | undefined
  /** A change in progress did not end for hours. */
  lasting?: boolean | undefined
  /** The command that stops all changes of the deployment at once. */
  brake?: string | undefined
  /** RFC 3339: when the problem was first seen. Absent: not known; then the notice has no start time. */
  since?: string | undefined
  /** The end of the notice: exceptions that apply or have ended. */
  remarks?: readonly string[]
}

/**
 * `pending`: not all is taken back yet. `release`: the brake keeps that from being done, and this releases it. `removed`: that
 * waits for calico-node, which was removed.
 */
export interface Halted {
  node?: string | undefined
  pending?: boolean
  /** What happened when, whether it was undone, what users notice: a paragraph each. Absent: no node is the reason. */
  happened?: string[]
  release?: string | undefined
  removed?: boolean
}

/** Who acts now. `nobody`: nothing needs or allows a change. */
type Acting = 'tool' | 'tool-later' | 'person' | 'nobody'

interface About extends Circumstances {
  report: Report
  action: Action
  acting: Acting
}

/** `lastNews`: of the last notice. `undefined`: there is nothing new. */
export const noticeOf = (
  report: Report,
  lastNews: string,
  action: Action,
  circumstances: Circumstances = {},
): Notice | undefined => {
  const news = newsOf(report, circumstances.lasting)
  if (news === undefined || news === lastNews) return undefined
  const about: About = { ...circumstances, report, action, acting: actingOn(report, action, circumstances) }
  // If only some of the problems ended, there is no notice; if all ended, there is.
  if ((about.acting === 'tool' || about.halted) && isPartOf(news, lastNews)) return undefined
  if (news === '') return titled(about, { kind: 'in-step', severity: 'info', text: goodNews(about) })
  const severity = about.halted ? 'critical' : worst(report.findings, report.verdict === 'unknown' ? 'warning' : 'info')
  return titled(about, { kind: about.halted ? 'halted' : 'trouble', severity, text: badNews(about) })
}

const titled = (about: About, { kind, severity, text }: Omit<Notice, 'subject'>): Notice => {
  const what = kind === 'in-step' ? 'Calico is in step again' : headline(about)
  return {
    subject: unlinked(`[${severity}] ${placeOf(about.report.cluster)}: ${what}`),
    text: unlinked(text),
    severity,
    kind,
  }
}

/** `prod (111122223333 eu-west-1)` */
export const placeOf = ({ name, account, region }: Report['cluster']): string => {
  const place = [account, region].filter(Boolean).join(' ')
  return place === '' ? name : `${name} (${place})`
}

const actingOn = ({ plan }: Report, action: Action, { waits, halted }: Circumstances): Acting => {
  if (halted) return 'person'
  if (!plan || (plan.changes.length === 0 && plan.blockedBy.length === 0)) return 'nobody'
  if (plan.blockedBy.length > 0 || action !== 'sync') return 'person'
  return waits === undefined ? 'tool' : 'tool-later'
}

const isPartOf = (news: string, lastNews: string): boolean =>
  news !== '' && news.split('; ').every((it) => lastNews.split('; ').includes(it))

const ofVerdict: Record<Report['verdict'], string> = {
  'in-step': 'Calico is in step, but look at this',
  'out-of-step': 'Calico is out of step with kube-proxy',
  unknown: 'cannot tell whether Calico is in step',
  changing: 'a change is under way',
  'not-applicable': 'nothing to keep in step, but look at this',
}

const headline = ({ report, halted, paused }: About): string => {
  if (halted) return `rollout halted${halted.node ? ` on ${halted.node}` : ''}`
  return paused ? 'rollout paused by hand' : ofVerdict[report.verdict]
}

const order: Severity[] = ['critical', 'warning', 'info']

const worst = (findings: Finding[], least: Severity): Severity =>
  order.find((severity) => severity === least || findings.some((it) => it.severity === severity)) ?? least

const goodNews = ({ report, since }: About): string => {
  const { cluster, desiredRange, observedAt } = report
  const took = since ? `, after ${tookFrom(since, observedAt)}` : ''
  return [
    `${placeOf(cluster)}: Calico is in step with kube-proxy${onNodes(report)}${took}. Nobody has to act.`,
    since && `It was not since ${since}.`,
    desiredRange && `Node ports: ${desiredRange.join(', ')}.`,
    asOf(report),
  ]
    .filter(Boolean)
    .join('\n')
}

/** Nodes without Calico, as those of Fargate, are not among those that are in step. */
const onNodes = ({ nodes }: Report): string => {
  const concerned = nodes.filter(({ verdict }) => verdict !== 'not-applicable').length
  if (concerned === 0) return ''
  const those = concerned === nodes.length ? '' : ' that it applies to'
  if (concerned === 1) return those === '' ? ' on its node' : ` on the node${those}`
  return ` on all ${concerned} nodes${those}`
}

const firstSeen = ({ since, report: { observedAt } }: About): string | undefined =>
  since === undefined || since === observedAt
    ? undefined
    : `First seen ${since}, ${tookFrom(since, observedAt)} before.`

/** Notices may arrive late, and in any order. */
const asOf = ({ observedAt }: Report): string => `As of ${observedAt}.`

const badNews = (about: About): string => {
  const { report, remarks = [], halted, brake } = about
  const shown = spokenOf(report)
  // Of a halt people first read what happened and whom it hurts.
  const [halt, rest] = halted && shown[0]?.code === 'ROLLOUT_HALTED' ? [shown[0], shown.slice(1)] : [undefined, shown]
  return [
    firstLine(about),
    ...(halt ? (halted?.happened ?? [halt.message]) : []),
    ...whatToDo(about),
    ...rest.map(({ severity, code, message }) => `${severity.toUpperCase()} ${code}: ${message}`),
    halt && evidenceOf(halt),
    halt && 'What it means: calico-ipvs-sync explain ROLLOUT_HALTED',
    forecastOf(about),
    halted &&
      !halted.release &&
      brake &&
      `To stop changes in all other clusters too, which this halt does not need: ${brake}`,
    ...remarks,
    firstSeen(about),
    asOf(report),
  ]
    .filter(Boolean)
    .join('\n\n')
}

const evidenceShown = 12

/** What its message does not say already. */
const evidenceOf = ({ message, evidence }: Finding): string | undefined => {
  const values = evidence.flatMap(({ value }) => (value === undefined || message.includes(value) ? [] : [`- ${value}`]))
  return values.length === 0 ? undefined : ['What was seen:', ...values.slice(0, evidenceShown)].join('\n')
}

/** A halt first: nothing else can be done before it. */
const spokenOf = ({ findings }: Report): Finding[] =>
  findings
    .filter(({ severity }) => severity !== 'info')
    .toSorted((a, b) => Number(b.code === 'ROLLOUT_HALTED') - Number(a.code === 'ROLLOUT_HALTED'))

const nodesInTurn: Record<Plan['strategy'], string> = {
  staged: 'node by node',
  canary: 'first on one node, then on all others at once',
  direct: 'on all nodes at once',
}

const whyNot = ({ release, removed }: Halted): string => {
  if (release) return ', for the brake is set'
  return removed ? ', for calico-node was removed from the cluster' : ''
}

/** The state, and who acts: the most important line of a notice. */
const firstLine = (about: About): string => {
  const { report, action, halted, waits } = about
  const { plan } = report
  const start = `${placeOf(report.cluster)}: ${headline(about)}.`
  if (halted?.pending) return `${start} What it wrote is not all undone yet${whyNot(halted)}. A person must act.`
  if (halted) return `${start} Nothing more is changed in this cluster until a person decides.`
  switch (about.acting) {
    case 'tool':
      return `${start} calico-ipvs-sync fixes it now, ${nodesInTurn[plan?.strategy ?? 'staged']}; nobody has to act. Another notice follows when it is done, or if it halts.`
    case 'tool-later':
      return `${start} calico-ipvs-sync will fix it, but not yet: ${plain(waits ?? '')}.`
    case 'person':
      if (about.paused) return `${start} Nothing more is changed there until a person resumes or aborts it.`
      return plan && plan.blockedBy.length > 0
        ? `${start} A person must act. Nothing will be changed: ${plan.blockedBy.join(', ')}.`
        : `${start} A person must act: the action of this cluster is ${action}, so calico-ipvs-sync changes nothing.`
    case 'nobody':
      return `${start} There is nothing that calico-ipvs-sync may change.`
  }
}

/**
 * Findings that a rollout fixes. A manual fix restarts Felix on every node at once, so it is not suggested during a
 * rollout.
 */
const fixedBySync: ReadonlySet<FindingCode> = new Set([
  'RANGE_DIFFERS',
  'RANGE_TOO_WIDE',
  'RANGE_SPEC_IGNORED',
  'FELIX_MISSED_MODE',
])

const whatToDo = (about: About): string[] => {
  const { account } = about.report.cluster
  const steps = [...new Set(stepsOf(about))].map(withoutRepeat)
  if (steps.length === 0) return []
  const todo = ['What to do:', ...steps.map((step, index) => `${index + 1}. ${step}`)].join('\n')
  return account !== undefined && steps.some((step) => byName.test(step)) ? [asAccount(account), todo] : [todo]
}

/** These find a cluster in the account of the shell's credentials, whichever that is. */
const byName = /^(?:calico-ipvs-sync .*--cluster |aws eks )/m
const asAccount = (account: string): string =>
  `Run the commands for this cluster with credentials of account ${account}: other accounts may have one of the same name.`

/** Several findings begin with the same command, which gives kubectl a context. Lines are not indented: some are a manifest. */
const withoutRepeat = (step: string, index: number, steps: string[]): string => {
  const [first = '', ...rest] = step.split('\n')
  const isSaid = steps.slice(0, index).some((earlier) => earlier.split('\n').includes(first))
  return isSaid && rest.length > 0 ? rest.join('\n') : step
}

/** Findings that block a change come first. The only suggested manual change is one at its source, in Git. */
const stepsOf = ({ report, halted, acting }: About): string[] => {
  const { plan, cluster, serviceRange } = report
  const { blockedBy = [], changes = [] } = plan ?? {}
  const first = (code: FindingCode): number => (code === 'ROLLOUT_HALTED' ? -1 : blockedBy.includes(code) ? 0 : 1)
  const isSaid = (code: FindingCode) => halted?.happened !== undefined && code === 'NODES_NOT_READY'
  const isAdvised = ({ code }: Finding): boolean =>
    !isSaid(code) && (!fixedBySync.has(code) || (plan !== undefined && isInGit(plan)))
  const remedies = spokenOf(report)
    .filter(isAdvised)
    .toSorted((a, b) => first(a.code) - first(b.code))
    .flatMap(({ remedy = '' }) => (remedy === '' ? [] : [remedy]))
  if (halted) return haltSteps(remedies, halted)
  return acting === 'person' && changes.length > 0
    ? [commandOn({ cluster }, 'sync', serviceRange), ...remedies]
    : remedies
}

/** The halt's remedy has two parts: how to look, and a decision. Its alternatives stay one step: only one of them may be run. */
const haltSteps = ([halt = '', ...others]: string[], { release }: Halted): string[] => {
  const [look = '', ...decision] = halt.split('\n\n')
  const brake = release === undefined ? [] : [`To have the rest undone, release the brake for all clusters: ${release}`]
  return [...brake, look, ...others, ...decision]
}

const isInGit = ({ blockedBy }: Plan): boolean => blockedBy.includes('OWNED_BY_GITOPS')

const forecastOf = ({ report: { plan }, acting }: About): string | undefined => {
  if (!plan || plan.changes.length === 0) return undefined
  const { felixRestarts, felixRestartsAtOnce, podRestarts, seconds } = plan.forecast
  const time = seconds === undefined ? '' : `; about ${Math.ceil(seconds / 60)} min`
  const what = acting === 'person' ? 'That' : 'The rollout'
  const atOnce = felixRestarts > 1 ? `, at most ${felixRestartsAtOnce} at a time` : ''
  const restarts = [
    ...(felixRestarts > 0 ? [`Felix on ${counted(felixRestarts, 'node')}${atOnce}`] : []),
    ...(podRestarts > 0 ? [counted(podRestarts, 'calico-node pod')] : []),
  ]
  return `${what} restarts ${restarts.length === 0 ? 'nothing' : restarts.join(atOnce === '' ? ' and ' : ', and ')}${time}.`
}
