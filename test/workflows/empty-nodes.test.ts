import { describe, expect, test } from '@jest/globals'
import { read } from '../../shared/domain/read.ts'
import { soundRollout } from '../../shared/domain/rollout/parse.ts'
import { control } from '../../shared/workflows/rollout/control.ts'
import { takeStep } from '../../shared/workflows/rollout/step.ts'
import { calicoSet, startRollout, type World, worldOf } from './world.ts'

/** The API server answers 200 with a list of no nodes, or of no pods, although they are there. */
const target = '20000:32767'

const empty = (world: World): World['tools'] => ({
  ...world.tools,
  kube: { ...world.tools.kube, nodes: async () => read([]) },
})

/** The pod of n0 is gone after its node was touched, and not yet made anew. */
const bare = async (over: Parameters<typeof startRollout>[1]): Promise<World> => {
  const world = worldOf(['n0', 'n1'])
  startRollout(world, { ...over, canary: 'n0' })
  await takeStep(world.tools)
  world.pods = world.pods.filter(({ node }) => node !== 'n0')
  world.bare.add('n0')
  return world
}

describe('from an empty list of nodes a step concludes nothing', () => {
  test.each([
    [
      'that all nodes are ill: it would write default for all at once',
      async () => {
        const world = worldOf(['n0', 'n1'])
        startRollout(world, { target })
        return world
      },
    ],
    ['that a node with an override has left', () => bare({ target })],
    ['that a restarted node has left', () => bare({ restart: ['calico-node-n0', 'calico-node-n1'] })],
  ])('%s', async (_, start) => {
    const world = await start()
    const before = [structuredClone(world.objects), world.podRestarts.length, world.lease?.annotations]
    await expect(takeStep(empty(world))).rejects.toThrow('contains none of the nodes of the listed pods')
    expect([world.objects, world.podRestarts.length, world.lease?.annotations]).toEqual(before)
  })

  test('that the node of a halt has left: it halts', async () => {
    const world = worldOf(['n0', 'n1'])
    world.broken.add('n0')
    startRollout(world, { target, canary: 'n0' })
    await takeStep(world.tools)
    world.clock += 200_000
    await takeStep(world.tools)
    expect(soundRollout(world.lease, world.clock)?.evidence?.pending).toBe('take-back')
    await takeStep(empty(world))
    expect(soundRollout(world.lease, world.clock)).toMatchObject({ state: 'halted', evidence: { kubelet: 'unknown' } })
  })

  test('nor does resume, that the node of the halt need not be well any more', async () => {
    const world = worldOf(['n0', 'n1'])
    world.broken.add('n0')
    startRollout(world, { target, canary: 'n0' })
    for (let step = 0; step < 5; step += 1) {
      await takeStep(world.tools)
      world.clock += 130_000
    }
    expect(soundRollout(world.lease, world.clock)?.state).toBe('halted')
    const speaker = { by: 'alice', now: world.tools.now }
    await expect(control(empty(world).kube, 'resume', speaker)).rejects.toThrow('contains none of the nodes')
  })
})

const noPods = (world: World): World['tools'] => ({
  ...world.tools,
  kube: { ...world.tools.kube, pods: async () => read([]) },
})

/** The DaemonSet was just deleted and made again: its pods are those of the earlier one, but for the `adopted`. */
const madeAgain = (world: World, adopted: string[] = []): World['tools'] => {
  const status = { observedGeneration: 0, desired: 0, current: 0, updated: 0, ready: 0, unavailable: 0 }
  const kube: World['tools']['kube'] = {
    ...world.tools.kube,
    daemonSets: async () => read([{ ...calicoSet, uid: 'new', status }]),
    pods: async () => read(world.pods.map((pod) => (adopted.includes(pod.node) ? { ...pod, daemonSet: 'new' } : pod))),
  }
  return { ...world.tools, kube }
}

const afterTwo = async (world: World): Promise<void> => {
  startRollout(world, { target, canary: 'n0' })
  while (world.felixRestarts.length < 2) {
    await takeStep(world.tools)
    world.clock += 31_000
  }
}

describe.each([
  ['from an empty list of pods', noPods, 'no pod'],
  ['from a DaemonSet that its controller has not seen yet', madeAgain, 'its controller has not yet seen'],
] as const)('%s it does not conclude', (_, seen, why) => {
  const waits = { next: 'wait', why: expect.stringContaining(why) }

  test.each([[{ target }], [{ restart: ['calico-node-n0', 'calico-node-n1'] }]])(
    'that default may be written, or that all are restarted: %j',
    async (over) => {
      const world = worldOf(['n0', 'n1'])
      startRollout(world, over)
      const before = [structuredClone(world.objects), world.lease?.annotations]
      expect(await takeStep(seen(world))).toMatchObject(waits)
      expect([world.objects, world.lease?.annotations]).toEqual(before)
      expect(await takeStep(world.tools)).toEqual({ next: 'now' })
    },
  )

  test.each(['abort', 'reason gone'])('that all overrides may be removed at once: %s', async (cause) => {
    const world = worldOf(['n0', 'n1'])
    await afterTwo(world)
    if (cause === 'abort') await control(world.tools.kube, 'abort')
    else startRollout(world, { phase: 'range' })
    const before = structuredClone(world.objects)
    expect(await takeStep(seen(world))).toMatchObject(waits)
    expect(world.objects).toEqual(before)
  })

  test('that `default` need not get its former value back', async () => {
    const world = worldOf(['n0', 'n1'])
    world.broken.add('n0')
    startRollout(world, { target })
    const { pace } = soundRollout(world.lease, Infinity)!
    startRollout(world, { target, pace: { ...pace, strategy: 'direct' } })
    for (let step = 0; step < 30 && soundRollout(world.lease, Infinity)?.state !== 'halted'; step += 1) {
      await takeStep(world.tools)
      world.clock += 31_000
    }
    expect(soundRollout(world.lease, Infinity)?.rollback).toBeDefined()
    const before = [structuredClone(world.objects), world.lease?.annotations]
    expect(await takeStep(seen(world))).toMatchObject(waits)
    expect([world.objects, world.lease?.annotations]).toEqual(before)
  })
})

test('while the pods of an earlier DaemonSet are adopted one by one, the rest is not taken for changed', async () => {
  const world = worldOf(['n0', 'n1', 'n2', 'n3'])
  await afterTwo(world)
  world.clock += 61_000
  const changed = world.felixRestarts.map(({ node }) => node)
  const before = structuredClone(world.objects)
  expect(await takeStep(madeAgain(world, changed))).toMatchObject({ next: 'wait' })
  expect(world.objects).toEqual(before)
  expect(world.felixRestarts).toHaveLength(2)
})

test('a halted rollout is not resumed while the controller has not seen the DaemonSet yet', async () => {
  const world = worldOf(['n0', 'n1'])
  await afterTwo(world)
  const { reason: _, ...rollout } = soundRollout(world.lease, Infinity)!
  startRollout(world, { ...rollout, state: 'halted', reason: 'x' })
  const speaker = { by: 'alice', now: world.tools.now }
  expect(await control(madeAgain(world).kube, 'resume', speaker)).toMatchObject({
    changed: false,
    why: expect.stringContaining('its controller has not yet seen'),
  })
  expect(await control(world.tools.kube, 'resume', speaker)).toMatchObject({ changed: true })
})
