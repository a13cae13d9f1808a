import { expect, test } from '@jest/globals'
import type { FelixObject } from '../../shared/domain/cluster.ts'
import { overrideKey, rangeAnnotation } from '../../shared/domain/rollout/annotations.ts'
import { read, valueOf } from '../../shared/domain/read.ts'
import { soundRollout } from '../../shared/domain/rollout/parse.ts'
import type { Rollout } from '../../shared/domain/rollout/rollout.ts'
import { control } from '../../shared/workflows/rollout/control.ts'
import { takeStep } from '../../shared/workflows/rollout/step.ts'
import type { Outcome } from '../../shared/workflows/rollout/tools.ts'
import { ranges, startRollout, worldOf, type World } from './world.ts'

/** A finalizer keeps our override: the API server answers 200 to its deletion, and the object stays. */
const target = '20000:32767'
const finalizers = ['backup.example/keep']

/** Each override of n1 has the finalizer from its first second on, as a webhook or a controller adds it. */
const hold = (world: World): void => {
  const object = world.objects.get('node.n1')
  if (object && !object.finalizers && object.annotations[overrideKey] !== undefined)
    world.objects.set('node.n1', { ...object, finalizers })
}

const begun = (over: Partial<Rollout> = {}) => {
  const world = worldOf(['n0', 'n1', 'n2'])
  const deleted: string[] = []
  const { deleteFelix } = world.tools.kube
  const counting: typeof deleteFelix = (api, object) => {
    deleted.push(object.name)
    return deleteFelix(api, object)
  }
  const texts: string[] = []
  const tell = ({ what, object = '' }: { what: string; object?: string }) => void texts.push(`${what} ${object}`)
  world.tools = { ...world.tools, kube: { ...world.tools.kube, deleteFelix: counting }, tell }
  startRollout(world, { target, canary: 'n0', ...over })
  const deletions = () => deleted.filter((name) => name === 'node.n1').length
  return { world, deletions, texts }
}

const stepOn = async (world: World, each: (world: World) => unknown = hold): Promise<Outcome> => {
  const outcome = await takeStep(world.tools)
  await each(world)
  if (outcome.next === 'wait') world.clock += outcome.seconds * 1000
  return outcome
}

const toTheEnd = async (world: World, each: (world: World) => unknown = hold): Promise<Outcome> => {
  for (let step = 0; step < 300; step += 1) {
    const outcome = await stepOn(world, each)
    if (outcome.next === 'over') return outcome
  }
  throw new Error('it does not come to an end')
}

const rolloutIn = (world: World) => soundRollout(world.lease, Infinity) as Rollout
const held = (world: World) => world.objects.get('node.n1') as FelixObject
const left = 'node.n1 has none of our values any more, and its finalizers (backup.example/keep) keep it'

test('after the value is in default, it is deleted once, and the end names it', async () => {
  const { world, deletions } = begun()
  expect(await toTheEnd(world)).toMatchObject({ state: 'done', why: expect.stringContaining(left) })
  expect(deletions()).toBe(1)
  expect(held(world)).toMatchObject({ deletedAt: expect.any(String), finalizers, annotations: {} })
  expect(rolloutIn(world).reason).toContain(left)
  expect(rolloutIn(world)).not.toHaveProperty('reverted')
  expect(world.felixRestarts.filter(({ node }) => node === 'n1')).toHaveLength(1)
})

test('an abort gives the node its former range, and ends', async () => {
  const { world, deletions } = begun()
  while (!world.objects.has('node.n2')) await stepOn(world)
  await control(world.tools.kube, 'abort', { by: 'alice', now: world.tools.now })
  expect(await toTheEnd(world)).toMatchObject({ state: 'aborted', why: expect.stringContaining(left) })
  expect(deletions()).toBe(1)
  expect([...ranges(world).values()]).toEqual([undefined, undefined, undefined])
  expect(world.felixRestarts.filter(({ node }) => node === 'n1')).toHaveLength(2)
})

