import { describe, expect, test } from '@jest/globals'
import type { KubeClient } from '../../shared/clients/kube/client.ts'
import type { DaemonSetState } from '../../shared/domain/cluster.ts'
import type { Action } from '../../shared/domain/policy/policy.ts'
import { read, valueOf } from '../../shared/domain/read.ts'
import { soundRollout } from '../../shared/domain/rollout/parse.ts'
import { deploymentHolder } from '../../shared/workflows/fleet/tools.ts'
import { takeStep } from '../../shared/workflows/rollout/step.ts'
import { deploymentOf, own } from './both-functions.ts'
import { out } from './hub.ts'
import { felixObject, startRollout, worldOf, type World } from './world.ts'

/** A halt that cannot restore its node yet, in a deployment that hears of the cluster all the time. */
const target = '20000:32767'

const halted = (wrote: string, held: { holder: string; leaseSeconds: number }): World => {
  const world = worldOf(['n0', 'n1'], [felixObject('default'), felixObject('node.n1')])
  world.clock = Date.parse('2026-11-20T10:00:00Z')
  const reason = 'n1 did not come back'
  const evidence = { node: 'n1', reason, at: world.iso(), wrote: { object: `FelixConfiguration/${wrote}` } }
  startRollout(world, { state: 'halted', target, reason, rollback: ['n1'], evidence })
  world.lease = { ...world.lease!, ...held }
  return world
}

/** With `direct`, of these nodes all but n1 are well, and keep the value by overrides when `default` gets its former one. */
const haltedAtOnce = async (nodes: number): Promise<World> => {
  const world = worldOf(
    Array.from({ length: nodes }, (_, index) => `n${index}`),
    [felixObject('default')],
  )
  world.clock = Date.parse('2026-11-20T10:00:00Z')
  world.broken.add('n1')
  const pace = { maxUnavailable: 1, canarySeconds: 30, settleSeconds: 10, nodeDeadlineSeconds: 120 }
  startRollout(world, { target, pace: { strategy: 'direct', ...pace } })
  world.lease = { ...world.lease!, ...own }
  world.tools = { ...world.tools, ...own }
  while (soundRollout(world.lease, world.clock)?.state === 'running') {
    const outcome = await takeStep(world.tools)
    if (outcome.next === 'wait') world.clock += outcome.seconds * 1_000
  }
  return world
}

const twoSets = (kube: KubeClient): KubeClient => ({
  ...kube,
  daemonSets: async () =>
    read((valueOf(await kube.daemonSets()) ?? []).flatMap((set) => [set, { ...set, uid: 'two' }])),
})
const noPods = (kube: KubeClient): KubeClient => ({ ...kube, pods: async () => read([]) })
const withoutCalico = (kube: KubeClient): KubeClient => ({
  ...noPods(kube),
  daemonSets: async () =>
    read([{ ...(valueOf(await kube.daemonSets())?.[0] as DaemonSetState), role: 'kube-proxy' as const }]),
})

test.each([
  ['for a migration of Calico', 'node.n1', own, twoSets],
  ['for a list of pods', 'default', own, noPods],
  ['for somebody who holds the Lease for an hour', 'node.n1', { holder: 'alice', leaseSeconds: 3_600 }, twoSets],
] as const)(
  'a rescue that waits %s has one message, is told once, and ends when it can, which is told once',
  async (...given) => {
    const [, wrote, held, disturbed] = given
    const world = halted(wrote, held)
    const { kube } = world.tools
    const it = deploymentOf(world)
    world.tools = { ...world.tools, kube: disturbed(kube) }
    it.begin()
    for (let seconds = 20; seconds < 30 * 60; seconds += 45) it.hear(seconds)
    await it.run(30, () => expect([it.chains(), it.follows() <= 2]).toEqual([1, true]))
    expect(it.haltsTold()).toBe(1)
    world.tools = { ...world.tools, kube }
    await it.run(60, () => expect(it.chains()).toBeLessThanOrEqual(1))
    expect([it.chains(), it.follows(), it.haltsTold()]).toEqual([0, 0, 2])
    expect(it.halts().map((text) => text.includes('not all undone yet'))).toEqual([true, false])
    expect(soundRollout(world.lease, world.clock)).toMatchObject({ state: 'halted' })
    expect(soundRollout(world.lease, world.clock)).not.toHaveProperty('rollback')
  },
)

