import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { LabCluster } from '../../lab/cluster.ts'
import { assemble, type GuardedStage, raise as raiseStage, target } from './guards-stage.ts'
import { until } from '../until.ts'
import { witness, type Witness } from './witness.ts'

/** The guards through the synthesized stack, its bundles and queues, in front of embedded clusters; judged by what their API servers' watch showed. */
const pace = { canarySeconds: 1, settleSeconds: 1, nodeDeadlineSeconds: 60 }
const folder = mkdtempSync(join(tmpdir(), 'calico-ipvs-sync-guards-'))
const alarm = 'checkout-errors'

const isDone = ({ leases }: Witness): boolean => leases.at(-1)?.state === 'done'

const clock = (at: number): string => new Date(at).toISOString().slice(11, 19)

/** What one cluster showed until its rollout was done. */
const untilDone = async (seen: Witness): Promise<Witness> => {
  await until('the end of the rollout', () => isDone(seen))
  await seen.caughtUp()
  seen.stop()
  return seen
}

const onlyIn = async (stage: GuardedStage, nodes: number): Promise<Witness> => {
  const [cluster] = stage.clusters as [LabCluster]
  return witness(cluster, nodes)
}

const fleetOfThree = async (stage: GuardedStage) => {
  const all = await Promise.all(stage.clusters.map((cluster) => witness(cluster, 2)))
  stage.deploy({ ...pace, clustersAtOnce: 1 })
  stage.cloud.fire()
  await Promise.all(all.map(untilDone))
  return all
}

const closingWindow = async (stage: GuardedStage) => {
  const seen = await onlyIn(stage, 4)
  // In whole seconds, for that is what a clock on the wall shows.
  const now = Math.floor(Date.now() / 1000) * 1000
  // Four nodes, seven seconds each: however fast the functions start, the last of them comes after 21 seconds; and on a busy machine
  // the first comes before 20.
  const [closes, opens] = [now + 20_000, now + 26_000]
  const timezone = 'Etc/UTC'
  const windows = [
    { from: clock(now - 60_000), to: clock(closes), timezone },
    { from: clock(opens), to: clock(opens + 600_000), timezone },
  ]
  stage.deploy({ ...pace, canarySeconds: 7, settleSeconds: 7, windows })
  stage.cloud.fire()
  await untilDone(seen)
  const looks = stage.cloud.invocations.filter(({ name }) => name === 'Evaluate').length
  return { seen, closes, opens, looks }
}

const ringingAlarm = async (stage: GuardedStage) => {
  const seen = await onlyIn(stage, 3)
  stage.alarms.set(alarm, 'OK', 'CompositeAlarm')
  stage.deploy({ ...pace, pauseOnAlarms: [alarm] })
  stage.cloud.fire()
  await until('the first override', () => seen.touches.length > 0)
  stage.alarms.set(alarm, 'ALARM', 'CompositeAlarm')
  const rang = Date.now()
  await sleep(4_000)
  const ended = Date.now()
  stage.alarms.set(alarm, 'OK', 'CompositeAlarm')
  await untilDone(seen)
  return { seen, rang, ended }
}

describe('guards through the queues and bundles', () => {
  const stages: GuardedStage[] = []
  const shown: {
    fleet?: Promise<Awaited<ReturnType<typeof fleetOfThree>>>
    window?: Promise<Awaited<ReturnType<typeof closingWindow>>>
    alarm?: Promise<Awaited<ReturnType<typeof ringingAlarm>>>
  } = {}

  // All three at once: most of a rollout is waiting.
  beforeAll(async () => {
    const assembly = await assemble(folder)
    const raise = async (...given: Parameters<typeof raiseStage>) => {
      const stage = await raiseStage(...given)
      stages.push(stage)
      return stage
    }
    const [fleet, window, alarm] = await Promise.all([
      raise(assembly, ['one', 'two', 'three'], 2),
      raise(assembly, ['one'], 4),
      raise(assembly, ['two'], 3),
    ])
    shown.fleet = fleetOfThree(fleet)
    shown.window = closingWindow(window)
    shown.alarm = ringingAlarm(alarm)
    await Promise.allSettled(Object.values(shown))
  }, 180_000)
  afterAll(async () => {
    await Promise.all(stages.map((stage) => stage.stop()))
    rmSync(folder, { recursive: true, force: true })
  }, 60_000)

  const isChangedOnce = ({ touches, nodes, ranges }: Witness) => {
    expect(touches.map(({ node }) => node).toSorted()).toEqual(nodes)
    expect(ranges()).toEqual([['default', target]])
  }

  test('three clusters with a fleet budget of one are changed one after the other, none twice', async () => {
    const all = await shown.fleet!
    all.forEach(isChangedOnce)
    const spans = all
      .map(({ touches, leases }) => [...touches, ...leases].map(({ at }) => at))
      .map((times) => ({ start: Math.min(...times), end: Math.max(...times) }))
      .toSorted((a, b) => a.start - b.start)
    expect(spans.slice(1).filter(({ start }, index) => start < (spans[index]?.end ?? Infinity))).toEqual([])
  })

  test('a window that closes in the middle lets no new node be touched until it opens, and then the rest follows', async () => {
    const { seen, closes, opens, looks } = await shown.window!
    isChangedOnce(seen)
    const times = seen.touches.map(({ at }) => at)
    expect(times.filter((at) => at > closes + 500 && at < opens)).toEqual([])
    expect(times.some((at) => at < closes)).toBe(true)
    expect(times.some((at) => at >= opens)).toBe(true)
    // Waiting is a look now and then.
    expect(looks).toBeLessThan(40)
  })

  test('an alarm that rings pauses a rollout, and it goes on by itself when the alarm is over', async () => {
    const { seen, rang, ended } = await shown.alarm!
    isChangedOnce(seen)
    // What was under way when it began to ring may still be seen.
    expect(seen.touches.filter(({ at }) => at > rang + 700 && at < ended)).toEqual([])
    expect(seen.touches.filter(({ at }) => at > ended).length).toBeGreaterThan(0)
  })
})
