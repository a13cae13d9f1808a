import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { isStatus } from '../../lab/admin-client.ts'
import { policyWith } from '../../shared/domain/policy/policy.ts'
import { valueOf } from '../../shared/domain/read.ts'
import { isOurs } from '../../shared/domain/rollout/marks.ts'
import { parseJournal } from '../../shared/domain/rollout/journal.ts'
import { soundRollout } from '../../shared/domain/rollout/parse.ts'
import { decisionOf } from '../../shared/workflows/rollout/decision.ts'
import { control } from '../../shared/workflows/rollout/control.ts'
import { takeStep } from '../../shared/workflows/rollout/step.ts'
import { sync } from '../../shared/workflows/rollout/sync.ts'
import type { Outcome, StepTools } from '../../shared/workflows/rollout/tools.ts'
import { asBefore, lookAt, setTheStage, type Stage, syncTools } from './stage.ts'

/** Another writer puts an override of ours back as it was, whenever it is not. */
const policy = policyWith({ action: 'sync' })
const path = '/apis/crd.projectcalico.org/v1/felixconfigurations'
const merge = 'application/merge-patch+json'
const key = 'config.projectcalico.org/KubeNodePortRanges'

interface Override {
  apiVersion: string
  kind: string
  metadata: { name: string; annotations: Record<string, string>; finalizers?: string[]; deletionTimestamp?: string }
  spec: object
}

let stage: Stage
beforeAll(async () => {
  stage = await setTheStage('embedded', 4)
}, 120_000)
afterAll(() => stage?.stop(), 30_000)

const overrideOn = async (name: string): Promise<Override | undefined> => {
  try {
    return (await stage.cluster.request('GET', `${path}/${name}`)) as Override
  } catch (error) {
    if (isStatus(error, 404)) return undefined
    throw error
  }
}

/** `sync` is interrupted when so many nodes have an override. */
const until = async (count: number): Promise<Override> => {
  const tools = syncTools(stage, policy)
  let written = 0
  const tell = ({ what }: { what: string }) => void (written += what === 'override written' ? 1 : 0)
  await sync({ ...tools, tell, interrupted: () => written >= count }, policy)
  const { items } = (await stage.cluster.request('GET', path)) as { items: Override[] }
  const saved = items.find(({ metadata }) => metadata.name.startsWith('node.'))
  if (!saved) throw new Error('no override is there')
  return saved
}

const restore = async ({ apiVersion, kind, metadata, spec }: Override): Promise<void> => {
  const { name, annotations } = metadata
  const there = await overrideOn(name)
  if (there?.metadata.annotations[key] === annotations[key]) return
  const body = { metadata: { name, annotations }, spec }
  await (there
    ? stage.cluster.request('PATCH', `${path}/${name}`, body, merge)
    : stage.cluster.request('POST', path, { apiVersion, kind, ...body }))
}

const toTheEnd = async (each: () => Promise<void>): Promise<Outcome> => {
  const tools: StepTools = { ...syncTools(stage, policy), policy }
  const record = valueOf(await stage.direct.lease())
  const rollout = soundRollout(record, Infinity)
  if (rollout) tools.decided = decisionOf(rollout)
  for (let step = 0; step < 200; step += 1) {
    const outcome = await takeStep(tools)
    await each()
    if (outcome.next === 'over') return outcome
    if (outcome.next !== 'wait') continue
    await stage.observer.caughtUp()
    stage.clock.skip(outcome.seconds * 1000)
  }
  throw new Error('it does not come to an end')
}

const rolloutNow = async () => {
  const record = valueOf(await stage.direct.lease())
  return {
    rollout: soundRollout(record, Infinity),
    entries: parseJournal(record?.annotations['calico-ipvs-sync/journal']).entries,
  }
}

test.each([
  ['by an abort', 2, 'aborted', 2],
  ['after the value is in default', 4, 'done', 0],
])(
  'an override that is restored again and again is left %s, and the rollout ends',
  async (_, count, state, restarts) => {
    const saved = await until(count)
    const { name } = saved.metadata
    if (state === 'aborted') await control(stage.direct, 'abort', { by: 'alice', now: stage.clock.now })
    const observed = await stage.observer.begin()
    expect(await toTheEnd(() => restore(saved))).toMatchObject({
      state,
      why: expect.stringContaining(`somebody restored ${name}`),
    })
    await stage.observer.caughtUp()
    expect(observed.felix.filter(({ node }) => name === `node.${node}`)).toHaveLength(restarts)
    const { rollout, entries } = await rolloutNow()
    expect(rollout?.reverted).toMatchObject({ object: `FelixConfiguration/${name}` })
    expect(entries.filter(({ what, object }) => what === 'take-back' && object.endsWith(name))).toHaveLength(
      restarts / 2,
    )
    const { assessment } = await lookAt(stage, policy)
    const said = assessment.report.findings.find(({ code }) => code === 'FLAPPING')?.message
    expect(said).toContain(`restored FelixConfiguration/${name} after this tool had removed it`)
    // The next attempt of the day writes nothing.
    expect(await sync(syncTools(stage, policy), policy)).toMatchObject({ end: 'blocked' })
    await asBefore(stage)
  },
  60_000,
)

const finalizers = ['backup.example/keep']

test.each([
  ['by an abort', 2, 'aborted'],
  ['after the value is in default', 4, 'done'],
])(
  'what a finalizer keeps of an override has nothing of ours any more %s, and the end names it',
  async (_, count, state) => {
    const { name } = (await until(count)).metadata
    await stage.cluster.request('PATCH', `${path}/${name}`, { metadata: { finalizers } }, merge)
    if (state === 'aborted') await control(stage.direct, 'abort', { by: 'alice', now: stage.clock.now })
    const observed = await stage.observer.begin()
    expect(await toTheEnd(async () => undefined)).toMatchObject({
      state,
      why: expect.stringContaining(
        `${name} has none of our values any more, and its finalizers (${finalizers[0]}) keep it`,
      ),
    })
    const { metadata, spec } = (await overrideOn(name)) as Override
    expect(metadata).toMatchObject({ finalizers, deletionTimestamp: expect.any(String) })
    expect(Object.keys(metadata.annotations ?? {})).toEqual([])
    expect(spec).not.toHaveProperty('kubeNodePortRanges')
    await stage.observer.caughtUp()
    expect(observed.felix.filter(({ node }) => name === `node.${node}`)).toHaveLength(state === 'aborted' ? 1 : 0)
    const { state: now } = await lookAt(stage, policy)
    expect(valueOf(now.felix)?.objects.filter(isOurs)).toEqual([])
    await stage.cluster.request('PATCH', `${path}/${name}`, { metadata: { finalizers: null } }, merge)
    await asBefore(stage)
  },
  60_000,
)
