import { describe, expect, test } from '@jest/globals'
import { assess } from '../../shared/domain/assess/assess.ts'
import type { ClusterState, FelixConfigurations } from '../../shared/domain/cluster.ts'
import { plan } from '../../shared/domain/plan/plan.ts'
import { defaultPolicy } from '../../shared/domain/policy/policy.ts'
import { read, valueOf } from '../../shared/domain/read.ts'
import { rangeAnnotation } from '../../shared/domain/rollout/annotations.ts'
import { soundRollout } from '../../shared/domain/rollout/parse.ts'
import { sync } from '../../shared/workflows/rollout/sync.ts'
import { cluster, marked } from '../domain/ingredients.ts'
import { takeStep } from '../../shared/workflows/rollout/step.ts'
import { felixObject, startRollout, worldOf } from './world.ts'

const nodes = ['node-0001', 'node-0002', 'node-0003']
const withLeft = (range: string, given = 'nothing'): ClusterState => {
  const state = cluster(given)
  const felix = valueOf(state.felix) as FelixConfigurations
  const left = marked(felixObject('node.node-0001', { [rangeAnnotation]: range }))
  return { ...state, felix: read({ ...felix, objects: [...felix.objects, left] }) }
}

const toTheEnd = async (given: ClusterState) => {
  const felix = valueOf(given.felix) as FelixConfigurations
  const world = worldOf(nodes, felix.objects)
  world.clock = Date.parse(given.observedAt)
  const sleep = async (seconds: number) => void (world.clock += seconds * 1000)
  const look = async () => {
    const objects = [...world.objects.values()]
    const now = { observedAt: world.iso(), felix: read({ ...felix, objects }), rollout: read(world.lease) }
    const state: ClusterState = { ...given, ...now }
    return { state, assessment: assess(state, defaultPolicy) }
  }
  const tools = { ...world.tools, look, sleep, waiting: () => undefined, interrupted: () => false }
  return { world, end: await sync(tools, defaultPolicy) }
}

describe('an override of ours that is left, where Felix needs none', () => {
  test.each([
    ['nothing differs', '30000:32767'],
    ['it says another range', '20000:22767'],
  ])('is taken back, and nothing is written on any other node: %s', async (_, range) => {
    const state = withLeft(range)
    const { changes, forecast } = plan(assess(state, defaultPolicy), state, defaultPolicy)
    expect(changes.map(({ action, name }) => `${action} ${name}`)).toEqual(['delete node.node-0001'])
    expect(forecast).toMatchObject({ felixRestarts: 1, felixRestartsAtOnce: 1 })
    const { world, end } = await toTheEnd(state)
    expect(end).toMatchObject({ end: 'done' })
    expect(world.felixRestarts.map(({ node }) => node)).toEqual(['node-0001'])
    expect([...world.objects.keys()]).toEqual(['default'])
    expect(world.objects.get('default')?.annotations).toEqual({})
    expect(soundRollout(world.lease, world.clock)).toMatchObject({ state: 'done' })
  })

  test('goes without a restart where default says the same in words', async () => {
    const { world } = await toTheEnd(withLeft('30000:32767', 'annotation 30000:32767'))
    expect([world.felixRestarts, [...world.objects.keys()]]).toEqual([[], ['default']])
  })
})

test.each([
  ['without restarts', []],
  ['after restarts', ['calico-node-node-0003']],
])('the end of a rollout names an override from which somebody took our marks: %s', async (_, restart) => {
  const target = '20000:32767'
  const world = worldOf(nodes)
  startRollout(world, { target, restart })
  const end = async () => {
    for (let step = 0; step < 100; step += 1) {
      const outcome = await takeStep(world.tools)
      const object = world.objects.get('node.node-0002')
      if (object) world.objects.set(object.name, felixObject(object.name, { [rangeAnnotation]: target }))
      if (outcome.next === 'over') return outcome
      if (outcome.next === 'wait') world.clock += outcome.seconds * 1000
    }
    throw new Error('the rollout does not come to an end')
  }
  const left = 'somebody took our marks from node.node-0002, which keep the range'
  expect(await end()).toMatchObject({ state: 'done', why: expect.stringContaining(left) })
  expect([...world.objects.keys()]).toEqual(['default', 'node.node-0002'])
  const rollout = soundRollout(world.lease, Infinity)
  expect(rollout).toMatchObject({ state: 'done', reason: left })
  expect(rollout?.journal?.entries.at(-1)).toMatchObject({ what: 'done', why: left })
})