test.each([
  ['node.n1', 'in step', 'nothing'],
  ['default', 'in step', 'nothing'],
  ['node.n1', 'out of step', out],
  ['default', 'out of step', out],
])(
  'a rescue that waits for Calico, which was removed, has four messages an hour, is told once, and ends when Calico is there again, which is told once: %s, then %s',
  async (wrote, _, back) => {
    const world = halted(wrote, own)
    const { kube } = world.tools
    let isRemoved = true
    const it = deploymentOf(world, { sees: () => (isRemoved ? 'no calico' : back) })
    world.tools = { ...world.tools, kube: withoutCalico(kube) }
    it.begin()
    await it.run(60, () => expect(it.chains()).toBeLessThanOrEqual(1))
    let messages = 0
    await it.run(240, () => (messages += 1))
    expect([messages <= 4 * 4, it.chains(), it.haltsTold()]).toEqual([true, 0, 1])
    expect(it.halts()[0]).toContain('calico-node was removed from the cluster')
    isRemoved = false
    world.tools = { ...world.tools, kube }
    await it.run(60, () => undefined)
    expect([it.chains(), it.follows(), it.haltsTold()]).toEqual([0, 0, 2])
    expect(it.halts().map((text) => text.includes('not all undone yet'))).toEqual([true, false])
    expect(soundRollout(world.lease, world.clock)).not.toHaveProperty('rollback')
  },
)

test.each([
  ['the look of a quarter of an hour', false],
  ['an event', true],
])(
  'a rescue that people know waits, and %s continues after calico-node was removed, is told once more: at its end',
  async (_, heard) => {
    const world = halted('node.n1', own)
    const { kube } = world.tools
    let isRemoved = false
    const it = deploymentOf(world, { sees: () => (isRemoved ? 'no calico' : out) })
    world.tools = { ...world.tools, kube: twoSets(kube) }
    it.begin()
    await it.run(30, () => undefined)
    isRemoved = true
    world.tools = { ...world.tools, kube: withoutCalico(kube) }
    await it.run(60, () => undefined)
    expect(it.haltsTold()).toBe(1)
    isRemoved = false
    world.tools = { ...world.tools, kube }
    if (heard) it.hear(1)
    await it.run(60, () => undefined)
    expect(it.halts().map((text) => text.includes('not all undone yet'))).toEqual([true, false])
  },
)

test('a rescue that can go on when calico-node is there again, and whose steps fail, is told minutes later', async () => {
  const world = halted('node.n1', own)
  const { kube } = world.tools
  let isRemoved = true
  const it = deploymentOf(world, { sees: () => (isRemoved ? 'no calico' : out), fails: () => !isRemoved })
  world.tools = { ...world.tools, kube: withoutCalico(kube) }
  it.begin()
  await it.run(60, () => undefined)
  expect(it.haltsTold()).toBe(1)
  isRemoved = false
  for (let seconds = 20; seconds < 20 * 60; seconds += 45) it.hear(seconds)
  await it.run(5, () => undefined)
  expect(it.halts().map((text) => text.includes('not all undone yet'))).toEqual([true, true])
  await it.run(60, () => undefined)
  expect(it.haltsTold()).toBe(2)
})

test('a rescue that was interrupted at a terminal is continued within minutes, by one message', async () => {
  const world = halted('node.n1', { holder: 'alice', leaseSeconds: 60 })
  world.tools = { ...world.tools, kube: twoSets(world.tools.kube) }
  const it = deploymentOf(world)
  for (const seconds of [5, 6, 119, 119, 120]) it.hear(seconds)
  await it.run(5, () => expect([it.chains() <= 1, it.follows() <= 2]).toEqual([true, true]))
  expect([it.chains(), world.lease?.holder]).toEqual([1, deploymentHolder])
})

