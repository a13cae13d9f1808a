import type { History, Write } from '../../domain/history/history.ts'
import { html as markup, type Markup } from '../html/markup.ts'
import { page } from '../html/page.ts'
import { badge, cellText, type Column, table } from '../html/pieces.ts'
import { timeline } from '../html/pictures/timeline.ts'
import { verdictsOverTime } from '../html/pictures/verdicts-over-time.ts'
import { whereabouts } from '../wording.ts'
import {
  changeText,
  claimedText,
  findingsText,
  gapText,
  minute,
  second,
  summaryOf,
  nodesText,
  rangesText,
  remarksOf,
  type Row,
  rowsOf,
} from './wording.ts'

/** One self-contained page, like the reports, for an auditor. */
export const historyHtml = (history: History): string => {
  const { cluster, from, to, writes } = history
  return page(`${cluster.name}: ${minute(from)} to ${minute(to)}`, {
    head: [cluster.name, whereabouts(cluster), `${minute(from)} to ${minute(to)} UTC`],
    body: [
      markup`<header><p class="tool">calico-ipvs-sync</p>
<h1>${cluster.name}</h1>
<p class="where">${whereabouts(cluster)} · ${minute(from)} to ${minute(to)} UTC</p>
<p class="lead">${summaryOf(history)}</p></header>
<main>${verdictsOverTime(history)}
<section><h2>Results</h2>${table('In chronological order', seenColumns, rowsOf(history).map(seenRow))}
${remarksOf(history).map((text) => markup`<p class="where">${text}</p>`)}</section>
<section><h2>Writes</h2>${writes.length === 0 ? markup`<p>Nothing was written.</p>` : table('Oldest first; recorded by the function that wrote it, unless something else is said', writeColumns, writes.map(writeRow))}
${rolloutsOf(history)}</section></main>`,
    ],
  })
}

/** The last ones; all of their writes are in the table. */
const mostRollouts = 5

const rolloutsOf = ({ writes }: History): Markup[] => {
  const rollouts = new Map<string, Write[]>()
  for (const write of writes) {
    const all = rollouts.get(write.rollout)
    if (all) all.push(write)
    else rollouts.set(write.rollout, [write])
  }
  return [...rollouts.values()].slice(-mostRollouts).flatMap((all) => timeline(withLost(all)) ?? [])
}

const withLost = (writes: readonly Write[]) => {
  const lost = writes
    .find(({ what, object }) => what === 'halt' && object.startsWith('Node/'))
    ?.object.slice('Node/'.length)
  return { writes, ...(lost !== undefined && { lost }) }
}

const seenColumns: readonly Column[] = [
  { head: 'Verdict' },
  { head: 'From', holds: 'figures' },
  { head: 'To', holds: 'figures' },
  { head: 'Looks', holds: 'figures' },
  { head: 'Nodes' },
  { head: 'Findings' },
  { head: 'Desired range', holds: 'figures' },
]

const seenRow = (row: Row) => {
  if ('gap' in row) {
    const { from, to } = row.gap
    const none: (Markup | undefined)[] = [undefined, cellText(gapText(row.gap))]
    return {
      verdict: 'unknown' as const,
      cells: [markup`no look`, ...[minute(from), minute(to)].map(cellText), ...none],
    }
  }
  const { interval: it } = row
  const texts = [minute(it.from), minute(it.until), it.looks, nodesText(it), findingsText(it), rangesText(it)]
  return { verdict: it.verdict, cells: [badge(it.verdict), ...texts.map(cellText)] }
}

const writeColumns: readonly Column[] = [
  { head: 'When', holds: 'figures' },
  { head: 'What', holds: 'words' },
  { head: 'Object', holds: 'text' },
  { head: 'Change', holds: 'text' },
  { head: 'By', holds: 'text' },
  { head: 'Why' },
  { head: 'Rollout' },
  { head: 'On record', holds: 'text' },
]

const writeRow = (write: Write) => {
  const { at, what, object, by, why, rollout, claimed } = write
  const claim = claimed ? claimedText : undefined
  return {
    verdict: 'in-step' as const,
    cells: [
      ...[second(at), what].map(cellText),
      objectName(object),
      // One sign, which no line's end parts.
      ...[changeText(write).replace('->', '→'), by].map(cellText),
      ...[why, rollout].map(wholeWord),
      cellText(claim),
    ],
  }
}

/** Broken behind its kind, so that the names of nodes stand one below the other; what is longer than any node's name is broken anywhere. */
const objectName = (object: string): Markup => {
  const at = object.lastIndexOf('/') + 1
  const [kind, name] = [object.slice(0, at), object.slice(at)]
  return markup`<span>${kind}<wbr><span class="name${name.length > 54 ? '' : ' whole'}">${name}</span></span>`
}

/** A finding's code and a rollout's id are not broken; a sentence is. */
const wholeWord = (text: string | undefined): Markup | undefined =>
  text !== undefined && /^\w{1,32}$/.test(text) ? markup`<span class="whole">${text}</span>` : cellText(text)
