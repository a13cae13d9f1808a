/** What a claim of either proof has; each adds what was seen in its own words. */
export interface Shown {
  claim: string
  /** What was run, as a reader would type it or as AWS would have it happen. */
  command: string
  holds: boolean
}

/** Figures, as a table for people. */
export interface Measured {
  title: string
  head: string[]
  rows: string[][]
}

/** What is said while a chapter goes on. */
export type Say<C> = [claim: (claim: C) => void, measured: (table: Measured) => void]

/** Claims that are shown on one cluster. */
export interface Chapter<G, C> {
  /** As `--only` takes it. */
  name: string
  title: string
  /** The chapter before, by name, whose ground it may take over where every claim of that held; it resets itself what that has changed. */
  continues?: string
  prove: (ground: G, ...say: Say<C>) => Promise<void>
}

/** What came of a chapter. */
export interface ChapterResult<C> {
  title: string
  claims: C[]
  tables: Measured[]
}
