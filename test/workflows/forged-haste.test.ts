import { describe, expect, test } from '@jest/globals'
import { assess } from '../../shared/domain/assess/assess.ts'
import { defaultPolicy } from '../../shared/domain/policy/policy.ts'
import { read } from '../../shared/domain/read.ts'
import { rangeAnnotation } from '../../shared/domain/rollout/annotations.ts'
import { takeStep } from '../../shared/workflows/rollout/step.ts'
import type { StepEvent } from '../../shared/workflows/rollout/tools.ts'
import { sync } from '../../shared/workflows/rollout/sync.ts'
import { cluster } from '../domain/ingredients.ts'
import { felixObject, startRollout, worldOf, type World } from './world.ts'

const before = '30000:32767'
const target = '20000:32767'
const nodes = ['n0', 'n1', 'n2', 'n3', 'n4']

/** A rollout that has reached every node, and not yet `default`. */
const halfDone = async () => {
  const world = worldOf(nodes, [felixObject('default', { [rangeAnnotation]: before })])
  startRollout(world, { target })
  while (world.felixRestarts.length < nodes.length) {
    const outcome = await takeStep(world.tools)
    if (outcome.next === 'wait') world.clock += outcome.seconds * 1000
  }
  world.clock += 600_000
  world.felixRestarts = []
  return world
}

const forge = ({ lease }: World, annotations: Partial<Record<string, string>>) => {
  for (const [key, value] of Object.entries(annotations))
    if (lease && value !== undefined) lease.annotations[`calico-ipvs-sync/${key}`] = value
}

describe('a Lease that somebody changed in the middle of a rollout', () => {
  const lost = { node: 'n0', reason: 'x', at: '2026-02-01T12:00:00Z', beside: nodes, pending: 'take-back' }
  test.each([
    ['halted, all nodes to be taken back', 0, { state: 'halted', rollback: nodes.join(' ') }],
    ['and for another value', 0, { state: 'halted', rollback: nodes.join(' '), target: '1' }],
    ['one node lost, and all others not well either', 0, { evidence: JSON.stringify(lost) }],
    ['aborting, for the value that default has', 1, { state: 'aborting', target: before }],
  ])('disturbs no more nodes at once than the policy allows: %s', async (_, atMost, forged) => {
    const world = await halfDone()
    forge(world, forged)
    for (let step = 0; step < 12; step += 1) await takeStep(world.tools)
    expect(world.felixRestarts).toHaveLength(atMost)
  })

  test('has our override taken off the one node that is not well', async () => {
    const world = await halfDone()
    world.pods = world.pods.map((pod) => (pod.node === 'n3' ? { ...pod, ready: false } : pod))
    const events: StepEvent[] = []
    forge(world, { state: 'halted', rollback: nodes.join(' ') })
    for (let step = 0; step < 12; step += 1) await takeStep({ ...world.tools, tell: (it) => events.push(it) })
    expect(world.felixRestarts.map(({ node }) => node)).toEqual(['n3'])
    expect(events.map(({ what, node }) => `${node}: ${what}`)).toEqual(
      nodes.map((node) => `${node}: override ${node === 'n3' ? 'taken back' : 'left: the node is well with it'}`),
    )
  })
})

test('what is forgotten of the pods that were deleted lets no second one go while the first is missing', async () => {
  const world = worldOf(nodes)
  startRollout(world, { restart: nodes.map((node) => `calico-node-${node}`) })
  const { kube } = world.tools
  world.tools.kube = {
    ...kube,
    // Its successor is not made yet.
    deletePod: async (pod) => {
      const { node = '' } = world.pods.find(({ uid }) => uid === pod.uid) ?? {}
      const deleted = await kube.deletePod(pod)
      world.pods = world.pods.filter((it) => it.node !== node)
      world.bare.add(node)
      return deleted
    },
  }
  for (let step = 0; step < 12; step += 1) {
    await takeStep(world.tools)
    delete world.lease?.annotations['calico-ipvs-sync/touching']
  }
  expect(world.podRestarts.map(({ node }) => node)).toEqual(['n0'])
})

test('who interrupts `sync` while another carries the rollout out lets go of nothing that is theirs', async () => {
  const world = worldOf(nodes)
  startRollout(world, { target })
  if (world.lease) world.lease = { ...world.lease, holder: 'the deployment' }
  const look = async () => {
    const state = { ...cluster('eks range 20000-32767'), observedAt: world.iso(), rollout: read(world.lease) }
    return { state, assessment: assess(state, defaultPolicy) }
  }
  const tools = { ...world.tools, look, sleep: async () => undefined, waiting: () => undefined }
  expect(await sync({ ...tools, interrupted: () => true }, defaultPolicy)).toMatchObject({ end: 'interrupted' })
  expect(world.lease).toMatchObject({ holder: 'the deployment' })
})
