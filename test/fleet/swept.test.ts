import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { assemble } from '../flow/assemble.ts'
import { until } from '../until.ts'
import { closed, type Looks, looksIn, settings, sweptFleet, type SweptFleet } from '../verify/fleet/swept.ts'

/** The short form of a sweep over two hundred clusters: all kinds of them in three accounts and two regions. */
const shape = { well: 12, unreachable: 2, denied: 2, vanishing: 2, closing: 3 }
const folder = mkdtempSync(join(tmpdir(), 'calico-ipvs-sync-swept-'))
let fleet: SweptFleet
const looks: Looks[] = []
let rows: Awaited<ReturnType<SweptFleet['rows']>>
let killed = 0

/** One sweep from its schedule to its last look. A sweep's id has whole seconds. */
const sweep = async (during?: () => Promise<void>) => {
  await new Promise((resolve) => setTimeout(resolve, 1_100))
  const from = fleet.moments.length
  fleet.cloud.fire()
  await during?.()
  await fleet.cloud.idle({ timeoutMilliseconds: 280_000 })
  looks.push(looksIn(fleet.moments.slice(from)))
}

beforeAll(async () => {
  fleet = await sweptFleet(await assemble(folder, settings), shape)
  const { cloud, keys, moments } = fleet
  await sweep()
  // The world changes, and EKS throttles.
  for (const key of keys.vanishing) cloud.eks.removeCluster(key.split('/')[2] ?? '')
  fleet.close()
  await cloud.kill('ListClusters')
  await cloud.kill('Evaluate')
  cloud.eks.inject({ operation: 'ListClusters', error: 'ThrottlingException', times: 3 })
  cloud.eks.inject({ operation: 'DescribeCluster', error: 'ThrottlingException', times: 6 })
  await sweep()
  // A sweep that is fired twice, with functions that are killed in the middle.
  await sweep(async () => {
    cloud.fire()
    const from = moments.length
    const hasBegun = (name: string) =>
      moments.slice(from).some((it) => it.kind === 'log' && it.function === name && it.line.includes('"message"'))
    await until('a list', () => hasBegun('ListClusters'))
    killed += await cloud.kill('ListClusters')
    await until('a look', () => hasBegun('Evaluate'))
    killed += await cloud.kill('Evaluate')
  })
  rows = await fleet.rows()
}, 900_000)
afterAll(async () => {
  await fleet?.stop()
  rmSync(folder, { recursive: true, force: true })
}, 60_000)

const all = () => Object.values(fleet.keys).flat()
const there = () => all().filter((key) => !fleet.keys.vanishing.includes(key))
const verdicts = (keys: string[]) => keys.map((key) => rows.get(`${key} assessment`)?.verdict)

describe('a sweep', () => {
  // A message that comes again because something did not answer is looked at again, and no other is.
  const once = (sweepNumber: number, keys: string[]) => {
    const { clusters, repeated, cameAgain } = looks[sweepNumber]!
    expect([...clusters.keys()].toSorted()).toEqual(keys.toSorted())
    expect(repeated).toBeLessThanOrEqual(cameAgain)
  }

  test('looks at every cluster of every account and region once', () => once(0, all()))

  test('that EKS throttles, with an account closed and clusters gone, looks at each cluster once', () =>
    once(1, there()))

  test('that is asked for twice, with functions killed in the middle, loses none and repeats only what was killed', () => {
    expect(killed).toBeGreaterThan(0)
    once(2, there())
  })
})

describe('what is on record after it', () => {
  test('is a verdict for each cluster: in step, or not known and why', () => {
    const { well, unreachable, denied, closing } = fleet.keys
    expect(new Set(verdicts(well))).toEqual(new Set(['in-step']))
    expect(new Set(verdicts([...unreachable, ...denied, ...closing]))).toEqual(new Set(['unknown']))
    const codes = (keys: string[]) =>
      new Set(
        keys.flatMap((key) =>
          (JSON.parse(rows.get(`${key} assessment`)?.report ?? '{}') as { findings: { code: string }[] }).findings.map(
            ({ code }) => code,
          ),
        ),
      )
    expect(codes(unreachable)).toContain('UNREACHABLE')
    for (const keys of [denied, closing]) expect(codes(keys)).toContain('ACCESS_DENIED')
  })

  test('is no verdict of a cluster that is gone, but when that was; people heard of it once', () => {
    for (const key of fleet.keys.vanishing) {
      expect(rows.get(`${key} assessment`)).toEqual({ ended: expect.any(String) })
      const name = key.split('/')[2]
      const heard = fleet.cloud.deliveries.filter(
        ({ subject }) => subject?.includes(`${name} (`) && subject.includes('gone'),
      )
      expect(heard).toHaveLength(1)
    }
  })

  test('is each place, with the reason where it cannot be listed; of that people hear after two sweeps, once', () => {
    for (const region of settings.regions) {
      const row = rows.get(`places ${closed}/${region}`)
      expect(row?.verdict).toBe('unknown')
      expect(JSON.parse(row?.content ?? '{}')).toMatchObject({
        unlisted: { cause: 'sts-denied', sweeps: 2, told: true },
      })
      const subject = `[critical] all clusters (${closed} ${region}): they cannot be listed`
      expect(fleet.cloud.deliveries.filter((it) => it.subject === subject)).toHaveLength(1)
    }
  })

  test('is the whole of the work: no dead letter is left', async () => {
    for (const queue of ['EvaluationsDeadLetters', 'PlacesDeadLetters', 'SweepDeadLetters'])
      expect(await fleet.cloud.messages(queue)).toEqual([])
  })
})
