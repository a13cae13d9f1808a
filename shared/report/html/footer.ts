import manifest from '../../../package.json' with { type: 'json' }
import { isUnread } from '../../domain/finding-codes.ts'
import type { Report } from '../../domain/report.ts'
import { counted } from '../wording.ts'
import { html } from './markup.ts'
import type { Markup } from './markup.ts'

/** Who made the page, between when and when the clusters were read, and what could not be read. */
export const footer = (clusters: readonly Report[]): Markup => {
  const times = clusters.map(({ observedAt }) => observedAt).toSorted()
  const [first, last] = [times[0], times.at(-1)]
  const read = first === undefined ? '' : first === last ? `Read at ${first}.` : `Read between ${first} and ${last}.`
  return html`<footer><p>Made by calico-ipvs-sync ${manifest.version}. ${read}${slowestText(clusters)} Times are UTC where they end in Z.
${unreadText(clusters)}</p></footer>`
}

/** Where one of many takes long, all wait for it. */
const slowestText = (clusters: readonly Report[]): string => {
  const [slowest] = clusters.toSorted((a, b) => (b.readSeconds ?? -1) - (a.readSeconds ?? -1))
  if (clusters.length < 2 || slowest?.readSeconds === undefined) return ''
  return ` The slowest, ${slowest.cluster.name}, was read in ${slowest.readSeconds} s.`
}

const unreadText = (clusters: readonly Report[]): string => {
  const unread = clusters.filter(({ findings }) => findings.some(({ code }) => isUnread(code)))
  if (unread.length === 0) return 'Everything that the verdicts need could be read.'
  if (clusters.length === 1) return 'Not everything could be read; the findings say what.'
  const names = unread.slice(0, mostNames).map(({ cluster }) => cluster.name)
  const more = unread.length - names.length
  return `Not everything could be read of ${counted(unread.length, 'cluster')}: ${names.join(', ')}${more > 0 ? ` and ${more} more` : ''}.`
}

const mostNames = 20
