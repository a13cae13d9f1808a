import type { Chapter as AnyChapter, Shown } from '../chapters/chapter.ts'
import type { Ground } from './ground.ts'

/** Connections that were tried, and how many of them were not treated as they should be. */
export interface Count {
  wrong: number
  tried: number
}

/** What packets do, before and after something is done. */
export interface Claim extends Shown {
  before: string
  after: string
  /** The same as figures; `during`: connections that had worked, while it was done; `streams`: those that were open already. */
  figures?: { before: Count; during?: Count; streams?: Count; after: Count }
  /** Packets go wrong to the end where the tool writes its annotation under a key that Felix does not know. */
  byAnnotation?: true
  /** The tool wrote overrides and ended as it does where all went well, whatever packets say. */
  succeeded?: boolean
}

/** A claim that does not rest on the annotation. */
export type PlainClaim = Claim & { byAnnotation?: never }

interface ChapterOf<C> extends AnyChapter<Ground, C> {
  /** The machine, where it is not one with nodes in IPVS mode. */
  lay?: (name: string) => Promise<Ground>
}

/** `byAnnotation`: it is sabotaged. Only such a chapter may make claims that rest on the annotation, and it makes one at least. */
export type Chapter = (ChapterOf<PlainClaim> & { byAnnotation?: never }) | (ChapterOf<Claim> & { byAnnotation: true })

export const list = (outcomes: readonly string[]): string => {
  const counts = new Map<string, number>()
  for (const outcome of outcomes) counts.set(outcome, (counts.get(outcome) ?? 0) + 1)
  return [...counts].map(([outcome, count]) => (count === 1 ? outcome : `${count} × ${outcome}`)).join(', ')
}

export const count = (outcomes: readonly string[], isRight: (outcome: string) => boolean): Count => ({
  wrong: outcomes.filter((it) => !isRight(it)).length,
  tried: outcomes.length,
})

export const isTimeout = (outcome: string): boolean => outcome === 'timeout'
