import { describe, expect, test } from '@jest/globals'
import { assess } from '../../shared/domain/assess/assess.ts'
import type { ClusterState } from '../../shared/domain/cluster.ts'
import { plan } from '../../shared/domain/plan/plan.ts'
import { type Policy, policyWith } from '../../shared/domain/policy/policy.ts'
import { read, valueOf } from '../../shared/domain/read.ts'
import { rangeAnnotation } from '../../shared/domain/rollout/annotations.ts'
import { soundRollout } from '../../shared/domain/rollout/parse.ts'
import type { Strategy } from '../../shared/domain/report.ts'
import { control } from '../../shared/workflows/rollout/control.ts'
import { sync } from '../../shared/workflows/rollout/sync.ts'
import { takeStep } from '../../shared/workflows/rollout/step.ts'
import { beginRollout } from '../../shared/workflows/rollout/begin.ts'
import type { StepEvent } from '../../shared/workflows/rollout/tools.ts'
import { felixObject, healthy, podsOf } from '../domain/states.ts'
import { calicoSet, worldOf, type World } from './world.ts'

/** A range that changes back in the middle of a rollout: what led to it is gone. */
const policy = policyWith({ action: 'sync', maxUnavailable: 1 })
const names = Array.from({ length: 8 }, (_, index) => `node-000${index + 1}`)

/** The cluster as EKS describes it, with the world's objects and Lease in it. */
const stateOf = (world: World, range: { min: number; max: number }): ClusterState => {
  const state = healthy({ nodes: names.length, eks: { serviceNodePortRange: range } })
  const others = valueOf(state.pods)?.filter(({ role }) => role !== 'calico-node') ?? []
  const set = valueOf(state.daemonSets)?.find(({ role }) => role === 'calico-node')?.uid
  const pods = world.pods.map((pod) => ({ ...pod, daemonSet: set ?? '' }))
  const isThere = ({ name }: { name: string }) => pods.some(({ node }) => node === name)
  return {
    ...state,
    observedAt: world.iso(),
    nodes: read((valueOf(state.nodes) ?? []).filter(isThere)),
    pods: read([...others.filter(({ node }) => isThere({ name: node })), ...pods]),
    felix: read({ api: 'crd.projectcalico.org/v1', objects: [...world.objects.values()] }),
    rollout: read(world.lease),
  }
}

const lookAt = (world: World, range: { min: number; max: number }) => {
  const state = stateOf(world, range)
  return { state, assessment: assess(state, policy) }
}

/** Three nodes have another value when it is not wanted any more. */
const halfDone = async (base: string | undefined): Promise<World> => {
  const annotations: Record<string, string> = base === undefined ? {} : { [rangeAnnotation]: base }
  const world = worldOf([], [felixObject({ annotations })])
  world.clock = Date.parse('2026-11-20T10:00:00Z')
  world.pods = podsOf(healthy({ nodes: names.length }), 'calico-node').map((pod) => ({
    ...pod,
    daemonSet: calicoSet.uid,
  }))
  world.tools = { ...world.tools, policy }
  const begun = await beginRollout(world.tools, lookAt(world, { min: 20_000, max: 22_767 }), policy)
  world.tools = { ...world.tools, decided: begun.begun ? begun.decided : undefined }
  while (world.felixRestarts.length < 3) {
    const outcome = await takeStep(world.tools)
    if (outcome.next === 'wait') world.clock += outcome.seconds * 1000
  }
  return world
}

