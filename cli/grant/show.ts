import { plain, plainAll, plainLines, safeJson } from '../../shared/domain/plain.ts'
import { hanging } from '../../shared/report/text/columns.ts'
import { pasteLines } from '../../shared/report/text/findings.ts'
import { withContext } from '../../shared/domain/findings/remedy.ts'
import { counted } from '../../shared/report/wording.ts'
import { type Act, isWrite, outcomeOf, type Row, whatOf } from './row.ts'

/** The planned changes, cluster by cluster. `width`: of the terminal; absent where there is none, and then nothing is wrapped. */
export const planText = (rows: readonly Row[], width?: number): string =>
  rows.map((row) => rowText(row, { isShort: rows.length > 1, width })).join('\n')

/** As deep as the text behind a sign. */
const indent = '    '

const item = (sign: string, text: string, width?: number): string[] => hanging(text, `  ${sign} `, `  ${indent}`, width)

const titleOf = ({ place: { cluster } }: Row): string => {
  const where = [cluster.account, cluster.region].filter((it) => it !== undefined).join(' ')
  return plain(`${cluster.name}${where === '' ? '' : ` (${where})`}`)
}

/** In a list, unchanged items are one line for each cluster. */
const rowText = (row: Row, { isShort, width }: { isShort: boolean; width: number | undefined }): string => {
  const acts = withContexts(row)
  const kept = acts.filter(({ act }) => act === 'keep')
  const isSummed = isShort && kept.length > 0
  const shown = isSummed ? acts.filter((act) => act.act !== 'keep' || noteOf(act) !== undefined) : acts
  const sum = isSummed ? item('=', `${kept.length} already so`) : []
  const lines = [...shown.flatMap((act) => linesOf(act, width)), ...sparedLines(acts, width), ...sum]
  return `${[...hanging(titleOf(row), '', '  ', width), ...lines].join('\n')}\n`
}

/** A line for each reason. */
const sparedLines = (acts: readonly Act[], width?: number): string[] => {
  const spared = acts.flatMap((act) => (act.act === 'spare' ? [{ kind: act.kind, why: act.why }] : []))
  return [...Map.groupBy(spared, ({ why }) => why)].flatMap(([why, all]) => {
    const kinds = [...new Set(all.map(({ kind }) => kind))].join(', ')
    return item('·', `left out: ${counted(all.length, 'object')} (${plain(kinds)}): ${plain(why)}`, width)
  })
}

/** kubectl's context is made once for a cluster. */
const withContexts = ({ acts, place }: Row): Act[] => {
  const nextOf = (act: Act) => (act.on === 'trouble' ? act.next : undefined)
  const first = acts.findIndex((act) => {
    const next = nextOf(act)
    return next !== undefined && withContext(next, place) !== next
  })
  return acts.map((act, at) =>
    at === first && act.on === 'trouble' && act.next !== undefined
      ? { ...act, next: withContext(act.next, place) }
      : act,
  )
}

const noteOf = (act: Act): string | undefined => (act.on === 'entry' && act.act === 'keep' ? act.note : undefined)

const linesOf = (act: Act, width?: number): string[] => {
  const what = plain(whatOf(act))
  switch (act.act) {
    case 'create':
      return item('+', `create ${what}${act.on === 'entry' ? `, groups ${plain(act.groups.join(', '))}` : ''}`, width)
    case 'change':
      return item('~', act.on === 'entry' ? changeText(what, act) : `change ${what}`, width)
    case 'delete':
      return item('-', `delete ${what}`, width)
    case 'keep': {
      const note = noteOf(act)
      const but = note === undefined ? [] : hanging(`but ${plain(note)}`, `  ${indent}`, `  ${indent}`, width)
      return [...item('=', `already so: ${what}`, width), ...but]
    }
    case 'spare':
      return []
    case 'leave':
      return item('!', `left: ${what}: ${plain(act.why)}`, width)
    case 'left':
    case 'failed':
      return [
        ...item('!', `${act.act}: ${what}: ${plain(act.why)}`, width),
        ...pasteLines(act.next ?? '', width && width - 6).map((line) => `  ${indent}${line}`),
      ]
  }
}

const changeText = (what: string, { before, groups }: { before: string[]; groups: string[] }): string =>
  `change groups of ${what}: ${plain(listed(before))} → ${plain(listed(groups))}`

const listed = (groups: readonly string[]): string => (groups.length > 0 ? groups.join(', ') : 'none')

/** Results that differ from what was shown, cluster by cluster. */
export const newsText = (planned: readonly Row[], done: readonly Row[], width?: number): string => {
  const known = new Set(planned.flatMap(({ acts }) => acts.map((act) => JSON.stringify(act))))
  const news = done.map((row) => ({ ...row, acts: row.acts.filter((act) => !known.has(JSON.stringify(act))) }))
  return planText(
    news.filter(({ acts }) => acts.length > 0),
    width,
  )
}

/** A row for each cluster, and the sum. */
export const endText = (
  rows: readonly Row[],
  { remove = false }: { remove?: boolean | undefined },
  width?: number,
): string => {
  const longest = Math.max(...rows.map((row) => titleOf(row).length))
  const lines = rows.flatMap((row) =>
    hanging(`${titleOf(row).padEnd(longest)}  ${outcomeOf(row).padEnd(6)}  ${countsOf(row.acts)}`, '', '  ', width),
  )
  const done = rows.filter((row) => outcomeOf(row) === 'done').length
  const verb = remove ? 'shut out of' : 'let into'
  return `${lines.join('\n')}\n${rows.length > 1 ? `${verb} ${done} of ${rows.length} clusters\n` : ''}`
}

const countsOf = (acts: readonly Act[]): string => {
  const count = (...wanted: Act['act'][]) => acts.filter(({ act }) => wanted.includes(act)).length
  const counts: [number, string][] = [
    [count('create'), 'created'],
    [count('change'), 'changed'],
    [count('delete'), 'deleted'],
    [count('keep'), 'already so'],
    [count('leave', 'left'), 'left'],
    [count('failed'), 'failed'],
  ]
  const parts = counts.filter(([number]) => number > 0).map(([number, word]) => `${number} ${word}`)
  return parts.length > 0 ? parts.join(', ') : 'nothing to do'
}

export const asJson = (rows: readonly Row[], { dryRun = false }: { dryRun?: boolean | undefined }): string => {
  const clusters = rows.map((row) => ({
    cluster: plainAll(row.place.cluster),
    outcome: outcomeOf(row),
    acts: withContexts(row).map((act) => ({ ...shown(act), what: plain(whatOf(act)), writes: isWrite(act) })),
  }))
  return `${safeJson({ schemaVersion: 1, dryRun, clusters }, 2)}\n`
}

/** Commands alone keep their lines. */
const shown = (act: Act): object => {
  if (act.on !== 'trouble' || act.next === undefined) return plainAll(act)
  const { next, ...rest } = act
  return { ...plainAll(rest), next: plainLines(next).join('\n') }
}
