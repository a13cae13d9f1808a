import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals'
import { startTables } from '../verify/crash/outside.ts'
import { runOnce } from '../verify/crash/run.ts'
import { policyWith } from '../../shared/domain/policy/policy.ts'
import { soundRollout } from '../../shared/domain/rollout/parse.ts'
import { valueOf } from '../../shared/domain/read.ts'
import { sync } from '../../shared/workflows/rollout/sync.ts'
import { asBefore, lookAt, mostAtOnce, setTheStage, type Stage, syncTools } from './stage.ts'

/** Two at once in one cluster of the real API server: one of them holds the Lease and the other waits, or finds it done. */
const policy = policyWith({ action: 'sync' })
const tables = startTables()
let stage: Stage

beforeAll(async () => {
  stage = await setTheStage('real', 6)
}, 120_000)
afterEach(() => asBefore(stage))
afterAll(async () => {
  await (await tables).stop()
  await stage?.stop()
}, 30_000)

const oneByOne = async (observed: { felix: { node: string; at: number }[] }) => {
  await stage.observer.caughtUp()
  expect(observed.felix.map(({ node }) => node).toSorted()).toEqual(stage.nodes.toSorted())
  expect(mostAtOnce(observed.felix, policy.settleSeconds)).toBe(1)
  expect(stage.observer.overrides()).toEqual([])
  expect((await lookAt(stage, policy)).assessment.report.verdict).toBe('in-step')
  const record = valueOf(await stage.direct.lease())
  expect(record?.holder).toBeUndefined()
  expect(soundRollout(record, Infinity)?.state).toBe('done')
}

/** Notes who wrote a range while somebody else held the Lease. */
const trespasses = (holder: string, found: string[]) => {
  const tools = syncTools(stage, policy, { holder })
  const check = async () => {
    const held = valueOf(await stage.direct.lease())?.holder
    if (held !== holder) found.push(`${holder} wrote while ${held ?? 'nobody'} held the Lease`)
  }
  const { kube } = tools
  const createFelix: typeof kube.createFelix = async (api, draft, options) => {
    if (!options?.dryRun) await check()
    return kube.createFelix(api, draft, options)
  }
  return { ...tools, kube: { ...kube, createFelix } }
}

test('two processes of the command line', async () => {
  const observed = await stage.observer.begin()
  const found: string[] = []
  const ends = await Promise.all(['one', 'two'].map((holder) => sync(trespasses(holder, found), policy)))
  expect(ends.some(({ end }) => end === 'done')).toBe(true)
  expect(found).toEqual([])
  await oneByOne(observed)
}, 120_000)

test('the command line and the queue', async () => {
  const { dynamo } = await tables
  const observed = await stage.observer.begin()
  const found: string[] = []
  const [queue, line] = await Promise.all([
    runOnce(stage, dynamo, { observed }),
    sync(trespasses('command line', found), policy),
  ])
  expect(found).toEqual([])
  expect([queue.verdict, ['done', 'stopped', 'blocked', 'nothing-to-do'].includes(line.end)]).toEqual(['in-step', true])
  await oneByOne(observed)
}, 120_000)
