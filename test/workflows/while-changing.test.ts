import { describe, expect, test } from '@jest/globals'
import { failed, read, valueOf } from '../../shared/domain/read.ts'
import { soundRollout } from '../../shared/domain/rollout/parse.ts'
import type { Rollout } from '../../shared/domain/rollout/rollout.ts'
import { takeStep } from '../../shared/workflows/rollout/step.ts'
import { deploymentOf, own } from './both-functions.ts'
import { hub, out, stateOf, withRollout } from './hub.ts'
import { felixObject, quickPace, startRollout, type World, worldOf } from './world.ts'

/** What halts and what our own write broke does not wait for the end of a change, which may wait for just that. */
const target = '30000:34000'

const inLease = ({ lease, clock }: World): Rollout | undefined => soundRollout(lease, clock)
const withRange = ({ objects }: World): string[] =>
  [...objects.values()]
    .filter(({ annotations }) => JSON.stringify(annotations).includes(target))
    .map(({ name }) => name)

const nodes = ['n0', 'n1', 'n2']
const begun = (over: Partial<Rollout> = {}): World => {
  const world = worldOf(nodes, [felixObject('default')])
  world.clock = Date.parse('2026-11-20T10:00:00Z')
  startRollout(world, { target, pace: { ...quickPace, canarySeconds: 45, settleSeconds: 35 }, ...over })
  world.lease = { ...world.lease!, ...own }
  world.tools = { ...world.tools, ...own }
  return world
}

/** Just after the write on the first node. */
const inFlight = async (broken: string[], over: Partial<Rollout> = {}): Promise<World> => {
  const world = begun(over)
  for (const node of broken) world.broken.add(node)
  while (world.felixRestarts.length + world.podRestarts.length === 0) await takeStep(world.tools)
  return world
}

/** Both functions see the same cluster. */
const deploymentWhile = (world: World, change: () => string, status = () => 'ACTIVE', fails = () => false) =>
  deploymentOf(world, {
    sees: () => [out, change()].filter(Boolean).join(', '),
    status,
    fails,
    beside: () => ({
      felix: read({ api: 'crd.projectcalico.org/v1' as const, objects: [...world.objects.values()] }),
      pods: read([...(valueOf(stateOf(out).pods) ?? []), ...world.pods]),
    }),
  })

const changes = [
  ['kube-proxy is rolled', 'rolling kube-proxy', 'ACTIVE'],
  ['calico-node is rolled', 'rolling calico', 'ACTIVE'],
  ['EKS updates the cluster', 'eks UPDATING', 'UPDATING'],
] as const

