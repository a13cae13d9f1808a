import { expect, test } from '@jest/globals'
import { read, valueOf } from '../../shared/domain/read.ts'
import { fieldManager, rangeAnnotation } from '../../shared/domain/rollout/annotations.ts'
import { soundRollout } from '../../shared/domain/rollout/parse.ts'
import { control } from '../../shared/workflows/rollout/control.ts'
import { takeStep } from '../../shared/workflows/rollout/step.ts'
import type { Outcome } from '../../shared/workflows/rollout/tools.ts'
import { quickPace, startRollout, type World, worldOf } from './world.ts'

/** An abort disturbs one node at a time, also where a list or an object says nothing of a node. */
const target = '20000:32767'

/** Three nodes have the range, and have stayed well with it. */
const aborting = async (): Promise<World> => {
  const world = worldOf(['n0', 'n1', 'n2'])
  startRollout(world, { target, canary: 'n0' })
  for (; world.felixRestarts.length < 3; world.clock += 31_000) await takeStep(world.tools)
  world.felixRestarts = []
  await control(world.tools.kube, 'abort')
  return world
}

const run = async (world: World, each: () => void = () => undefined): Promise<Outcome> => {
  for (let left = 200; left > 0; left -= 1) {
    const outcome = await takeStep(world.tools)
    each()
    if (outcome.next === 'over') return outcome
    world.clock += outcome.next === 'wait' ? outcome.seconds * 1000 : 500
  }
  throw new Error('the abort does not come to an end')
}

/** Each node goes back once, and the others wait until it has stayed well. */
const goesBackOneByOne = ({ felixRestarts, objects }: World): void => {
  expect([...objects.keys()]).toEqual(['default'])
  expect(felixRestarts.map(({ node }) => node).toSorted()).toEqual(['n0', 'n1', 'n2'])
  for (const [index, { at }] of felixRestarts.slice(1).entries())
    expect(at - felixRestarts[index]!.at).toBeGreaterThanOrEqual(quickPace.settleSeconds * 1000)
}

const withoutPodOf = (world: World, isHidden: (node: string) => boolean): void => {
  const { kube } = world.tools
  const pods: typeof kube.pods = async (about) =>
    read((valueOf(await kube.pods(about)) ?? []).filter(({ node }) => !isHidden(node)))
  world.tools = { ...world.tools, kube: { ...kube, pods } }
}

test.each(['n0', 'n1', 'n2'])(
  'an abort waits for a node whose pod is not listed, although the node exists: %s',
  async (node) => {
    const world = await aborting()
    withoutPodOf(world, (it) => it === node)
    expect(await run(world)).toMatchObject({ state: 'aborted' })
    goesBackOneByOne(world)
  },
)

test('an abort waits for a node whose pod is no longer listed once the range is taken back', async () => {
  const world = await aborting()
  withoutPodOf(world, (it) => world.felixRestarts.some(({ node }) => node === it))
  expect(await run(world)).toMatchObject({ state: 'aborted' })
  goesBackOneByOne(world)
})

test('an abort does not wait for a node that no longer has to run calico-node', async () => {
  const world = await aborting()
  world.pods = world.pods.filter(({ node }) => node !== 'n1')
  const { kube } = world.tools
  const nodes: typeof kube.nodes = async () =>
    read((valueOf(await kube.nodes('n1')) ?? []).concat(valueOf(await kube.nodes()) ?? []))
  world.tools = { ...world.tools, kube: { ...kube, nodes } }
  await takeStep(world.tools)
  expect(world.objects.has('node.n1')).toBe(false)
  expect(world.felixRestarts).toEqual([])
})

test('an abort waits for a node whose override somebody deletes as soon as the range is taken back', async () => {
  const world = await aborting()
  const deletes = () => {
    for (const [name, { annotations }] of world.objects)
      if (name !== 'default' && annotations[rangeAnnotation] === undefined) world.objects.delete(name)
  }
  expect(await run(world, deletes)).toMatchObject({ state: 'aborted' })
  goesBackOneByOne(world)
})

test('an abort waits for a node whose override somebody deletes as soon as it is written', async () => {
  const world = worldOf(['n0', 'n1', 'n2'])
  startRollout(world, { target, canary: 'n0' })
  while (world.felixRestarts.length < 2) {
    await takeStep(world.tools)
    if (world.felixRestarts.length < 2) world.clock += 31_000
  }
  const writtenAt = world.clock
  await control(world.tools.kube, 'abort')
  world.objects.delete('node.n1')
  world.felixRestarts = []
  expect(await run(world)).toMatchObject({ state: 'aborted' })
  expect(world.felixRestarts).toMatchObject([{ node: 'n0' }])
  expect(world.felixRestarts[0]!.at - writtenAt).toBeGreaterThanOrEqual(quickPace.settleSeconds * 1000)
})

/** Of each write the API server notes its own time, whatever clock the writer has. */
const withServerClock = (world: World, aheadMs: () => number): void => {
  const { kube } = world.tools
  const patchFelix: typeof kube.patchFelix = async (api, draft, options) => {
    const object = await kube.patchFelix(api, draft, options)
    const time = new Date(world.clock + aheadMs()).toISOString()
    const stamped = { ...object, managedFields: [{ manager: fieldManager, operation: 'Update', time, fields: {} }] }
    world.objects.set(object.name, stamped)
    return stamped
  }
  world.tools = { ...world.tools, kube: { ...kube, patchFelix } }
}

test('an abort takes back one node at a time, also in a process whose clock is a minute behind', async () => {
  const world = await aborting()
  // n0 settled before n1 was changed, and n1 before n2.
  world.clock -= 88_000
  withServerClock(world, () => 88_000)
  expect(await run(world)).toMatchObject({ state: 'aborted' })
  goesBackOneByOne(world)
})

test('an abort takes back two nodes at once if they were changed at the same time', async () => {
  const world = worldOf(['n0', 'n1', 'n2'])
  startRollout(world, { target, canary: 'n0', pace: { ...quickPace, maxUnavailable: 2 } })
  while (world.felixRestarts.length < 3) {
    const outcome = await takeStep(world.tools)
    world.clock += outcome.next === 'wait' ? outcome.seconds * 1000 : 500
  }
  world.felixRestarts = []
  await control(world.tools.kube, 'abort')
  expect(await run(world)).toMatchObject({ state: 'aborted' })
  const back = new Map(world.felixRestarts.map(({ node, at }) => [node, at]))
  expect(back.get('n2')! - back.get('n1')!).toBeLessThan(2_000)
})

test('an abort waits for a node whose override a halt removed at the same moment, before the Lease recorded it', async () => {
  const world = worldOf(['n0', 'n1', 'n2'])
  world.broken.add('n1')
  startRollout(world, { target, canary: 'n0' })
  const isHalted = () => (soundRollout(world.lease, Infinity)?.rollback ?? []).length > 0
  for (; !isHalted(); world.clock += 31_000) await takeStep(world.tools)
  const before = world.lease!
  world.felixRestarts = []
  await takeStep(world.tools)
  expect(world.felixRestarts.map(({ node }) => node)).toEqual(['n1'])
  world.lease = before
  await control(world.tools.kube, 'abort', { by: 'somebody', now: world.tools.now })
  const [removed] = world.felixRestarts
  expect(await run(world)).toMatchObject({ state: 'aborted' })
  const [, next] = world.felixRestarts
  expect(next?.node).toBe('n0')
  expect(next!.at - removed!.at).toBeGreaterThanOrEqual(quickPace.settleSeconds * 1000)
})
