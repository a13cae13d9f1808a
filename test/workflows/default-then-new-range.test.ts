import { describe, expect, test } from '@jest/globals'
import { rangeAnnotation } from '../../shared/domain/rollout/annotations.ts'
import { soundRollout } from '../../shared/domain/rollout/parse.ts'
import { control } from '../../shared/workflows/rollout/control.ts'
import { takeStep } from '../../shared/workflows/rollout/step.ts'
import type { Outcome } from '../../shared/workflows/rollout/tools.ts'
import { felixObject, quickPace, startRollout, worldOf, type World } from './world.ts'

/** The range changes again while nodes settle that got the range before from `default`, all at once. */
const [former, earlier, target] = ['30000:32766', '20000:32767', '21000:32767']

/** Steps until `isReached`, or the end. */
const run = async (world: World, isReached: (outcome: Outcome) => boolean = () => false): Promise<Outcome> => {
  for (let step = 0; step < 400; step += 1) {
    const outcome = await takeStep(world.tools)
    if (outcome.next === 'over' || isReached(outcome)) return outcome
    if (outcome.next === 'wait') world.clock += outcome.seconds * 1000
  }
  throw new Error('the rollout does not come to an end')
}
const valueOfDefault = (world: World) => world.objects.get('default')?.annotations[rangeAnnotation]

/** `n1` is ill with the earlier range; some seconds later the range changes. */
const changed = async (strategy: 'canary' | 'direct', { after = 5 } = {}): Promise<World> => {
  const world = worldOf(['n0', 'n1', 'n2'], [felixObject('default', { [rangeAnnotation]: former })])
  world.broken.add('n1')
  const pace = { ...quickPace, strategy }
  startRollout(world, { target: earlier, pace, canary: 'n0' })
  await run(world, () => valueOfDefault(world) === earlier)
  world.clock += after * 1000
  startRollout(world, { id: 'r2', target, pace, canary: 'n0' })
  return world
}

for (const strategy of ['canary', 'direct'] as const)
  describe(`the range changes while nodes settle that got the one before from default, with ${strategy}`, () => {
    test('no other node is touched while one of them is not well, and at its deadline the rollout halts and says so', async () => {
      const world = await changed(strategy)
      const before = world.felixRestarts.length
      expect(await run(world)).toMatchObject({ state: 'halted', why: expect.stringContaining('n1') })
      expect(world.felixRestarts).toHaveLength(before)
      expect(valueOfDefault(world)).toBe(earlier)
      expect(soundRollout(world.lease, Infinity)?.evidence).toMatchObject({
        node: 'n1',
        wrote: { object: 'FelixConfiguration/default', value: earlier },
      })
    })

    test('the rollout continues when that node is Ready again', async () => {
      const world = await changed(strategy)
      const first = await run(world, ({ next }) => next === 'wait')
      expect(first).toMatchObject({ why: 'not well since it was changed: n1; no other node is touched' })
      world.broken.clear()
      world.pods = world.pods.map((pod) => (pod.ready ? pod : { ...pod, ready: true, readySince: world.iso() }))
      expect(await run(world)).toMatchObject({ state: 'done' })
      expect(valueOfDefault(world)).toBe(target)
    })

    test('the new range is written only after the nodes have stayed Ready for `settleSeconds`', async () => {
      const world = await changed(strategy, { after: 0 })
      world.broken.clear()
      world.pods = world.pods.map((pod) => ({ ...pod, ready: true, readySince: world.iso() }))
      const at = world.clock
      const before = world.felixRestarts.length
      await run(world, () => world.felixRestarts.length > before)
      expect(world.clock - at).toBeGreaterThanOrEqual(quickPace.settleSeconds * 1000)
    })

    test('it also halts if it begins an hour later: no second node may be without Felix', async () => {
      const world = await changed(strategy, { after: 3_600 })
      const before = world.felixRestarts.length
      expect(await run(world)).toMatchObject({ state: 'halted', why: expect.stringContaining('n1') })
      expect(world.felixRestarts).toHaveLength(before)
    })

    test('a node that fails long after it got the earlier range does not stop the rollout', async () => {
      const world = worldOf(['n0', 'n1', 'n2'], [felixObject('default', { [rangeAnnotation]: former })])
      const pace = { ...quickPace, strategy }
      startRollout(world, { target: earlier, pace, canary: 'n0' })
      expect(await run(world)).toMatchObject({ state: 'done' })
      world.clock += 3_600_000
      world.pods = world.pods.map((pod) =>
        pod.node === 'n1' ? { ...pod, ready: false, readySince: world.iso() } : pod,
      )
      world.clock += 600_000
      startRollout(world, { id: 'r2', target, pace, canary: 'n0' })
      expect(await run(world)).toMatchObject({ state: 'done' })
      expect(valueOfDefault(world)).toBe(target)
    })

    test('after a halt, `rollout resume` continues when that node is Ready again', async () => {
      const world = await changed(strategy)
      await run(world)
      world.broken.clear()
      world.pods = world.pods.map((pod) => ({ ...pod, ready: true }))
      world.clock += 60_000
      await control(world.tools.kube, 'resume', { by: 'test', now: world.tools.now })
      expect(await run(world)).toMatchObject({ state: 'done' })
    })

    test('after a halt, `rollout resume --force` gives the other nodes the range, one at a time, and default', async () => {
      const world = await changed(strategy)
      await run(world)
      const before = world.felixRestarts.length
      await control(world.tools.kube, 'resume', { by: 'test', now: world.tools.now, force: true })
      expect(await run(world)).toMatchObject({ state: 'done' })
      expect(valueOfDefault(world)).toBe(target)
      const nodes = world.felixRestarts.slice(before).map(({ node }) => node)
      expect(nodes).toEqual(['n0', 'n2', 'n1'])
    })
  })