test('a halt is told ten minutes after it, though its rescue still waits', async () => {
  const world = halted('node.n1', own)
  world.tools = { ...world.tools, kube: twoSets(world.tools.kube) }
  const it = deploymentOf(world)
  it.begin()
  await it.run(9, () => expect(it.haltsTold()).toBe(0))
  await it.run(3, () => expect(it.chains()).toBe(1))
  expect(it.haltsTold()).toBe(1)
})

const rollbackIn = (world: World) => soundRollout(world.lease, world.clock)?.rollback
const restored = [expect.stringContaining('FelixConfiguration/default has its former value again')]

test('a halt whose rescue takes longer than ten minutes is told at its end, with what was restored', async () => {
  const world = await haltedAtOnce(15)
  const it = deploymentOf(world, { stepSeconds: 60 })
  it.begin()
  for (let seconds = 20; seconds < 20 * 60; seconds += 45) it.hear(seconds)
  await it.run(13, () => expect(it.halts()).toEqual([]))
  expect(rollbackIn(world)).toEqual(['n1'])
  await it.run(7, () => undefined)
  expect([rollbackIn(world), it.halts()]).toEqual([undefined, restored])
})

describe('the brake stops a rescue at once, and is released twelve minutes later', () => {
  const released = async (disturbed = (kube: KubeClient) => kube) => {
    const world = await haltedAtOnce(3)
    let position: Action = 'off'
    const it = deploymentOf(world, { stepSeconds: 60, brake: () => position })
    it.begin()
    await it.run(12, () => expect(it.halts()).toEqual([]))
    position = 'sync'
    world.tools = { ...world.tools, kube: disturbed(world.tools.kube) }
    return { world, it }
  }

  test.each([
    ['before its own message goes on', 1],
    ['while it goes on', 100],
  ])('the halt is told with what was restored, though the cluster is evaluated %s', async (_, seconds) => {
    const { world, it } = await released()
    it.hear(seconds)
    await it.run((seconds + 15) / 60, () => expect(it.halts()).toEqual([]))
    expect(rollbackIn(world)).toEqual(['n1'])
    await it.run(15, () => undefined)
    expect([rollbackIn(world), it.halts()]).toEqual([undefined, restored])
  })

  test('set to report, the halt is told as not undone, and its end once when it is undone after the release', async () => {
    const world = await haltedAtOnce(3)
    let position: Action = 'report'
    const it = deploymentOf(world, { stepSeconds: 60, brake: () => position })
    it.begin()
    await it.run(12, () => undefined)
    expect([rollbackIn(world), it.halts()]).toEqual([['n1'], [expect.stringContaining('for the brake is set')]])
    position = 'sync'
    await it.run(15, () => undefined)
    expect([rollbackIn(world), it.halts().slice(1)]).toEqual([undefined, restored])
    it.hear(1)
    await it.run(15, () => undefined)
    expect(it.haltsTold()).toBe(2)
  })

  test('set to report, its end is told once also where a person undoes it meanwhile', async () => {
    const world = await haltedAtOnce(3)
    const it = deploymentOf(world, { brake: () => 'report' })
    it.begin()
    await it.run(12, () => undefined)
    expect(it.haltsTold()).toBe(1)
    while (rollbackIn(world)) await takeStep(world.tools)
    await it.run(15, () => undefined)
    it.hear(1)
    await it.run(15, () => undefined)
    expect(it.halts().slice(1)).toEqual(restored)
  })

  test('where it cannot go on then, the halt is told ten minutes after the release', async () => {
    const { it } = await released(twoSets)
    await it.run(9, () => expect(it.halts()).toEqual([]))
    await it.run(4, () => undefined)
    expect(it.halts()).toEqual([expect.stringContaining('not all undone yet')])
  })
})
