import { describe, expect, test } from '@jest/globals'
import type { KubeClient } from '../../shared/clients/kube/client.ts'
import { read, valueOf } from '../../shared/domain/read.ts'
import { soundRollout } from '../../shared/domain/rollout/parse.ts'
import { control } from '../../shared/workflows/rollout/control.ts'
import { takeStep } from '../../shared/workflows/rollout/step.ts'
import type { Outcome, StepTools } from '../../shared/workflows/rollout/tools.ts'
import { startRollout, type World, worldOf } from './world.ts'

/** The API server answers 200 with a list of no pods, although they are there; the list of nodes may lack them as well. */
const target = '20000:32767'
const nodes = ['n0', 'n1', 'n2']
const restart = nodes.map((node) => `calico-node-${node}`)

const noPods = ({ tools }: World): StepTools => ({ ...tools, kube: { ...tools.kube, pods: async () => read([]) } })

const noPodsNor =
  (known: (names: KubeClient['nodes']) => KubeClient['nodes']) =>
  (world: World): StepTools => {
    const tools = noPods(world)
    return { ...tools, kube: { ...tools.kube, nodes: known(tools.kube.nodes) } }
  }

const noNodes = noPodsNor(() => async () => read([]))
const strangers = noPodsNor(
  (nodesOf) => async () => read((valueOf(await nodesOf()) ?? []).map((it) => ({ ...it, name: `other-${it.name}` }))),
)

const touched = ({ felixRestarts, podRestarts }: World) => felixRestarts.length + podRestarts.length

/** Until so many nodes are touched, and the last one has settled. */
const afterNodes = async (count: number, over: Parameters<typeof startRollout>[1], names = nodes): Promise<World> => {
  const world = worldOf(names)
  startRollout(world, { ...over, canary: 'n0' })
  while (touched(world) < count) {
    await takeStep(world.tools)
    world.clock += 31_000
  }
  return world
}

const standing = (world: World) => [structuredClone(world.objects), touched(world), soundRollout(world.lease, Infinity)]

describe.each([
  ['no node', noNodes],
  ['none of its nodes', strangers],
])('where the cluster lists no pod and %s', (_, seen) => {
  test.each([
    ['no override is removed, as from nodes that have left', 2, { target }],
    ['nor is the only one', 1, { target }],
    ['restarts are not called done', 1, { restart }],
  ])('%s', async (_name, count, over) => {
    const world = await afterNodes(count, over)
    const before = standing(world)
    expect(await takeStep(seen(world))).toMatchObject({ next: 'wait', why: expect.stringContaining('no pod') })
    expect(standing(world)).toEqual(before)
  })

  test('a halted rollout is not resumed', async () => {
    const world = worldOf(nodes)
    world.broken.add('n0')
    startRollout(world, { target, canary: 'n0' })
    for (let step = 0; step < 5; step += 1) {
      await takeStep(world.tools)
      world.clock += 130_000
    }
    expect(soundRollout(world.lease, Infinity)?.state).toBe('halted')
    expect(await control(seen(world).kube, 'resume', { by: 'alice', now: world.tools.now })).toMatchObject({
      changed: false,
      why: expect.stringContaining('no pod'),
    })
  })
})

describe('one list without pods does not halt a rollout whose restarted node is well', () => {
  /** The window has closed, or the brake is set: the node that was restarted last stays on record. */
  const muchLater = async (names = nodes): Promise<World> => {
    const world = await afterNodes(1, { restart: names.map((node) => `calico-node-${node}`) }, names)
    world.clock += 3_600_000
    return world
  }

  const run = async (world: World): Promise<Outcome> => {
    for (let step = 0; step < 50; step += 1) {
      const outcome = await takeStep(world.tools)
      if (outcome.next === 'over') return outcome
      world.clock += outcome.next === 'wait' ? outcome.seconds * 1000 : 1_000
    }
    throw new Error('the rollout does not come to an end')
  }

  test.each(['running', 'aborting'])('more pods are missing than nodes were touched: %s', async (state) => {
    const world = await muchLater()
    if (state === 'aborting') await control(world.tools.kube, 'abort')
    const before = standing(world)
    expect(await takeStep(noPods(world))).toMatchObject({ next: 'wait', why: expect.stringContaining('no pod') })
    expect(standing(world)).toEqual(before)
    expect(await run(world)).toMatchObject({ state: state === 'running' ? 'done' : 'aborted' })
  })

  test('its pod is there again when its log is to be read', async () => {
    const world = await muchLater(['n0'])
    expect(await takeStep(noPods(world))).toEqual({ next: 'now' })
    expect(soundRollout(world.lease, Infinity)?.evidence).toMatchObject({ node: 'n0', pending: 'halt' })
    expect(await run(world)).toMatchObject({ state: 'done' })
  })

  test('it halts where that pod is a later one', async () => {
    const world = await muchLater(['n0'])
    await takeStep(noPods(world))
    const createdAt = new Date(world.clock + 1_000).toISOString()
    world.clock += 5_000
    world.pods = world.pods.map((pod) => ({ ...pod, createdAt, readySince: createdAt }))
    expect(await run(world)).toMatchObject({ state: 'halted', why: expect.stringMatching(/^n0: .*no calico-node pod/) })
  })
})