describe.each(changes)('while %s', (_, change, status) => {
  test('a node that our value broke halts the rollout by its deadline, its override is removed, and people are told once', async () => {
    const world = await inFlight(['n0'])
    const it = deploymentWhile(
      world,
      () => change,
      () => status,
    )
    it.begin()
    it.hear(20)
    await it.run(5, () => expect(it.chains()).toBeLessThanOrEqual(1))
    expect(inLease(world)?.state).toBe('halted')
    expect([withRange(world), inLease(world)?.rollback]).toEqual([[], undefined])
    await it.run(10, () => expect(it.chains()).toBeLessThanOrEqual(1))
    expect(it.hub.notices.map(({ subject }) => subject)).toEqual([
      '[critical] blue (111122223333 eu-central-1): rollout halted on n0',
    ])
    await it.run(170, () => expect(it.chains()).toBeLessThanOrEqual(1))
    expect(it.haltsTold()).toBe(1)
  })

  test('and then no more, that halt is not told again', async () => {
    const world = await inFlight(['n0'])
    let isOver = false
    const it = deploymentWhile(
      world,
      () => (isOver ? '' : change),
      () => (isOver ? 'ACTIVE' : status),
    )
    it.begin()
    it.hear(20)
    await it.run(30, () => undefined)
    isOver = true
    await it.run(60, () => undefined)
    it.hear(1)
    await it.run(1, () => undefined)
    expect(it.halts()).toHaveLength(1)
    expect(it.hub.notices).toHaveLength(1)
  })

  test('a well node is observed, no other node is touched, and the rollout goes on afterwards', async () => {
    const world = await inFlight([])
    let isOver = false
    const it = deploymentWhile(
      world,
      () => (isOver ? '' : change),
      () => (isOver ? 'ACTIVE' : status),
      () => isOver,
    )
    it.begin()
    await it.run(40, () => expect(it.chains()).toBe(1))
    expect([withRange(world), world.felixRestarts.length, it.hub.notices]).toEqual([['node.n0'], 1, []])
    const known = it.steps.length
    // While nothing is in flight there is nothing to observe.
    await it.run(20, () => expect(it.chains()).toBe(1))
    expect(it.steps).toHaveLength(known)
    isOver = true
    await it.run(20, () => undefined)
    expect(it.steps.slice(known)).toMatchObject([{ begin: true, decided: world.tools.decided }])
  })

  test('a pod that was restarted and does not come back halts the rollout, and no other is restarted', async () => {
    const world = await inFlight(['n0'], {
      phase: 'restarts',
      restart: nodes.map((node) => `calico-node-${node}`),
    })
    const it = deploymentWhile(
      world,
      () => change,
      () => status,
    )
    it.begin()
    await it.run(6, () => expect(it.chains()).toBeLessThanOrEqual(1))
    expect([inLease(world)?.state, world.podRestarts.length, it.haltsTold()]).toEqual(['halted', 1, 1])
  })

  test('what a halt has to undo is undone', async () => {
    const world = await inFlight(['n0'])
    while (inLease(world)?.rollback === undefined) {
      const outcome = await takeStep(world.tools)
      if (outcome.next === 'wait') world.clock += outcome.seconds * 1_000
    }
    const it = deploymentWhile(
      world,
      () => change,
      () => status,
    )
    // The message of its step is lost: the Lease tells it.
    it.hear(700)
    await it.run(20, () => expect(it.chains()).toBeLessThanOrEqual(1))
    expect([withRange(world), inLease(world)?.rollback]).toEqual([[], undefined])
    expect(it.halts().map((text) => text.includes('not all undone yet'))).toEqual([true, false])
  })

  test('an abort with a node in flight goes on', async () => {
    const world = begun()
    while (withRange(world).length < 2) {
      const outcome = await takeStep(world.tools)
      if (outcome.next === 'wait') world.clock += outcome.seconds * 1_000
    }
    world.lease = {
      ...world.lease!,
      annotations: { ...world.lease?.annotations, 'calico-ipvs-sync/state': 'aborting' },
    }
    const it = deploymentWhile(
      world,
      () => change,
      () => status,
    )
    it.begin()
    await it.run(10, () => expect(it.chains()).toBeLessThanOrEqual(1))
    expect([withRange(world), inLease(world)?.state]).toEqual([[], 'aborted'])
  })
})

test('while EKS updates the cluster, whose server denies what it allows, the override is removed when it answers, and no message fails', async () => {
  const world = await inFlight(['n0'])
  const { kube } = world.tools
  const it = deploymentWhile(
    world,
    () => 'eks UPDATING',
    () => 'UPDATING',
  )
  const denied = failed<never>({ kind: 'denied', object: 'Pods', message: '403' })
  world.tools = { ...world.tools, kube: { ...kube, pods: async () => denied } }
  it.begin()
  await it.run(4, () => expect(it.chains()).toBe(1))
  world.tools = { ...world.tools, kube }
  await it.run(10, () => undefined)
  expect([withRange(world), inLease(world)?.state, it.haltsTold()]).toEqual([[], 'halted', 1])
})

