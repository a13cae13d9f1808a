import { describe, expect, test } from '@jest/globals'
import type { ClusterState, FelixObject } from '../../shared/domain/cluster.ts'
import { read } from '../../shared/domain/read.ts'
import { overrideKey, rangeAnnotation } from '../../shared/domain/rollout/annotations.ts'
import { parseJournal } from '../../shared/domain/rollout/journal.ts'
import { soundRollout } from '../../shared/domain/rollout/parse.ts'
import { restsUntil } from '../../shared/domain/rollout/rest.ts'
import type { Rollout } from '../../shared/domain/rollout/rollout.ts'
import { control } from '../../shared/workflows/rollout/control.ts'
import { takeStep } from '../../shared/workflows/rollout/step.ts'
import type { Outcome, StepEvent } from '../../shared/workflows/rollout/tools.ts'
import { healthy } from '../domain/states.ts'
import { ranges, startRollout, worldOf, type World } from './world.ts'

/** Somebody writes our overrides back as they were: a restore of a backup, or what keeps several clusters alike. */
const target = '20000:32767'
const names = ['n0', 'n1', 'n2']

const begun = (over: Partial<Rollout> = {}): { world: World; events: StepEvent[] } => {
  const world = worldOf(names)
  const events: StepEvent[] = []
  world.tools = { ...world.tools, tell: (event) => void events.push(event) }
  startRollout(world, { target, canary: 'n0', ...over })
  return { world, events }
}

const stepOn = async (world: World): Promise<Outcome> => {
  const outcome = await takeStep(world.tools)
  if (outcome.next === 'wait') world.clock += outcome.seconds * 1000
  return outcome
}

const overridden = ({ objects }: World): FelixObject[] =>
  [...objects.values()].filter(({ annotations }) => annotations[overrideKey] !== undefined)

/** Until so many nodes have our override. */
const until = async (world: World, count: number): Promise<void> => {
  while (overridden(world).length < count) await stepOn(world)
}

const byBackup = (world: World, saved: FelixObject): FelixObject => ({
  ...saved,
  managedFields: [{ manager: 'backup', operation: 'Update', time: world.iso(), fields: {} }],
})

/** Felix sees what others write as it sees ours. */
const restoring = (world: World, on: string, saved: FelixObject): boolean => {
  const there = world.objects.get(saved.name)
  if (there?.annotations[rangeAnnotation] === saved.annotations[rangeAnnotation]) return false
  const before = ranges(world).get(on)
  world.objects.set(saved.name, { ...byBackup(world, saved), resourceVersion: `${there?.resourceVersion ?? '1'}0` })
  if (ranges(world).get(on) !== before) world.felixRestarts.push({ node: on, at: world.clock })
  return true
}

const fight = async (world: World, on: string, most = 300): Promise<{ outcome: Outcome; restored: number }> => {
  const saved = world.objects.get(`node.${on}`)
  if (!saved) throw new Error(`node.${on} is not there`)
  world.felixRestarts = []
  let restored = 0
  for (let step = 0; step < most; step += 1) {
    const outcome = await stepOn(world)
    if (restoring(world, on, saved)) restored += 1
    if (outcome.next === 'over') return { outcome, restored }
  }
  throw new Error('it fights without end')
}

const abort = (world: World) => control(world.tools.kube, 'abort', { by: 'alice', now: world.tools.now })
const rolloutIn = (world: World) => soundRollout(world.lease, Infinity) as Rollout
const entries = (world: World, what: string) =>
  parseJournal(world.lease?.annotations['calico-ipvs-sync/journal']).entries.filter((it) => it.what === what)
const restarts = (world: World, on: string) => world.felixRestarts.filter(({ node }) => node === on).length

