import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { startTables, type Tables } from '../verify/crash/outside.ts'
import { resultsOf } from '../verify/crash/results.ts'
import { type Scene, setTheScene } from '../verify/crash/scene.ts'
import { brakes, haltBrakes, type Series, type Tried } from '../verify/crash/series.ts'

/**
 * The brake at report, at off or unreadable from a write to the cluster on, and released twelve minutes later: no write follows
 * the step in flight, people hear of it once, and it is finished after the release.
 */
let scene: Scene
let tables: Tables

beforeAll(async () => {
  ;[scene, tables] = await Promise.all([setTheScene(3, 'embedded'), startTables()])
}, 60_000)
afterAll(async () => {
  await tables?.stop()
  await scene?.stop()
}, 30_000)

const ways: [string, number, (series: Series) => Promise<void>][] = [
  ['changes the range', 7, (series) => brakes(series, 'range')],
  ['restarts calico-node', 2, (series) => brakes(series, 'restarts')],
  ['halts and puts the former value back', 3, (series) => haltBrakes(series, 'canary')],
]

describe('the brake at each write in turn', () => {
  test.each(ways)(
    'of a rollout that %s',
    async (_, stride, tries) => {
      const tried: Tried[] = []
      const tell = (it: Tried) => void tried.push(it)
      await tries({ scene, dynamo: tables.dynamo, proxy: undefined as never, stride, at: /^kube /, tried: tell })
      const { failures, finished, points } = resultsOf(tried, 0)
      expect(failures).toEqual([])
      expect(finished).toBe(points)
      expect(points).toBeGreaterThan(3)
    },
    240_000,
  )
})