test('an override that somebody else deleted is given back in the same way', async () => {
  const { world } = begun()
  while (!world.objects.has('node.n2')) await stepOn(world)
  await world.tools.kube.deleteFelix('crd.projectcalico.org/v1', held(world))
  await control(world.tools.kube, 'abort', { by: 'alice', now: world.tools.now })
  expect(await toTheEnd(world)).toMatchObject({ state: 'aborted', why: expect.stringContaining(left) })
  expect(held(world).annotations).toEqual({})
})

test('a halt says that the change was undone when the value is really gone', async () => {
  const { world, deletions, texts } = begun()
  world.broken.add('n1')
  const undone: (string | undefined)[] = []
  const outcome = await toTheEnd(world, (it) => {
    hold(it)
    if (rolloutIn(it).evidence?.takenBackAt !== undefined) undone.push(ranges(it).get('n1'))
  })
  expect(outcome).toMatchObject({ state: 'halted' })
  expect(undone.length).toBeGreaterThan(0)
  expect(new Set(undone)).toEqual(new Set([undefined]))
  expect(deletions()).toBe(1)
  expect(held(world).annotations).toEqual({})
  expect(texts.filter((it) => it === 'override taken back FelixConfiguration/node.n1')).toHaveLength(1)
  await control(world.tools.kube, 'abort', { by: 'alice', now: world.tools.now })
  expect(await toTheEnd(world)).toMatchObject({ state: 'aborted', why: expect.stringContaining(left) })
})

test('and somebody who writes the range back into it all the time does not keep the rollout from its end', async () => {
  const { world } = begun()
  let saved: FelixObject | undefined
  const outcome = await toTheEnd(world, (it) => {
    hold(it)
    const there = it.objects.get('node.n1')
    if (there?.annotations[rangeAnnotation]) saved ??= there
    if (there && saved && there.annotations[rangeAnnotation] === undefined)
      it.objects.set('node.n1', { ...there, annotations: saved.annotations, spec: saved.spec })
  })
  expect(outcome).toMatchObject({ state: 'done', why: expect.stringContaining('somebody restored node.n1') })
})

test('an abort goes on although the process died before or after any of its writes', async () => {
  for (let cut = 1; cut < 12; cut += 1)
    for (const after of [false, true]) {
      const { world } = begun()
      while (!world.objects.has('node.n2')) await stepOn(world)
      await control(world.tools.kube, 'abort', { by: 'alice', now: world.tools.now })
      let writes = 0
      const dying =
        <T extends unknown[], R>(write: (...given: T) => Promise<R>) =>
        async (...given: T): Promise<R> => {
          writes += 1
          if (writes === cut && !after) throw new Error('the process died here')
          const answer = await write(...given)
          if (writes === cut) throw new Error('the process died here')
          return answer
        }
      const { kube } = world.tools
      const { patchFelix, deleteFelix, putLease } = kube
      world.tools = {
        ...world.tools,
        kube: { ...kube, patchFelix: dying(patchFelix), deleteFelix: dying(deleteFelix), putLease: dying(putLease) },
      }
      let outcome: Outcome = { next: 'now' }
      for (let step = 0; step < 300 && outcome.next !== 'over'; step += 1)
        outcome = await stepOn(world).catch((): Outcome => ({ next: 'now' }))
      expect([cut, after, rolloutIn(world).state]).toEqual([cut, after, 'aborted'])
      expect(held(world).annotations).toEqual({})
      expect(rolloutIn(world).reason).toContain(left)
    }
})

test('a node that has left the cluster, and whose pod a finalizer keeps, is waited for no longer', async () => {
  const { world } = begun()
  world.broken.add('n1')
  const { nodes } = world.tools.kube
  let isGone = false
  world.tools = {
    ...world.tools,
    kube: {
      ...world.tools.kube,
      nodes: async (name) => read((valueOf(await nodes(name)) ?? []).filter((it) => !(isGone && it.name === 'n1'))),
    },
  }
  const outcome = await toTheEnd(world, (it) => {
    if (!it.objects.has('node.n1') || isGone) return
    isGone = true
    it.pods = it.pods.map((pod) => (pod.node === 'n1' ? { ...pod, deletedAt: it.iso() } : pod))
  })
  expect(outcome).toMatchObject({ state: 'done' })
  expect([...world.objects.keys()]).toEqual(['default'])
})
