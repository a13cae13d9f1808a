import { describe, expect, test } from '@jest/globals'
import type { KubeClient } from '../../shared/clients/kube/client.ts'
import { read, valueOf } from '../../shared/domain/read.ts'
import { soundRollout } from '../../shared/domain/rollout/parse.ts'
import { control } from '../../shared/workflows/rollout/control.ts'
import { takeStep } from '../../shared/workflows/rollout/step.ts'
import type { StepTools } from '../../shared/workflows/rollout/tools.ts'
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
const afterNodes = async (count: number, over: Parameters<typeof startRollout>[1]): Promise<World> => {
  const world = worldOf(nodes)
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
