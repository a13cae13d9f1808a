import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { startTables, type Tables } from '../verify/crash/outside.ts'
import { type Proxy, startProxy } from '../verify/crash/proxy.ts'
import { resultsOf } from '../verify/crash/results.ts'
import { type Scene, setTheScene } from '../verify/crash/scene.ts'
import {
  crashes,
  haltCrashes,
  outages,
  requestTroubles,
  type Series,
  type Tried,
  deliveryFaults,
} from '../verify/crash/series.ts'

/** A part of what `npm run crash` tries, on the real API server: some points of every kind. */
let scene: Scene
let tables: Tables
let proxy: Proxy

beforeAll(async () => {
  ;[scene, tables] = await Promise.all([setTheScene(), startTables()])
  proxy = await startProxy(scene.cluster)
}, 120_000)
afterAll(async () => {
  await proxy?.stop()
  await tables?.stop()
  await scene?.stop()
}, 60_000)

const outcome = async (stride: number, tries: (series: Series) => Promise<void>) => {
  const tried: Tried[] = []
  await tries({ scene, dynamo: tables.dynamo, proxy, stride, tried: (it) => tried.push(it) })
  return resultsOf(tried, 0)
}

/** Strides that share no divisor with the two moments of each effect meet both. */
test('a rollout that dies at an effect, before or after it, is finished by whoever comes next, once and for all', async () => {
  const results = await outcome(83, async (series) => {
    await crashes(series, 'both')
    await crashes(series, 'restarts')
  })
  expect(results.failures).toEqual([])
  expect(results).toMatchObject({ finished: results.points, doubledRestarts: 0, orphans: 0, duplicateNotices: 0 })
  expect(results.points).toBeGreaterThan(5)
}, 240_000)

test('so is the halt of one that wrote to default, and the former value is put back once', async () => {
  const results = await outcome(41, (series) => haltCrashes(series, 'direct'))
  expect(results.failures).toEqual([])
  expect(results.finished).toBe(results.points)
  expect(results.points).toBeGreaterThan(4)
}, 240_000)

test('so is one whose messages come twice, out of order and late', async () => {
  const results = await outcome(1, (series) => deliveryFaults(series, 'restarts'))
  expect(results.failures).toEqual([])
  expect(results.finished).toBe(5)
}, 120_000)

test('so is one whose requests are refused, dropped or find their token expired', async () => {
  const results = await outcome(101, (series) => requestTroubles(series, 'both'))
  expect(results.failures).toEqual([])
  expect(results.finished).toBe(results.points)
  expect(results.points).toBeGreaterThan(2)
}, 240_000)

test('so is one whose API server is killed in the middle and comes back', async () => {
  const results = await outcome(1, (series) => outages(series, 'both', [9]))
  expect(results.failures).toEqual([])
  expect(results.finished).toBe(1)
}, 120_000)
