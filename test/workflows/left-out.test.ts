import { describe, expect, test } from '@jest/globals'
import { failed, read, valueOf } from '../../shared/domain/read.ts'
import type { NodeState } from '../../shared/domain/cluster.ts'
import { soundRollout } from '../../shared/domain/rollout/parse.ts'
import { control } from '../../shared/workflows/rollout/control.ts'
import { takeStep } from '../../shared/workflows/rollout/step.ts'
import type { Outcome } from '../../shared/workflows/rollout/tools.ts'
import { startRollout, type World, worldOf } from './world.ts'

/** A rollout halted on a node that lost its calico-node pod, and a person keeps the DaemonSet off that node. */
const nodes = ['n0', 'n1', 'n2']
const target = '20000:32767'
const pods = nodes.map((node) => `calico-node-${node}`)

const run = async (world: World, each: () => void = () => undefined): Promise<Outcome> => {
  for (let step = 0; step < 200; step += 1) {
    const outcome = await takeStep(world.tools)
    each()
    if (outcome.next === 'over') return outcome
    if (outcome.next === 'wait') world.clock += outcome.seconds * 1000
  }
  throw new Error('the rollout does not come to an end')
}

const touched = ({ felixRestarts, podRestarts }: World) => [...felixRestarts, ...podRestarts].map(({ node }) => node)

const halted = async (over: Parameters<typeof startRollout>[1]): Promise<World> => {
  const world = worldOf(nodes)
  startRollout(world, { ...over, canary: 'n0' })
  const outcome = await run(world, () => {
    if (touched(world).length === 0 || world.bare.size > 0) return
    world.pods = world.pods.filter(({ node }) => node !== 'n0')
    world.bare.add('n0')
  })
  expect(outcome).toMatchObject({ state: 'halted', why: expect.stringMatching(/^n0: /) })
  return world
}

/** The status of the DaemonSet counts the nodes that have a pod. */
const changeNodes = (world: World, change: (node: NodeState) => NodeState, nodeSelector?: Record<string, string>) => {
  const { kube } = world.tools
  const daemonSets: typeof kube.daemonSets = async () => {
    const sets = valueOf(await kube.daemonSets()) ?? []
    const desired = new Set(world.pods.map(({ node }) => node)).size
    return read(sets.map((it) => ({ ...it, status: { ...it.status, desired }, ...(nodeSelector && { nodeSelector }) })))
  }
  const all: typeof kube.nodes = async (...args) => read((valueOf(await kube.nodes(...args)) ?? []).map(change))
  world.tools = { ...world.tools, kube: { ...kube, daemonSets, nodes: all } }
}

const unlabelled = (world: World) =>
  changeNodes(world, (it) => ({ ...it, labels: world.bare.has(it.name) ? {} : { calico: 'on' } }), { calico: 'on' })
const tainted = (world: World) =>
  changeNodes(world, (it) =>
    world.bare.has(it.name) ? { ...it, taints: [{ key: 'repair', effect: 'NoSchedule' }] } : it,
  )

const speaker = (world: World, force = false) => ({ by: 'alice', now: world.tools.now, force })
const resume = (world: World, force = false) => control(world.tools.kube, 'resume', speaker(world, force))

/** A node that was touched has lost its pod when a person pauses the rollout. */
const paused = async (over: Parameters<typeof startRollout>[1]): Promise<World> => {
  const world = worldOf(nodes)
  startRollout(world, { ...over, canary: 'n0' })
  while (touched(world).length === 0) await takeStep(world.tools)
  world.pods = world.pods.filter(({ node }) => node !== 'n0')
  world.bare.add('n0')
  expect(await control(world.tools.kube, 'pause', speaker(world))).toMatchObject({ changed: true })
  world.clock += 600_000
  return world
}

