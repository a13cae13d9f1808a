import { expect, test } from '@jest/globals'
import { failed, type Read, read } from '../../shared/domain/read.ts'
import type { CalicoApi } from '../../shared/domain/report.ts'
import { isOurs } from '../../shared/domain/rollout/marks.ts'
import { soundRollout } from '../../shared/domain/rollout/parse.ts'
import type { Rollout } from '../../shared/domain/rollout/rollout.ts'
import { KubeError } from '../../shared/errors.ts'
import { unlessApiIsGone } from '../../shared/workflows/rollout/api-gone.ts'
import { control } from '../../shared/workflows/rollout/control.ts'
import { takeStep } from '../../shared/workflows/rollout/step.ts'
import type { Outcome } from '../../shared/workflows/rollout/tools.ts'
import { startRollout, type World, worldOf } from './world.ts'

const v1 = 'crd.projectcalico.org/v1'
const v3 = 'projectcalico.org/v3'
const gone = new KubeError('unavailable', 'projectcalico.org/v3 does not serve FelixConfigurations.', { status: 404 })

/** A step of a rollout through `api` that ends in an error, in a cluster that serves these; through what it goes on. */
const stepThrough = async (api: CalicoApi, served: Read<string[]>, error: KubeError) => {
  const world = worldOf([])
  startRollout(world, { target: '1:2', where: { api } })
  const record = world.lease
  const rollout = soundRollout(record, Infinity)
  if (!record || !rollout) throw new Error('no rollout has begun')
  const tools = { ...world.tools, kube: { ...world.tools.kube, apis: async () => served } }
  const outcome = await unlessApiIsGone(tools, { record, rollout }, () => Promise.reject(error)).catch(
    (it: unknown) => it,
  )
  return { outcome, through: soundRollout(world.lease, Infinity)?.where.api }
}

test('an API that is served no more is left for that of the stored objects', async () => {
  expect(await stepThrough(v3, read(['v1', v1]), gone)).toEqual({ outcome: { next: 'now' }, through: v1 })
})

test('the API of the stored objects is left for v3 where definitions of v3 took its place', async () => {
  expect(await stepThrough(v1, read(['v1', v3]), gone)).toEqual({ outcome: { next: 'now' }, through: v3 })
})

test.each([
  ['is still listed: the object was gone', v3, read([v3, v1]), gone],
  ['is down', v3, read([v1]), new KubeError('unavailable', '503: no', { status: 503 })],
  ['leaves nothing to go on with', v3, read(['v1']), gone],
  ['is that of the stored objects', v1, read(['v1']), gone],
] as const)('an API that %s is kept', async (_, api, served, error) => {
  expect(await stepThrough(api, served, error)).toEqual({ outcome: error, through: api })
})

test('where it cannot be asked what is served, nothing is decided', async () => {
  const silent = failed<string[]>({ kind: 'unreachable', object: 'apis', message: 'no answer' })
  const { outcome, through } = await stepThrough(v3, silent, gone)
  expect([through, String(outcome)]).toEqual([v3, expect.stringContaining('no answer')])
})

/** A rollout whose steps used v1 until this was so. */
const begun = async (isSo: (world: World) => boolean, broken: string[] = []): Promise<World> => {
  const world = worldOf(['n0', 'n1', 'n2'])
  for (const node of broken) world.broken.add(node)
  startRollout(world, { target: '20000:22767' })
  for (; !isSo(world); world.clock += 31_000) await takeStep(world.tools)
  return world
}

const touchedTwo = ({ felixRestarts }: World): boolean => felixRestarts.length === 2

/** Calico moved its objects to definitions of v3, and v1 is served no more. */
const movedToV3 = (world: World): World => {
  const { kube } = world.tools
  const notServed = (api: CalicoApi) =>
    new KubeError('not-found', `404: ${api} is not served`, { status: 404, reason: 'NotFound' })
  const unlessV1 =
    <Rest extends unknown[], Answer>(write: (api: CalicoApi, ...rest: Rest) => Promise<Answer>) =>
    (api: CalicoApi, ...rest: Rest) =>
      api === v1 ? Promise.reject(notServed(api)) : write(api, ...rest)
  world.tools.kube = {
    ...kube,
    apis: async () => read(['v1', 'apiextensions.k8s.io/v1', v3]),
    felixConfigurations: async (apis) =>
      apis.includes(v3)
        ? kube.felixConfigurations(apis)
        : failed({ kind: 'unavailable', object: 'FelixConfigurations', status: 404, message: 'not served' }),
    createFelix: unlessV1(kube.createFelix),
    patchFelix: unlessV1(kube.patchFelix),
    deleteFelix: unlessV1(kube.deleteFelix),
  }
  return world
}

const toItsEnd = async (world: World): Promise<{ outcome: Outcome; rollout: Rollout | undefined }> => {
  for (let steps = 0; steps < 200; steps++) {
    const outcome = await takeStep(world.tools)
    if (outcome.next !== 'now' && outcome.next !== 'wait')
      return { outcome, rollout: soundRollout(world.lease, world.clock) }
    if (outcome.next === 'wait') world.clock += outcome.seconds * 1000
  }
  throw new Error('it does not end')
}

const leftIn = ({ objects }: World): string[] => [...objects.values()].filter(isOurs).map(({ name }) => name)

test('an abort removes its overrides through v3 where v1 is served no more, and then says that none is left', async () => {
  const world = movedToV3(await begun(touchedTwo))
  await control(world.tools.kube, 'abort', { by: 'alice', now: world.tools.now })
  const { outcome, rollout } = await toItsEnd(world)
  expect(outcome).toMatchObject({ next: 'over', state: 'aborted', why: 'no override of ours is left' })
  expect([rollout?.where.api, leftIn(world)]).toEqual([v3, []])
})

test('a rollout that nobody aborted goes on through v3 as well, and ends', async () => {
  const world = movedToV3(await begun(touchedTwo))
  expect(await toItsEnd(world)).toMatchObject({ outcome: { state: 'done' }, rollout: { where: { api: v3 } } })
  expect([world.felixRestarts.length, leftIn(world)]).toEqual([3, []])
})

test('a halt goes on to restore its nodes through v3 as well', async () => {
  const isHalted = ({ lease, clock }: World) => soundRollout(lease, clock)?.state === 'halted'
  const world = movedToV3(await begun(isHalted, ['n1']))
  expect(soundRollout(world.lease, world.clock)?.rollback).toEqual(['n1'])
  const { outcome, rollout } = await toItsEnd(world)
  expect(outcome).toMatchObject({ next: 'over', state: 'halted' })
  expect([rollout?.where.api, rollout?.rollback, leftIn(world)]).toEqual([v3, undefined, ['node.n0']])
})
