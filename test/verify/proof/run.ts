import { rmSync } from 'node:fs'
import { brokenCanary } from './broken-canary.ts'
import type { Chapter } from './claim.ts'
import { comparison } from './comparison.ts'
import { crashes } from './crashes.ts'
import { layGround } from './ground.ts'
import { ignoredField } from './ignored-field.ts'
import { lambda } from './lambda.ts'
import { mode } from './mode.ts'
import { oldVersion } from './old-version.ts'
import { staleLink } from './stale-link.ts'
import { nothingToDo } from './nothing-to-do.ts'
import { type Told, writeResults } from './results.ts'
import { stagedChange } from './staged-change.ts'
import { v3Api } from './v3-api.ts'

/** In the order in which a reader wants them. */
export const chapters: readonly Chapter[] = [
  ignoredField,
  stagedChange,
  v3Api,
  brokenCanary,
  crashes,
  mode,
  oldVersion,
  staleLink,
  nothingToDo,
  lambda,
  comparison,
]

const say = (text: string): void => void process.stdout.write(`${text}\n`)

/** All chapters, or those named, one after the other. Answers whether every claim held. */
export async function prove(only?: readonly string[]): Promise<boolean> {
  const begun = Date.now()
  const told: Told[] = []
  for (const chapter of chapters.filter(({ name }) => only === undefined || only.includes(name))) {
    say(`\n${chapter.title}`)
    told.push(await tell(chapter))
  }
  const seconds = Math.round((Date.now() - begun) / 1000)
  const claims = told.flatMap((it) => it.claims)
  const held = claims.filter(({ holds }) => holds).length
  writeResults(told, { seconds, whole: only === undefined })
  say(`\n${held} of ${claims.length} claims held, in ${seconds} s.`)
  return held === claims.length
}

async function tell({ name, title, ground: spec, prove: show }: Chapter): Promise<Told> {
  const told: Told = { title, claims: [], tables: [] }
  const claim = (it: Told['claims'][number]): void => {
    told.claims.push(it)
    say(`  ${it.holds ? '✓' : '✗'} ${it.claim}\n      ${it.command}\n      ${it.seen}`)
  }
  let workdir: string | undefined
  try {
    const ground = await layGround(name, spec)
    ;({ workdir } = ground)
    try {
      await show(ground, claim, (table) => {
        told.tables.push(table)
        say([`  ${table.title}`, ...[table.head, ...table.rows].map((row) => `      ${row.join(' | ')}`)].join('\n'))
      })
    } finally {
      await ground.stop()
    }
  } catch (error) {
    const seen = error instanceof Error ? error.message : String(error)
    claim({ claim: 'This chapter comes to its end.', command: `npm run proof -- --only ${name}`, seen, holds: false })
  }
  if (told.claims.every(({ holds }) => holds) && workdir) rmSync(workdir, { recursive: true, force: true })
  else if (workdir) say(`  Logs are in ${workdir}.`)
  return told
}
