import { tellAll } from '../chapters/tell.ts'
import { brokenCanary } from './broken-canary.ts'
import type { Chapter, Claim } from './claim.ts'
import { comparison } from './comparison.ts'
import { crashes } from './crashes.ts'
import { type Ground, layGround } from './ground.ts'
import { ignoredField } from './ignored-field.ts'
import { lambda } from './lambda.ts'
import { mode } from './mode.ts'
import { oldVersion } from './old-version.ts'
import { staleLink } from './stale-link.ts'
import { nothingToDo } from './nothing-to-do.ts'
import { writeResults } from './results.ts'
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

/** All chapters, or those named. Answers whether every claim held. */
export const prove = (only?: readonly string[]): Promise<boolean> =>
  tellAll<Ground, Claim, Chapter>(
    {
      name: 'proof',
      chapters,
      lay: ({ name, ground }) => layGround(name, ground),
      lines: ({ seen }) => [seen],
      broken: (claim, seen) => ({ ...claim, seen }),
      write: writeResults,
    },
    only,
  )
