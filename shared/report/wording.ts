import { counted } from '../domain/counted.ts'
import { plain, plainLines } from '../domain/plain.ts'
import type { ClusterIdentity, Report, ServiceRange, Severity, Sweep, Verdict } from '../domain/report.ts'

/** What people read, the same in every format. */
export const verdictWords: Record<Verdict, string> = {
  'in-step': 'in step',
  'out-of-step': 'out of step',
  changing: 'changing',
  'not-applicable': 'not applicable',
  unknown: 'unknown',
}

/** Worst first; `not-applicable` counts only where everything is. */
export const verdicts: readonly Verdict[] = ['out-of-step', 'unknown', 'changing', 'in-step', 'not-applicable']
export const severities: readonly Severity[] = ['critical', 'warning', 'info']

export const clustersOf = (document: Report | Pick<Sweep, 'clusters'>): Report[] =>
  'clusters' in document ? document.clusters : [document]

export const worstVerdict = (document: Report | Pick<Sweep, 'clusters'>): Verdict => {
  const seen = new Set(clustersOf(document).map(({ verdict }) => verdict))
  return verdicts.find((verdict) => seen.has(verdict)) ?? 'unknown'
}

/** Nobody could count its nodes: it must not look like a cluster that has none. */
export const isUnread = ({ verdict, nodes }: Report): boolean => verdict === 'unknown' && nodes.length === 0

/** Clusters worst first, then by name. */
export const worstFirst = (clusters: readonly Report[]): Report[] =>
  clusters.toSorted(
    (a, b) => verdicts.indexOf(a.verdict) - verdicts.indexOf(b.verdict) || compareText(a.cluster.name, b.cluster.name),
  )

/** The same order on every machine, whatever its locale; numbers inside names count as numbers. */
const collator = new Intl.Collator('en', { numeric: true })
export const compareText = (a: string, b: string): number => collator.compare(a, b)

export { counted, plain, plainLines }

/** `eu-central-1 · 123456789012`, or the kubeconfig context, or nothing. */
export const whereabouts = ({ region, account, context, name }: ClusterIdentity): string => {
  const aws = [region, account].filter((part) => part !== undefined)
  if (aws.length > 0) return plain(aws.join(' · '))
  return context !== undefined && context !== name ? plain(`context ${context}`) : ''
}

const sourceWords: Record<ServiceRange['source'], string> = {
  'eks-api': 'EKS API',
  default: 'assumed: the default',
  probe: 'asked the API server',
  flag: 'given',
}
export const serviceRangeText = ({ min, max, source }: ServiceRange): string => `${min}:${max} (${sourceWords[source]})`

/** `20000:32767, 40000`; a long list is cut, since only its being long matters to a reader. */
export const rangeText = (ranges: readonly string[] | undefined, most = 4): string => {
  if (!ranges) return ''
  if (ranges.length === 0) return 'none'
  const shown = ranges.slice(0, most).map(plain)
  return shown.join(', ') + (ranges.length > most ? ` and ${ranges.length - most} more` : '')
}

/** More than three lines of a page. */
const longParagraph = 240
/** `For users: urgent.` belongs to what follows. */
const briefSentence = 40

/** A long message sentence by sentence: what happened, whether it is undone, whom it hurts. */
export const paragraphs = (message: string): string[] => {
  const all: string[] = []
  for (const sentence of message.length <= longParagraph ? [message] : message.split(/(?<=\.) (?=\p{Lu})/u)) {
    const last = all.at(-1)
    if (last !== undefined && last.length < briefSentence) all[all.length - 1] = `${last} ${sentence}`
    else all.push(sentence)
  }
  return all
}

/** `2 of 3 nodes` have the cluster's verdict, of those to which Calico applies; nothing where there are none, as in a cluster that is being updated. */
export const nodesConcerned = ({ verdict, nodes }: Pick<Report, 'verdict' | 'nodes'>): string => {
  const all = verdict === 'not-applicable' ? nodes : nodes.filter((node) => node.verdict !== 'not-applicable')
  const concerned = all.filter((node) => node.verdict === verdict).length
  return concerned === 0 ? '' : `${concerned} of ${counted(all.length, 'node')}`
}

/** `48 in step, 2 out of step`: worst first, only what there is. */
export const tally = (all: readonly Verdict[]): string =>
  verdicts
    .map((verdict) => [all.filter((one) => one === verdict).length, verdictWords[verdict]] as const)
    .filter(([count]) => count > 0)
    .map(([count, words]) => `${count} ${words}`)
    .join(', ')

/** `45 s`, `9 min`, `2 h 5 min`, `6 days 15 h`: a forecast is not exact to the second. */
export const duration = (seconds: number): string => {
  if (seconds < 90) return `${Math.round(seconds)} s`
  const minutes = Math.round(seconds / 60)
  if (minutes < 120) return `${minutes} min`
  const hours = Math.floor(minutes / 60)
  if (hours < 48) return `${hours} h${minutes % 60 === 0 ? '' : ` ${minutes % 60} min`}`
  return `${Math.floor(hours / 24)} days${hours % 24 === 0 ? '' : ` ${hours % 24} h`}`
}
