import { rmSync } from 'node:fs'
import { byHand } from './by-hand.ts'
import type { Chapter, Claim, Measured } from './claim.ts'
import { layGround } from './ground.ts'
import { ignoredField } from './ignored-field.ts'
import { maskRoom } from './mask-room.ts'
import { type Shown, writeResults } from './results.ts'
import { staleLink } from './stale-link.ts'
import { tooSmall } from './too-small.ts'
import { tooWide } from './too-wide.ts'

/** In the order in which a reader wants them. */
export const chapters: readonly Chapter[] = [tooSmall, tooWide, ignoredField, byHand, staleLink, maskRoom]

const nodes = 2
const say = (text: string): void => void process.stdout.write(`${text}\n`)

/** All chapters, or those named, one after the other, each in a machine of its own. Answers whether every claim held. */
export async function show(only?: readonly string[]): Promise<boolean> {
  const begun = Date.now()
  const shown: Shown[] = []
  for (const chapter of chapters.filter(({ name }) => only === undefined || only.includes(name))) {
    say(`\n${chapter.title}`)
    shown.push(await showChapter(chapter))
  }
  const seconds = Math.round((Date.now() - begun) / 1000)
  const claims = shown.flatMap((it) => it.claims)
  const held = claims.filter(({ holds }) => holds).length
  writeResults(shown, { seconds, whole: only === undefined })
  say(`\n${held} of ${claims.length} claims held, in ${seconds} s.`)
  return claims.length > 0 && held === claims.length
}

async function showChapter({ name, title, prove }: Chapter): Promise<Shown> {
  const shown: Shown = { title, claims: [], tables: [] }
  const claim = (it: Claim): void => {
    shown.claims.push(it)
    say(
      `  ${it.holds ? '✓' : '✗'} ${it.claim}\n      before: ${it.before}\n      ${it.command}\n      after:  ${it.after}`,
    )
  }
  const measured = (table: Measured): void => {
    shown.tables.push(table)
    say([`  ${table.title}`, ...[table.head, ...table.rows].map((row) => `      ${row.join(' | ')}`)].join('\n'))
  }
  let workdir: string | undefined
  try {
    const ground = await layGround(name, nodes)
    ;({ workdir } = ground)
    try {
      await prove(ground, claim, measured)
    } finally {
      await ground.stop()
    }
  } catch (error) {
    const after = error instanceof Error ? error.message : String(error)
    claim({
      claim: 'This chapter comes to its end.',
      command: `npm run packets -- --only ${name}`,
      before: '',
      after,
      holds: false,
    })
  }
  if (shown.claims.every(({ holds }) => holds) && workdir) rmSync(workdir, { recursive: true, force: true })
  else if (workdir) say(`  Logs are in ${workdir}.`)
  return shown
}