test.each(changes)('while %s, a rollout that has halted is told at once, once, as halted', async (...given) => {
  const [, change] = given
  const evidence = { node: 'n1', reason: 'it did not come back', at: '2026-11-20T09:58:00Z', wrote: { object: 'x' } }
  const it = hub()
  it.state = stateOf(`${out}, ${change}`, withRollout({ state: 'halted', reason: 'n1 did not come back', evidence }))
  for (let attempt = 0; attempt < 20; attempt += 1) await it.look('follow', { attempt })
  expect(it.notices.map(({ subject, attributes: { kind } }) => [subject, kind])).toEqual([
    ['[critical] blue (111122223333 eu-central-1): rollout halted on n1', 'halted'],
  ])
  expect(it.steps).toEqual([])
  // The end of the change is followed all the same.
  expect(it.looks).toHaveLength(18)
  it.state = stateOf(out, withRollout({ state: 'halted', reason: 'n1 did not come back', evidence }))
  await it.look('follow')
  expect(it.notices).toHaveLength(1)
})

test('a halt that people know is not told again because the change brings other findings', async () => {
  const halted = withRollout({ state: 'halted', reason: 'n1 did not come back' })
  const it = hub()
  it.state = stateOf(out, halted)
  await it.look('event')
  it.state = stateOf(`${out}, rolling calico, calico not ready on one`, halted)
  for (let attempt = 0; attempt < 20; attempt += 1) await it.look('follow', { attempt })
  expect(it.notices).toHaveLength(1)
})

const appears = (world: World): void => {
  world.objects.set('default', felixObject('default', { 'argocd.argoproj.io/tracking-id': 'calico:x' }))
}

test('when an owner appears, a node that our value broke is observed and restored, the halt is reported, and no other node is touched', async () => {
  const world = await inFlight(['n0'])
  appears(world)
  const it = deploymentWhile(world, () => '')
  it.begin()
  await it.run(20, () => expect(it.chains()).toBeLessThanOrEqual(1))
  expect([withRange(world), world.felixRestarts.map(({ node }) => node)]).toEqual([[], ['n0', 'n0']])
  expect([inLease(world)?.state, inLease(world)?.rollback, it.haltsTold()]).toEqual(['halted', undefined, 1])
})

test('when an owner appears, a node that is Ready is observed until it has settled, and nothing else happens until the owner is gone', async () => {
  const world = await inFlight([])
  let isOwned = true
  appears(world)
  const it = deploymentWhile(
    world,
    () => '',
    () => 'ACTIVE',
    () => !isOwned,
  )
  it.begin()
  await it.run(20, () => expect(it.chains()).toBeLessThanOrEqual(1))
  expect([withRange(world), world.felixRestarts.length, it.chains(), it.haltsTold()]).toEqual([['node.n0'], 1, 0, 0])
  const known = it.steps.length
  it.hear(1)
  await it.run(20, () => undefined)
  expect(it.steps).toHaveLength(known)
  isOwned = false
  world.objects.set('default', felixObject('default'))
  it.hear(1)
  await it.run(1, () => undefined)
  expect(it.steps.slice(known)).toMatchObject([{ begin: true }])
})

test('when an owner appears, a rollout that only removes overrides touches no node', async () => {
  const world = await inFlight([])
  const { target: _target, ...rest } = inLease(world)!
  startRollout(world, { ...rest, phase: 'range' })
  world.lease = { ...world.lease!, ...own }
  appears(world)
  const it = deploymentWhile(world, () => '')
  it.begin()
  const known = world.felixRestarts.length
  await it.run(20, () => undefined)
  expect(world.felixRestarts.length - known).toBeLessThanOrEqual(1)
  expect(it.chains()).toBe(0)
})

test('where nothing is left to write in the middle of a range, the next step looks at the whole cluster and decides anew', async () => {
  const world = await inFlight([])
  const it = deploymentOf(world, { sees: () => 'nothing', fails: () => it.steps.length > 0 })
  it.begin()
  await it.run(5, () => undefined)
  expect(it.steps).toMatchObject([{ begin: true, decided: world.tools.decided }])
})