test.each([undefined, '30000:32767'])(
  'nothing more is written: the overrides are taken off, one node at a time (default has %s)',
  async (base) => {
    const world = await halfDone(base)
    const before = [...world.felixRestarts]
    const range = { min: 30_000, max: 32_767 }
    const { state, assessment } = lookAt(world, range)
    const planned = plan(assessment, state, policy)
    expect(planned.changes.map(({ action, name }) => `${action} ${name}`).toSorted()).toEqual(
      before.map(({ node }) => `delete node.${node}`).toSorted(),
    )
    expect(planned.forecast.felixRestarts).toBe(3)
    const written: string[] = []
    const { kube } = world.tools
    const createFelix: typeof kube.createFelix = (api, draft, options) => {
      if (!options?.dryRun) written.push(draft.name)
      return kube.createFelix(api, draft, options)
    }
    const result = await sync(
      {
        ...world.tools,
        kube: { ...kube, createFelix },
        look: async () => lookAt(world, range),
        sleep: async (seconds) => void (world.clock += seconds * 1000),
        waiting: () => undefined,
        interrupted: () => false,
      },
      policy,
    )
    expect(result).toMatchObject({ end: 'done' })
    expect(written).toEqual([])
    expect([...world.objects.keys()]).toEqual(['default'])
    const after = world.felixRestarts.slice(3)
    expect(after.map(({ node }) => node).toSorted()).toEqual(before.map(({ node }) => node).toSorted())
    for (const [index, { at }] of after.entries())
      expect(after.slice(0, index).filter((it) => at - it.at < policy.settleSeconds * 1000)).toEqual([])
    expect(lookAt(world, range).assessment.report.verdict).toBe('in-step')
  },
)

/** Three nodes have an earlier value, and the others get another one from `default`, all at once. */
const another = { min: 25_000, max: 27_767 }
const atOnce = async (strategy: Strategy, broken?: string) => {
  const world = await halfDone(undefined)
  const overridden = world.felixRestarts.map(({ node }) => node)
  world.felixRestarts = []
  world.clock += 3_600_000
  if (broken !== undefined) world.broken.add(broken)
  return { world, overridden, policy: policyWith({ action: 'sync', maxUnavailable: 1, strategy }) }
}

/** As the deployment does it: each wait is an evaluation of the whole cluster. */
const evaluated = async (
  world: World,
  given: Policy,
  { range = another, each = async () => undefined }: { range?: typeof another; each?: () => Promise<unknown> } = {},
) => {
  world.tools = { ...world.tools, policy: given }
  for (let count = 0; count < 400; count += 1) {
    const state = stateOf(world, range)
    const look = { state, assessment: assess(state, given) }
    const begun = await beginRollout(world.tools, look, given)
    if (begun.begun) world.tools = { ...world.tools, decided: begun.decided }
    let outcome = await takeStep(world.tools)
    while (outcome.next === 'now') outcome = await takeStep(world.tools)
    if (outcome.next === 'over') return outcome
    world.clock += outcome.next === 'wait' ? outcome.seconds * 1000 : 5_000
    await each()
  }
  throw new Error('it does not come to an end')
}

const stepByStep = (world: World, given: Policy, { range = another } = {}) =>
  sync(
    {
      ...world.tools,
      look: async () => {
        const state = stateOf(world, range)
        return { state, assessment: assess(state, given) }
      },
      sleep: async (seconds) => void (world.clock += seconds * 1000),
      waiting: () => undefined,
      interrupted: () => false,
    },
    given,
  )

