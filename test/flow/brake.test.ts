import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { assemble, type GuardedStage, raise, target } from './guards-stage.ts'
import { shortDelays } from './place.ts'
import { until } from '../until.ts'
import { witness, type Witness } from './witness.ts'

/** The brake through the synthesized stack, its bundles and queues, set in the middle of a rollout on three embedded clusters. */
const pace = { canarySeconds: 1, settleSeconds: 1, nodeDeadlineSeconds: 60, clustersAtOnce: 3 }
const nodes = 4
const folder = mkdtempSync(join(tmpdir(), 'calico-ipvs-sync-brake-'))
let stage: GuardedStage
let seen: Witness[]
let writesAtRest: number[]
let writesAfterWaiting: number[]
let toldMeanwhile: string[]

/** Everything that was written in the cluster by us: FelixConfigurations, and the Lease. */
const writes = ({ writes: objects, leases }: Witness): number => objects.length + leases.length
const set = (value: string) => stage.cloud.ssm.put('/calico-ipvs-sync/CalicoIpvsSync/brake', value)
const subjects = () => stage.cloud.deliveries.map(({ subject }) => subject ?? '').filter((it) => /brake/.test(it))

beforeAll(async () => {
  stage = await raise(await assemble(folder), ['one', 'two', 'three'], nodes, { delays: shortDelays })
  seen = await Promise.all(stage.clusters.map((cluster) => witness(cluster, nodes)))
  stage.deploy(pace)
  stage.cloud.fire()
  await until('a first override in each cluster', () => seen.every(({ touches }) => touches.length > 0))
  set('report')
  // The step in flight ends within its deadline.
  await sleep(4_000)
  writesAtRest = seen.map(writes)
  await sleep(6_000)
  writesAfterWaiting = seen.map(writes)
  toldMeanwhile = subjects()
  set('sync')
  await until('the end of all three', () => seen.every(({ leases }) => leases.at(-1)?.state === 'done'), 120)
  await stage.cloud.idle()
}, 240_000)
afterAll(async () => {
  await stage?.stop()
  rmSync(folder, { recursive: true, force: true })
}, 60_000)

describe('the brake, set in the middle of a rollout on three clusters', () => {
  test('lets no write follow the step in flight, in any of them', () => {
    expect(writesAfterWaiting).toEqual(writesAtRest)
    for (const { touches } of seen) expect(touches.length).toBeGreaterThan(0)
  })

  test('is told once for all clusters, and once for each whose rollout it stopped', () => {
    const stopped = ['one', 'three', 'two'].map(
      (name) => `[info] ${name} (111122223333 eu-west-1): switched from sync to report by the brake`,
    )
    expect(toldMeanwhile.toSorted()).toEqual(['[info] all clusters: action sync, limit sync, brake report', ...stopped])
  })

  test('released, lets all three finish, each node changed once', () => {
    for (const { touches, nodes: names, ranges } of seen) {
      expect(touches.map(({ node }) => node).toSorted()).toEqual(names)
      expect(ranges()).toEqual([['default', target]])
    }
  })
})
