import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { EmbeddedCluster } from '../../lab/embedded/start.ts'
import { assemble, type GuardedStage, raise as raiseStage, target } from './guards-stage.ts'

/** The guards through the synthesized stack, its bundles and queues, in front of embedded clusters; seen from the clusters. */
const annotation = 'config.projectcalico.org/KubeNodePortRanges'
const pace = { canarySeconds: 1, settleSeconds: 1, nodeDeadlineSeconds: 60 }
const folder = mkdtempSync(join(tmpdir(), 'calico-ipvs-sync-guards-'))
const alarm = 'checkout-errors'

interface Felix {
  metadata: { name: string; annotations?: Record<string, string> }
}
const felixIn = async (cluster: EmbeddedCluster): Promise<Felix[]> =>
  ((await cluster.request('GET', '/apis/crd.projectcalico.org/v1/felixconfigurations')) as { items: Felix[] }).items

const leaseIn = async (cluster: EmbeddedCluster): Promise<Record<string, string>> => {
  const path = '/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/calico-ipvs-sync'
  const lease = await cluster.request('GET', path).catch(() => undefined)
  return (lease as { metadata: { annotations?: Record<string, string> } } | undefined)?.metadata.annotations ?? {}
}

/** When each node was first seen with an override, in milliseconds since 1970. */
const watchOverrides = (cluster: EmbeddedCluster) => {
  const seen = new Map<string, number>()
  const end = new AbortController()
  const loop = (async () => {
    while (!end.signal.aborted) {
      for (const { metadata } of await felixIn(cluster))
        if (metadata.name.startsWith('node.') && !seen.has(metadata.name)) seen.set(metadata.name, Date.now())
      await sleep(50)
    }
  })()
  return { times: () => [...seen.values()], stop: async () => (end.abort(), loop) }
}

const until = async (what: string, holds: () => boolean | Promise<boolean>): Promise<void> => {
  for (const end = Date.now() + 60_000; !(await holds()); await sleep(50))
    if (Date.now() > end) throw new Error(`${what} did not come about within a minute`)
}

const isDone = async (cluster: EmbeddedCluster): Promise<boolean> =>
  (await leaseIn(cluster))['calico-ipvs-sync/state'] === 'done'

const clock = (at: number): string => new Date(at).toISOString().slice(11, 19)

const fleetOfThree = async (stage: GuardedStage) => {
  stage.deploy({ ...pace, clustersAtOnce: 1 })
  stage.cloud.fire()
  await until('the end of three rollouts', async () => (await Promise.all(stage.clusters.map(isDone))).every(Boolean))
  await stage.cloud.idle()
  const leases = await Promise.all(stage.clusters.map(leaseIn))
  const values = await Promise.all(stage.clusters.map(felixIn))
  return { leases, values }
}

const closingWindow = async (stage: GuardedStage) => {
  const [cluster] = stage.clusters as [EmbeddedCluster]
  const watch = watchOverrides(cluster)
  // In whole seconds, for that is what a clock on the wall shows.
  const now = Math.floor(Date.now() / 1000) * 1000
  // Four nodes, four seconds each: however fast the functions start, the last of them comes after twelve seconds.
  const [closes, opens] = [now + 12_000, now + 16_000]
  const timezone = 'Etc/UTC'
  const windows = [
    { from: clock(now - 60_000), to: clock(closes), timezone },
    { from: clock(opens), to: clock(opens + 600_000), timezone },
  ]
  stage.deploy({ ...pace, canarySeconds: 4, settleSeconds: 4, windows })
  stage.cloud.fire()
  await until('the end of the rollout', () => isDone(cluster))
  await watch.stop()
  const log = stage.cloud.invocations.filter(({ name }) => name === 'Evaluate').length
  return { times: watch.times(), closes, opens, looks: log, values: await felixIn(cluster) }
}

const ringingAlarm = async (stage: GuardedStage) => {
  const [cluster] = stage.clusters as [EmbeddedCluster]
  const watch = watchOverrides(cluster)
  stage.alarms.set(alarm, 'OK', 'CompositeAlarm')
  stage.deploy({ ...pace, pauseOnAlarms: [alarm] })
  stage.cloud.fire()
  await until('the first override', () => watch.times().length > 0)
  stage.alarms.set(alarm, 'ALARM', 'CompositeAlarm')
  const rang = Date.now()
  await sleep(4_000)
  const ended = Date.now()
  stage.alarms.set(alarm, 'OK', 'CompositeAlarm')
  await until('the end of the rollout', () => isDone(cluster))
  await watch.stop()
  return { times: watch.times(), rang, ended, values: await felixIn(cluster) }
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

  const isChanged = (values: Felix[]) => {
    expect(values.map(({ metadata }) => [metadata.name, metadata.annotations?.[annotation]])).toEqual([
      ['default', target],
    ])
  }

  test('three clusters with a fleet budget of one are changed one after the other, none twice', async () => {
    const { leases, values } = await shown.fleet!
    const spans = leases
      .map((lease) => ({
        start: Date.parse(lease['calico-ipvs-sync/started-at'] ?? ''),
        end: Date.parse(lease['calico-ipvs-sync/finished-at'] ?? ''),
      }))
      .toSorted((a, b) => a.start - b.start)
    expect(spans.every(({ start, end }) => start < end)).toBe(true)
    expect(spans.slice(1).every(({ start }, index) => start >= (spans[index]?.end ?? Infinity))).toBe(true)
    values.forEach(isChanged)
  })

  test('a window that closes in the middle lets no new node be touched until it opens, and then the rest follows', async () => {
    const { times, closes, opens, looks, values } = await shown.window!
    const between = times.filter((at) => at > closes + 500 && at < opens)
    expect(between).toEqual([])
    expect(times.some((at) => at < closes)).toBe(true)
    expect(times.some((at) => at >= opens)).toBe(true)
    expect(times).toHaveLength(4)
    isChanged(values)
    // Waiting is a look now and then.
    expect(looks).toBeLessThan(40)
  })

  test('an alarm that rings pauses a rollout, and it goes on by itself when the alarm is over', async () => {
    const { times, rang, ended, values } = await shown.alarm!
    // What was under way when it began to ring may still be seen.
    expect(times.filter((at) => at > rang + 700 && at < ended)).toEqual([])
    expect(times.filter((at) => at > ended).length).toBeGreaterThan(0)
    expect(times).toHaveLength(3)
    isChanged(values)
  })
})