describe('an override that somebody restores each second', () => {
  const left = 'somebody restored node.n1, which we had removed'
  const expectLeft = ({ world, events }: ReturnType<typeof begun>, outcome: Outcome, state: string) => {
    expect(outcome).toMatchObject({ next: 'over', state, why: expect.stringContaining(left) })
    expect(overridden(world).map(({ name }) => name)).toEqual(['node.n1'])
    expect(events.filter(({ what }) => /^rollout (aborted|finished|halted)$/.test(what))).toHaveLength(1)
    expect(rolloutIn(world)).toMatchObject({
      state,
      reason: left,
      reverted: { object: 'FelixConfiguration/node.n1', by: 'backup' },
    })
    expect(entries(world, state).at(-1)).toMatchObject({ why: left })
  }

  test('is taken back once by an abort, which ends and names it', async () => {
    const stage = begun()
    const { world } = stage
    await until(world, 2)
    await abort(world)
    const { outcome, restored } = await fight(world, 'n1')
    expectLeft(stage, outcome, 'aborted')
    expect([restored, restarts(world, 'n1'), restarts(world, 'n0')]).toEqual([1, 2, 1])
    const takenBack = new Set(entries(world, 'take-back').map(({ object }) => object))
    expect(takenBack).toEqual(new Set(['FelixConfiguration/node.n0', 'FelixConfiguration/node.n1']))
    expect(entries(world, 'take-back')).toHaveLength(2)
  })

  test('is taken back once where the reason for the rollout no longer exists', async () => {
    const stage = begun()
    const { world } = stage
    await until(world, 2)
    const { target: _target, ...rest } = rolloutIn(world)
    startRollout(world, { ...rest, phase: 'range' })
    const { outcome, restored } = await fight(world, 'n1')
    expectLeft(stage, outcome, 'done')
    expect([restored, restarts(world, 'n1')]).toEqual([1, 2])
  })

  test('is removed twice at most after the value is in default, which restarts nothing', async () => {
    const stage = begun({ restart: ['calico-node-n2'] })
    const { world, events } = stage
    await until(world, 3)
    const { outcome, restored } = await fight(world, 'n1')
    expectLeft(stage, outcome, 'done')
    expect(restored).toBe(2)
    expect(
      events.filter(({ what, object }) => what === 'override removed' && object?.endsWith('node.n1')),
    ).toHaveLength(2)
    expect(world.podRestarts.map(({ node }) => node)).toEqual(['n2'])
    expect(world.felixRestarts).toEqual([])
  })

  test('is removed twice at most where its node has left the cluster', async () => {
    const { world } = begun()
    await until(world, 2)
    world.pods = world.pods.filter(({ node }) => node !== 'n1')
    const { outcome, restored } = await fight(world, 'n1')
    expect(outcome).toMatchObject({ state: 'done', why: expect.stringContaining(left) })
    expect(restored).toBe(2)
  })

  test('also where it comes back without its range', async () => {
    const { world, events } = begun()
    await until(world, 2)
    await abort(world)
    let emptied: FelixObject | undefined
    for (let step = 0; ; step += 1) {
      if (step > 300) throw new Error('it fights without end')
      const outcome = await stepOn(world)
      const there = world.objects.get('node.n1')
      if (there && there.annotations[rangeAnnotation] === undefined) emptied ??= there
      if (emptied && !there) world.objects.set(emptied.name, byBackup(world, emptied))
      if (outcome.next === 'over') break
    }
    expect(
      events.filter(({ what, object }) => what === 'override removed' && object?.endsWith('node.n1')),
    ).toHaveLength(2)
  })

  test('is taken back although the process died before the write, or after it', async () => {
    for (const after of [false, true]) {
      const { world } = begun()
      await until(world, 2)
      await abort(world)
      const { patchFelix } = world.tools.kube
      let dies = true
      const kube: typeof world.tools.kube = {
        ...world.tools.kube,
        patchFelix: async (api, draft, options) => {
          const now = dies
          dies = false
          if (now && !after) throw new Error('the process died here')
          const made = await patchFelix(api, draft, options)
          if (now) throw new Error('the process died here')
          return made
        },
      }
      world.tools = { ...world.tools, kube }
      await expect(stepOn(world)).rejects.toThrow('died')
      for (let step = 0; step < 300 && (await stepOn(world)).next !== 'over'; step += 1);
      expect([rolloutIn(world).state, overridden(world)]).toEqual(['aborted', []])
    }
  })
})

test('the day of rest after an abort is kept where somebody restores an override after it', async () => {
  const { world } = begun()
  await until(world, 2)
  const saved = world.objects.get('node.n1') as FelixObject
  await abort(world)
  while ((await stepOn(world)).next !== 'over');
  restoring(world, 'n1', saved)
  const felix = read({ api: 'crd.projectcalico.org/v1', objects: [...world.objects.values()] })
  const state = { ...healthy(), felix } as ClusterState
  expect(restsUntil(rolloutIn(world), state)).toBe(Date.parse(rolloutIn(world).finishedAt ?? '') + 86_400_000)
})

test('a node that leaves and comes again gets and loses its override as before', async () => {
  const { world } = begun()
  await until(world, 2)
  const [pod] = world.pods.filter(({ node }) => node === 'n1')
  world.pods = world.pods.filter((it) => it !== pod)
  while (world.objects.has('node.n1')) await stepOn(world)
  world.pods.push(pod!)
  let outcome: Outcome = { next: 'now' }
  while (outcome.next !== 'over') outcome = await stepOn(world)
  expect(outcome).toMatchObject({ state: 'done', why: 'every change is made and every touched node is well' })
  expect(overridden(world)).toEqual([])
})
