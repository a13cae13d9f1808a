import { expect, test } from '@jest/globals'
import { assess } from '../../shared/domain/assess/assess.ts'
import type { ClusterState, FelixConfigurations } from '../../shared/domain/cluster.ts'
import { defaultPolicy } from '../../shared/domain/policy/policy.ts'
import { read, valueOf } from '../../shared/domain/read.ts'
import { rangeAnnotation } from '../../shared/domain/rollout/annotations.ts'
import { soundRollout } from '../../shared/domain/rollout/parse.ts'
import { sync } from '../../shared/workflows/rollout/sync.ts'
import { cluster } from '../domain/ingredients.ts'
import { felixObject, type World, worldOf } from './world.ts'

const given = cluster('eks range 20000-22767')

/** `sync` in a process of its own, which ends early where `isOver` says so. */
const synced = async (world: World, isOver: (world: World) => boolean) => {
  const felix = valueOf(given.felix) as FelixConfigurations
  const look = async () => {
    const objects = [...world.objects.values()]
    const now = { observedAt: world.iso(), felix: read({ ...felix, objects }), rollout: read(world.lease) }
    const state: ClusterState = { ...given, ...now }
    return { state, assessment: assess(state, defaultPolicy) }
  }
  const { decided: _none, ...tools } = world.tools
  const sleep = async (seconds: number) => void (world.clock += seconds * 1000)
  const rest = { look, sleep, waiting: () => undefined, interrupted: () => isOver(world) }
  return { end: await sync({ ...tools, ...rest }, defaultPolicy), look }
}

test.each([
  ['default is written', ({ objects }: World) => objects.get('default')?.annotations[rangeAnnotation] !== undefined],
  [
    'the last override is removed',
    ({ objects }: World) => objects.size === 1 && objects.get('default')?.annotations[rangeAnnotation] !== undefined,
  ],
])('a rollout that is interrupted when %s keeps its target: who reverts it that day is flapping', async (_, isOver) => {
  const world = worldOf(['node-0001', 'node-0002', 'node-0003'])
  world.clock = Date.parse(given.observedAt)
  expect((await synced(world, isOver)).end).toMatchObject({ end: 'interrupted' })
  const { end, look } = await synced(world, () => false)
  expect(end).toMatchObject({ end: 'done' })
  expect(soundRollout(world.lease, world.clock)).toMatchObject({ state: 'done', target: '20000:22767' })
  expect(world.felixRestarts).toHaveLength(3)
  world.objects.set('default', felixObject('default'))
  const codes = (await look()).assessment.report.findings.map(({ code }) => code)
  expect(codes).toContain('FLAPPING')
})
