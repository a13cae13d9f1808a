import { rmSync } from 'node:fs'
import type { Chapter, Shown, ChapterResult } from './chapter.ts'

export interface Ended {
  /** Logs of everything; it stays after `stop`. */
  workdir: string
  stop: () => Promise<void>
}

export interface Book<G extends Ended, C extends Shown, S extends Chapter<G, C>> {
  /** The npm script that tells it. */
  name: string
  /** In the order in which a reader wants them. */
  chapters: readonly S[]
  lay: (chapter: S) => Promise<G>
  /** What was seen, a line each. */
  lines: (claim: C) => string[]
  /** The claim of a chapter that stopped with this message. */
  broken: (claim: Shown, message: string) => C
  /** `whole`: nothing was left out, so that pages may be written anew. */
  write: (told: ChapterResult<C>[], about: { seconds: number; whole: boolean }) => void
  /** After each chapter: what was shown so far, so that a run that is stopped loses one chapter only. */
  keep?: (told: ChapterResult<C>[], about: { seconds: number }) => void
}

const comesToItsEnd = 'This chapter comes to its end.'

/** What was shown of it is not all. */
export const isBroken = ({ claims }: ChapterResult<Shown>): boolean =>
  claims.some(({ claim }) => claim === comesToItsEnd)

/** With the causes: the first message alone may say only what could not be done. */
const reasonsOf = (error: unknown): string =>
  error instanceof Error
    ? [error.message, ...(error.cause === undefined ? [] : [reasonsOf(error.cause)])].join(' ')
    : String(error)

const say = (text: string): void => void process.stdout.write(`${text}\n`)

/** All chapters, or those named, one after the other, each on a ground of its own unless it continues the one before. Answers whether every claim held. */
export async function tellAll<G extends Ended, C extends Shown, S extends Chapter<G, C>>(
  book: Book<G, C, S>,
  only?: readonly string[],
): Promise<boolean> {
  const begun = Date.now()
  const told: ChapterResult<C>[] = []
  const asked = book.chapters.filter(({ name }) => only === undefined || only.includes(name))
  let left: G | undefined
  for (const [index, chapter] of asked.entries()) {
    say(`\n${chapter.title}`)
    const chapterBegun = Date.now()
    const isWanted = asked[index + 1]?.continues === chapter.name
    const { ground, ...result } = await tell(book, chapter, left, isWanted)
    left = ground
    told.push(result)
    say(`  (${secondsSince(chapterBegun)} s)`)
    book.keep?.(told, { seconds: secondsSince(begun) })
  }
  const seconds = secondsSince(begun)
  const claims = told.flatMap((it) => it.claims)
  const held = claims.filter(({ holds }) => holds).length
  book.write(told, { seconds, whole: only === undefined })
  say(`\n${held} of ${claims.length} claims held, in ${seconds} s.`)
  return claims.length > 0 && held === claims.length
}

const secondsSince = (begun: number): number => Math.round((Date.now() - begun) / 1000)

/** `taken`: the ground that the chapter before has left. `isWanted`: the next one takes over this one's. */
async function tell<G extends Ended, C extends Shown, S extends Chapter<G, C>>(
  book: Book<G, C, S>,
  chapter: S,
  taken: G | undefined,
  isWanted: boolean,
): Promise<ChapterResult<C> & { ground?: G }> {
  const told: ChapterResult<C> = { title: chapter.title, claims: [], tables: [] }
  const claim = (it: C): void => {
    told.claims.push(it)
    say(`  ${it.holds ? '✓' : '✗'} ${[it.claim, it.command, ...book.lines(it)].join('\n      ')}`)
  }
  let workdir: string | undefined
  try {
    const ground = taken ?? (await book.lay(chapter))
    ;({ workdir } = ground)
    let isLeft = false
    try {
      await chapter.prove(ground, claim, (table) => {
        told.tables.push(table)
        say([`  ${table.title}`, ...[table.head, ...table.rows].map((row) => `      ${row.join(' | ')}`)].join('\n'))
      })
      isLeft = isWanted && told.claims.every(({ holds }) => holds)
    } finally {
      if (!isLeft) await ground.stop()
    }
    if (isLeft) return { ...told, ground }
  } catch (error) {
    const command = `npm run ${book.name} -- --only ${chapter.name}`
    claim(book.broken({ claim: comesToItsEnd, command, holds: false }, reasonsOf(error)))
  }
  if (told.claims.every(({ holds }) => holds) && workdir) rmSync(workdir, { recursive: true, force: true })
  else if (workdir) say(`  Logs are in ${workdir}.`)
  return told
}
