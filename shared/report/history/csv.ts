import type { History } from '../../domain/history/history.ts'
import { csvText } from '../csv.ts'
import { findingsText, nodesText, rangesText, rowsOf } from './wording.ts'

const heads = 'kind,cluster,account,region,from,to,verdict,looks,findings,desiredRange,nodes'
  .split(',')
  .concat('what,object,before,after,by,why,rollout,claimed'.split(','))

/** One table: intervals and gaps in the order of time, then the writes. */
export const historyCsv = (history: History): string => {
  const { name, account, region } = history.cluster
  const about = [name, account, region]
  const rows = rowsOf(history).map((row) => {
    if ('gap' in row) return ['gap', ...about, row.gap.from, row.gap.to]
    const { interval: it } = row
    const seen = [it.verdict, it.looks, findingsText(it), rangesText(it), nodesText(it)]
    return ['interval', ...about, it.from, it.until, ...seen]
  })
  const none = [undefined, undefined, undefined, undefined, undefined]
  const writes = history.writes.map((it) => {
    const done = [it.what, it.object, it.before, it.after, it.by, it.why, it.rollout, it.claimed]
    return ['write', ...about, it.at, it.at, ...none, ...done]
  })
  const whole = [...rows, ...writes].map((cells) => heads.map((_, at) => cells[at]))
  return csvText([heads, ...whole])
}
