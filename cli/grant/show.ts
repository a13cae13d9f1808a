import { plain, plainAll, plainLines, safeJson } from '../../shared/domain/plain.ts'
import { withContext } from '../../shared/domain/findings/remedy.ts'
import { counted } from '../../shared/report/wording.ts'
import { type Act, isWrite, outcomeOf, type Row, whatOf } from './row.ts'

/** The planned changes, cluster by cluster. */
export const planText = (rows: readonly Row[]): string => rows.map((row) => rowText(row, rows.length > 1)).join('\n')

const titleOf = ({ place: { cluster } }: Row): string => {
  const where = [cluster.account, cluster.region].filter((it) => it !== undefined).join(' ')
  return plain(`${cluster.name}${where === '' ? '' : ` (${where})`}`)
}

/** In a list, unchanged items are one line for each cluster. */
const rowText = (row: Row, isShort: boolean): string => {
  const acts = withContexts(row)
  const kept = acts.filter(({ act }) => act === 'keep')
  const isSummed = isShort && kept.length > 0
  const shown = isSummed ? acts.filter((act) => act.act !== 'keep' || noteOf(act) !== undefined) : acts
  const sum = isSummed ? [`  = ${kept.length} already so`] : []
  return `${[titleOf(row), ...shown.flatMap(linesOf), ...sparedLines(acts), ...sum].join('\n')}\n`
}

/** A line for each reason. */
const sparedLines = (acts: readonly Act[]): string[] => {
  const spared = acts.flatMap((act) => (act.act === 'spare' ? [{ kind: act.kind, why: act.why }] : []))
  return [...Map.groupBy(spared, ({ why }) => why)].map(([why, all]) => {
    const kinds = [...new Set(all.map(({ kind }) => kind))].join(', ')
    return `  · left out: ${counted(all.length, 'object')} (${plain(kinds)}): ${plain(why)}`
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

const linesOf = (act: Act): string[] => {
  const what = plain(whatOf(act))
  switch (act.act) {
    case 'create':
      return [`  + create ${what}${act.on === 'entry' ? `, groups ${plain(act.groups.join(', '))}` : ''}`]
    case 'change':
      return [act.on === 'entry' ? changeLine(what, act) : `  ~ change ${what}`]
    case 'delete':
      return [`  - delete ${what}`]
    case 'keep': {
      const note = noteOf(act)
      return [`  = already so: ${what}`, ...(note === undefined ? [] : [`      but ${plain(note)}`])]
    }
    case 'spare':
      return []
    case 'leave':
      return [`  ! left: ${what}: ${plain(act.why)}`]
    case 'left':
    case 'failed':
      return [
        `  ! ${act.act}: ${what}: ${plain(act.why)}`,
        ...(act.next === undefined ? [] : plainLines(act.next).map((line) => `      ${line}`)),
      ]
  }
}

const changeLine = (what: string, { before, groups }: { before: string[]; groups: string[] }): string =>
  `  ~ change groups of ${what}: ${plain(listed(before))} → ${plain(listed(groups))}`

const listed = (groups: readonly string[]): string => (groups.length > 0 ? groups.join(', ') : 'none')

/** Results that differ from what was shown, cluster by cluster. */
export const newsText = (planned: readonly Row[], done: readonly Row[]): string => {
  const known = new Set(planned.flatMap(({ acts }) => acts.map((act) => JSON.stringify(act))))
  const news = done.map((row) => ({ ...row, acts: row.acts.filter((act) => !known.has(JSON.stringify(act))) }))
  return planText(news.filter(({ acts }) => acts.length > 0))
}

/** A row for each cluster, and the sum. */
export const endText = (rows: readonly Row[], { remove = false }: { remove?: boolean | undefined }): string => {
  const width = Math.max(...rows.map((row) => titleOf(row).length))
  const lines = rows.map((row) => `${titleOf(row).padEnd(width)}  ${outcomeOf(row).padEnd(6)}  ${countsOf(row.acts)}`)
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