describe.each(['canary', 'direct'] as const)('a range that most nodes got at once, with %s', (strategy) => {
  test.each([
    ['evaluations', evaluated],
    ['sync', stepByStep],
  ] as const)('reaches those with an earlier value one after the other, by %s', async (_, run) => {
    const { world, overridden, policy: given } = await atOnce(strategy)
    await run(world, given)
    expect([...world.objects.keys()]).toEqual(['default'])
    expect(assess(stateOf(world, another), given).report.verdict).toBe('in-step')
    const mine = world.felixRestarts.filter(({ node }) => overridden.includes(node))
    expect(mine.map(({ node }) => node).toSorted()).toEqual(overridden.toSorted())
    for (const [index, { at }] of mine.entries())
      expect(mine.slice(0, index).filter((it) => at - it.at < given.settleSeconds * 1000)).toEqual([])
  })

  test.each([
    ['evaluations', evaluated],
    ['sync', stepByStep],
  ] as const)('halts where one of them is ill, and no other is touched, by %s', async (_, run) => {
    const { world, overridden, policy: given } = await atOnce(strategy, 'node-0008')
    await run(world, given)
    const written = world.felixRestarts.find(({ node }) => node === 'node-0008')?.at ?? NaN
    const later = world.felixRestarts.filter(({ node, at }) => at > written && overridden.includes(node))
    expect(later).toEqual([])
    expect(soundRollout(world.lease, Infinity)).toMatchObject({ state: 'halted', evidence: { node: 'node-0008' } })
    expect(world.objects.get('default')?.annotations[rangeAnnotation]).toBeUndefined()
  })

  test('is aborted with no second node touched while one of them is ill', async () => {
    const { world, overridden, policy: given } = await atOnce(strategy, 'node-0008')
    const isIll = () => world.pods.some(({ ready }) => !ready)
    let isAborted = false
    const each = async () => {
      if (!isAborted && isIll()) await control(world.tools.kube, 'abort', { by: 'alice', now: world.tools.now })
      isAborted ||= isIll()
    }
    await evaluated(world, given, { each })
    const written = world.felixRestarts.find(({ node }) => node === 'node-0008')?.at ?? NaN
    const soon = (at: number) => at > written && at <= written + given.nodeDeadlineSeconds * 1000
    expect(world.felixRestarts.filter(({ node, at }) => overridden.includes(node) && soon(at))).toEqual([])
    expect(soundRollout(world.lease, Infinity)).toMatchObject({ state: 'aborted' })
    expect([...world.objects.keys()]).toEqual(['default'])
  })
})

/** Each look is asked for by the evaluation of another range change, or comes after a wait. */
test.each([
  ['evaluations', evaluated],
  ['sync', stepByStep],
] as const)(
  'where every node that was changed has left, the range that nobody wants any more is written nowhere, by %s',
  async (_, run) => {
    const world = await halfDone('30000:32767')
    const left = new Set(world.felixRestarts.map(({ node }) => node))
    world.pods = world.pods.filter(({ node }) => !left.has(node))
    for (const node of left) world.objects.delete(`node.${node}`)
    const before = new Map(world.objects)
    await run(world, policy, { range: { min: 30_000, max: 32_767 } })
    expect(world.felixRestarts).toHaveLength(3)
    expect(world.objects).toEqual(before)
    expect(soundRollout(world.lease, Infinity)?.state).toBe('done')
  },
)

test('the end names an override from which somebody took our marks, and the log and the Lease do, too', async () => {
  const world = await halfDone('30000:32767')
  const [node = ''] = world.felixRestarts.map((it) => it.node)
  const name = `node.${node}`
  const object = world.objects.get(name)
  const target = object?.annotations[rangeAnnotation] ?? ''
  world.objects.set(name, { ...felixObject({ annotations: { [rangeAnnotation]: target } }), name })
  const range = { min: 30_000, max: 32_767 }
  const told: StepEvent[] = []
  const result = await sync(
    {
      ...world.tools,
      tell: (event) => told.push(event),
      look: async () => lookAt(world, range),
      sleep: async (seconds) => void (world.clock += seconds * 1000),
      waiting: () => undefined,
      interrupted: () => false,
    },
    policy,
  )
  const left = `somebody took our marks from ${name}, which keep the range`
  expect(result).toMatchObject({ end: 'done', why: expect.stringContaining(left) })
  expect([...world.objects.keys()].toSorted()).toEqual(['default', name])
  expect(told.at(-1)).toMatchObject({ what: 'rollout finished', why: left })
  const rollout = soundRollout(world.lease, world.clock)
  expect(rollout).toMatchObject({ state: 'done', reason: left })
  expect(rollout?.journal?.entries.at(-1)).toMatchObject({ what: 'done', why: left })
})
