import type { History } from '../../../domain/history/history.ts'
import type { Verdict } from '../../../domain/report.ts'
import { counted, verdicts, verdictWords } from '../../wording.ts'
import { html } from '../markup.ts'
import type { Markup } from '../markup.ts'
import { figure, key, percent, picture } from './figure.ts'

/** Height differs by verdict as the colour does: what needs somebody stands tall. */
const heights: Record<Verdict, number> = {
  'out-of-step': 24,
  unknown: 18,
  changing: 14,
  'in-step': 8,
  'not-applicable': 4,
}
const tall = 26

/** One line from the first moment to the last: verdicts as long as they were seen, gaps as gaps, writes as marks below. */
export const verdictsOverTime = ({ from, to, readAt, intervals, gaps, writes }: History): Markup | undefined => {
  const [start, end] = [Date.parse(from), Math.min(Date.parse(to), Math.max(Date.parse(readAt), Date.parse(from) + 1))]
  if (Number.isNaN(start) || !(end > start) || intervals.length === 0) return undefined
  const share = (at: string): number => Math.min(Math.max((Date.parse(at) - start) / (end - start), 0), 1)
  const bar = (kind: string, span: readonly [string, string], height: number, title: string): Markup =>
    html`<rect class="${kind}" x="${percent(share(span[0]))}" width="${percent(Math.max(share(span[1]) - share(span[0]), 0.002))}" y="${tall - height}" height="${height}"><title>${title}</title></rect>`
  const seen = verdicts.filter((verdict) => intervals.some((it) => it.verdict === verdict))
  const words = seen.map((verdict) => verdictWords[verdict]).join(', ')
  const counts = `${counted(gaps.length, 'gap')}; ${counted(writes.length, 'write')}`
  return html`<div class="when">${figure('Verdicts, and what was written', [
    picture(`from ${day(from)} to ${day(to)}: ${words}; ${counts}`, tall + 14, [
      ...gaps.slice(0, most).map((it) => bar('gap', [it.from, it.to], tall - 2, `no look from ${it.from} to ${it.to}`)),
      ...intervals
        .slice(0, most)
        .map(({ verdict, from: begin, until }) =>
          bar(verdict, [begin, until], heights[verdict], `${verdictWords[verdict]} from ${begin} to ${until}`),
        ),
      ...writes
        .slice(0, most)
        .map(
          ({ at, what }) =>
            html`<text class="step" x="${percent(share(at))}" y="${tall + 12}" text-anchor="middle">▲<title>${what} ${at}</title></text>`,
        ),
    ]),
    html`<p class="times"><span>${day(from)}</span><span>${day(to)}</span></p>`,
    key([
      ...seen.map((verdict) => ({
        shape: html`<rect class="${verdict}" x="1" y="${12 - heights[verdict] / 2}" width="14" height="${heights[verdict] / 2}"/>`,
        words: verdictWords[verdict],
      })),
      ...(gaps.length > 0
        ? [{ shape: html`<rect class="gap" x="1" y="1" width="14" height="10"/>`, words: 'nobody looked' }]
        : []),
      ...(writes.length > 0
        ? [{ shape: html`<text class="step" x="8" y="11" text-anchor="middle">▲</text>`, words: 'a write' }]
        : []),
    ]),
  ])}</div>`
}

/** More than this cannot be told apart in a line. */
const most = 400
const day = (at: string): string => at.slice(0, 10)
