import { machineRoot, versionIn } from '../../../lab/machine/packages.ts'
import type { ChapterResult } from '../chapters/chapter.ts'
import { tellAll } from '../chapters/tell.ts'
import { allowedPorts } from './allowed-ports.ts'
import { byHand } from './by-hand.ts'
import type { Chapter, Claim } from './claim.ts'
import { type Ground, layGround } from './ground.ts'
import { ignoredField } from './ignored-field.ts'
import { maskRoom } from './mask-room.ts'
import { proxyWords } from './proxy-words.ts'
import { writePages, writeResults } from './results.ts'
import { sabotagedTool } from './sabotage.ts'
import { staleLink } from './stale-link.ts'
import { tooSmall } from './too-small.ts'
import { tooWide } from './too-wide.ts'

/** In the order in which a reader wants them. */
export const chapters: readonly Chapter[] = [
  tooSmall,
  allowedPorts,
  tooWide,
  ignoredField,
  byHand,
  staleLink,
  maskRoom,
  proxyWords,
]

const nodes = 2
const titles = chapters.map(({ title }) => title)

/** What is in `docs`, of the results that are there, without a run. Answers whether they are of all chapters, and of this code. */
export const tellAgain = (): boolean => writePages(titles)

/** All chapters, or those named, each in a machine of its own unless it continues the one before. Answers whether every claim held. */
export const show = async (only?: readonly string[], tool?: string, write = writeResults): Promise<boolean> => {
  const kernel = versionIn(await machineRoot())
  const fixed = { kernel, titles }
  return await tellAll<Ground, Claim, Chapter>(
    {
      name: 'packets',
      chapters,
      lay: async ({ name, lay }) => ({ ...(await (lay?.(name) ?? layGround(name, nodes))), ...(tool && { tool }) }),
      lines: ({ before, after }) => [`before: ${before}`, `after:  ${after}`],
      broken: (claim, after) => ({ ...claim, before: '', after }),
      write: (told, about) => write(told, { ...about, ...fixed }),
      keep: (told, about) => write(told, { ...about, ...fixed, whole: false, resultsOnly: true }),
    },
    only,
  )
}

/** Chapters with a claim that rests on the annotation. */
export const sabotaged = chapters.filter(({ byAnnotation }) => byAnnotation).map(({ name }) => name)

/** The same with a tool that writes and reads an annotation that Felix does not know. Answers whether packets brought down every claim that rests on it, and each chapter made such a claim. */
export async function showSabotage(only: readonly string[] = sabotaged): Promise<boolean> {
  const { bin, remove } = sabotagedTool()
  let told: readonly ChapterResult<Claim>[] = []
  try {
    await show(only, bin, (all) => {
      told = all
    })
  } finally {
    remove()
  }
  const resting = told.flatMap(({ claims }) => claims).filter(({ byAnnotation }) => byAnnotation)
  const fallen = resting.filter(({ holds }) => !holds)
  process.stdout.write(
    `With an annotation that Felix does not know, ${fallen.length} of ${resting.length} claims that rest on it fell.\n`,
  )
  return isSabotageSeen(told, new Set(only).size)
}

/** A chapter that broke off says nothing of the annotation, nor does one whose tool failed, or where a connection went right at the end. */
export const isSabotageSeen = (told: readonly ChapterResult<Claim>[], chapterCount: number): boolean => {
  const resting = told.map(({ claims }) => claims.filter(({ byAnnotation }) => byAnnotation))
  return (
    resting.length > 0 &&
    resting.length === chapterCount &&
    resting.every((claims) => claims.length > 0 && claims.every(fellByPackets))
  )
}

const fellByPackets = ({ holds, succeeded, figures }: Claim): boolean =>
  !holds && succeeded === true && figures !== undefined && figures.after.wrong === figures.after.tried