describe.each([
  ['range', { target }],
  ['restarts', { restart: pods }],
])('%s: resume', (_, over) => {
  test.each([
    ['nodeSelector', unlabelled],
    ['no toleration for the taint repair', tainted],
  ])('leaves out the node on which no pod is wanted any more, and says so: %s', async (why, keepOff) => {
    const world = await halted(over)
    expect(await resume(world)).toMatchObject({ changed: false, why: expect.stringContaining('n0') })
    keepOff(world)
    expect(await resume(world)).toMatchObject({ changed: true, about: expect.stringContaining(`n0 (${why})`) })
    const last = soundRollout(world.lease, Infinity)?.journal?.entries.at(-1)
    expect(last).toMatchObject({ what: 'resume', why: expect.stringContaining(`n0 (${why})`) })
    expect(await run(world)).toMatchObject({ state: 'done' })
    expect(touched(world)).toEqual(nodes)
  })

  test.each([
    ['of a paused rollout', paused, false],
    ['with --force', halted, true],
  ])('%s leaves it out as well', async (_way, stopped, force) => {
    const world = await stopped(over)
    unlabelled(world)
    expect(await resume(world, force)).toMatchObject({
      changed: true,
      about: expect.stringContaining('n0 (nodeSelector)'),
    })
    const last = soundRollout(world.lease, Infinity)?.journal?.entries.at(-1)
    expect(last).toMatchObject({ what: 'resume', why: expect.stringContaining('n0 (nodeSelector)') })
    world.tools = { ...world.tools, policy: soundRollout(world.lease, Infinity)!.pace }
    expect(await run(world)).toMatchObject({ state: 'done' })
    expect(touched(world)).toEqual(nodes)
  })

  test.each([
    ['of a paused rollout', paused, false],
    ['with --force', halted, true],
  ])('%s goes on where it cannot be seen which nodes are to be left out', async (_way, stopped, force) => {
    const world = await stopped(over)
    const { kube } = world.tools
    const refused: typeof kube.nodes = async () => failed({ kind: 'denied', object: 'Nodes', message: 'no' })
    world.tools = { ...world.tools, kube: { ...kube, nodes: refused } }
    const resumed = await resume(world, force)
    expect(resumed).toMatchObject({ changed: true, rollout: { state: 'running' } })
    expect(resumed).not.toHaveProperty('about')
  })

  test('refuses while its pod is only missing, though the status counts no missing pod', async () => {
    const world = await halted(over)
    changeNodes(world, (it) => it)
    expect(await resume(world)).toMatchObject({ changed: false, why: expect.stringContaining('n0') })
  })
})

const listsOfNodes = (world: World): (() => number) => {
  const { kube } = world.tools
  let count = 0
  const nodes: typeof kube.nodes = (name) => {
    if (name === undefined) count += 1
    return kube.nodes(name)
  }
  world.tools = { ...world.tools, kube: { ...kube, nodes } }
  return () => count
}

test('resume leaves out a node with our override as well, on which it did not halt: its override goes with the others', async () => {
  const world = worldOf(nodes)
  world.broken = new Set(['n1'])
  startRollout(world, { target, canary: 'n0' })
  expect(await run(world)).toMatchObject({ state: 'halted', why: expect.stringMatching(/^n1: /) })
  world.broken = new Set()
  world.pods = world.pods
    .filter(({ node }) => node !== 'n0')
    .map((pod) => ({ ...pod, ready: true, readySince: world.iso() }))
  world.bare.add('n0')
  unlabelled(world)
  expect(await resume(world)).toMatchObject({ changed: true, about: expect.stringContaining('n0 (nodeSelector)') })
  const lists = listsOfNodes(world)
  expect(await run(world)).toMatchObject({ state: 'done' })
  // In a large cluster it is the longest of all lists.
  expect(lists()).toBe(0)
  expect(touched(world)).toEqual(['n0', 'n1', 'n1', 'n1', 'n2'])
  expect([...world.objects.keys()]).toEqual(['default'])
})

test('the pod of a node that was left out is not the missing one: a list of no pods says nothing of the others', async () => {
  const world = worldOf(['n0', 'n1'])
  startRollout(world, { target, canary: 'n0' })
  while (touched(world).length === 0) await takeStep(world.tools)
  await control(world.tools.kube, 'pause', speaker(world))
  world.pods = world.pods.filter(({ node }) => node !== 'n0')
  world.bare.add('n0')
  unlabelled(world)
  expect(await resume(world)).toMatchObject({ changed: true, about: expect.stringContaining('n0 (nodeSelector)') })
  world.clock += 60_000
  const noPods = { ...world.tools, kube: { ...world.tools.kube, pods: async () => read([]) } }
  expect(await takeStep(noPods)).toMatchObject({ next: 'wait', why: expect.stringContaining('no pod') })
  expect(touched(world)).toEqual(['n0'])
  expect(await run(world)).toMatchObject({ state: 'done' })
  expect(touched(world)).toEqual(['n0', 'n1'])
})
