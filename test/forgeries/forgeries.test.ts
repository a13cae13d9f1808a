import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { failuresOf } from '../verify/forgeries/results.ts'
import { type Job, tryAll } from '../verify/forgeries/run.ts'
import { setTheStage, type Stage } from '../verify/forgeries/stage.ts'
import { variantOf } from '../verify/forgeries/variant.ts'

/** A part of what `npm run forgeries` tries: one of every kind, of those that once did harm or ended without a verdict. */
let stage: Stage
beforeAll(async () => {
  stage = await setTheStage()
}, 120_000)
afterAll(async () => stage?.stop(), 60_000)

const embedded = [0, 2, 3, 12, 33, 40, 44, 52, 53, 63, 67, 74, 79, 96, 114, 122, 128, 137, 154]
/** A real control plane each: on one of them with the admission policies. */
const real = [2, 3]

test('nobody’s pod is deleted, nothing that is not ours is changed, every look has a verdict, and nothing is said twice', async () => {
  const jobs: Job[] = [
    ...embedded.map((nth) => ({ variant: variantOf(11, nth), kind: 'embedded' as const })),
    ...real.map((nth) => ({ variant: variantOf(11, nth, 'real'), kind: 'real' as const })),
  ]
  const tried = await tryAll(stage, jobs, { parallel: jobs.length, tell: () => undefined })
  const failed = tried.filter((it) => failuresOf(it).length > 0)
  expect(failed.map((it) => [it.variant.what, ...failuresOf(it)])).toEqual([])
  expect(tried).toHaveLength(jobs.length)
}, 240_000)
