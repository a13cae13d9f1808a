import { describe, expect, test } from '@jest/globals'
import type { PodState } from '../../shared/domain/cluster.ts'
import { read, valueOf } from '../../shared/domain/read.ts'
import { rangeAnnotation } from '../../shared/domain/rollout/annotations.ts'
import { evidenceLines } from '../../shared/domain/rollout/halt-evidence.ts'
import { impactOf } from '../../shared/domain/rollout/halt-finding.ts'
import { isOurs } from '../../shared/domain/rollout/marks.ts'
import { soundRollout } from '../../shared/domain/rollout/parse.ts'
import type { Rollout } from '../../shared/domain/rollout/rollout.ts'
import { takeStep } from '../../shared/workflows/rollout/step.ts'
import type { Outcome } from '../../shared/workflows/rollout/tools.ts'
import { felixObject, quickPace, ranges, startRollout, type World, worldOf } from './world.ts'

/** More nodes that are not well than a Lease has room for. */
const target = '20000:32767'
const former = '30000:32766'
const count = 120
const nodes = Array.from({ length: count }, (_, index) => `n${String(index).padStart(3, '0')}`)

const run = async (world: World, each: () => void = () => undefined): Promise<Outcome> => {
  for (let step = 0; step < 3 * count; step += 1) {
    const outcome = await takeStep(world.tools)
    each()
    if (outcome.next === 'over') return outcome
    if (outcome.next === 'wait') world.clock += outcome.seconds * 1000
  }
  throw new Error('the rollout does not come to an end')
}

const rolloutIn = (world: World) => soundRollout(world.lease, Infinity) as Rollout

describe('where more than a hundred changed nodes are not well', () => {
  test('a halt removes the overrides of all of them, and of no node that is well', async () => {
    const world = worldOf(nodes, [felixObject('default', { [rangeAnnotation]: former })])
    startRollout(world, { target, pace: { ...quickPace, maxUnavailable: count }, canary: 'n000' })
    const well = new Set(['n000', 'n007', 'n119'])
    const failed = () => world.pods.some(({ ready }) => !ready)
    const outcome = await run(world, () => {
      if (failed() || [...world.objects.values()].filter(isOurs).length < count) return
      const readySince = world.iso()
      world.pods = world.pods.map((pod) => (well.has(pod.node) ? pod : { ...pod, ready: false, readySince }))
    })
    expect(outcome).toMatchObject({ state: 'halted' })
    expect([...world.objects.keys()].toSorted()).toEqual(['default', ...[...well].map((node) => `node.${node}`)])
    const { evidence, rollback } = rolloutIn(world)
    expect(rollback).toBeUndefined()
    expect(evidenceLines(evidence!).find((line) => line.startsWith('not well either'))).toMatch(/, and perhaps more$/)
  })
})

test('after `default` was written, a node for which the Lease has no room is watched all the same', async () => {
  const world = worldOf([...nodes.slice(0, 101), 'z'], [felixObject('default', { [rangeAnnotation]: former })])
  startRollout(world, { target, pace: { ...quickPace, strategy: 'direct' } })
  const { kube } = world.tools
  const atOnce = () => world.felixRestarts[0]?.at ?? Infinity
  // All fail again and again; z is the only one that does not come back after the time in which nodes are watched.
  const pods: typeof kube.pods = async (...args) => {
    const seconds = (world.clock - atOnce()) / 1000
    const inForce = ranges(world)
    const failing = (pod: PodState): PodState => {
      if (seconds < 0 || inForce.get(pod.node) !== target) return pod
      const ready = pod.node !== 'z' && seconds >= 130
      const since = ready ? 130 : Math.floor(seconds / 15) * 15
      return { ...pod, ready, readySince: new Date(atOnce() + since * 1000).toISOString() }
    }
    return read((valueOf(await kube.pods(...args)) ?? []).map(failing))
  }
  world.tools = { ...world.tools, kube: { ...kube, pods } }
  expect(await run(world)).toMatchObject({ state: 'halted', why: expect.stringMatching(/^z: /) })
})

test('what a halt means for users is about all nodes, also those for which its evidence has no room', () => {
  const reason = 'n000: calico-node-n000 was not Ready 120 s after its node-port range was changed'
  const evidence = { node: 'n000', reason, at: '2026-02-01T12:00:00Z', beside: nodes.slice(1, 101) }
  const { pods } = worldOf(nodes)
  expect(impactOf(evidence, pods)).toContain('not urgent')
  const ill = new Set(nodes.slice(102))
  const impact = impactOf(
    evidence,
    pods.map((pod) => (ill.has(pod.node) ? { ...pod, ready: false } : pod)),
  )
  expect(impact).toContain('urgent. Until calico-node is Ready on n102, n103, ')
  expect(impact).toMatch(/ and 6 more, changes of network policy/)
})
