import { describe, expect, test } from '@jest/globals'
import type { FelixObject } from '../../shared/domain/cluster.ts'
import { changeKey, rangeAnnotation } from '../../shared/domain/rollout/annotations.ts'
import { changeMark } from '../../shared/domain/rollout/marks.ts'
import { takeStep } from '../../shared/workflows/rollout/step.ts'
import { felixObject, quickPace, startRollout, where, worldOf, type World } from './world.ts'

/** What somebody wrote into `spec.kubeNodePortRanges`, which Felix ignores, is theirs: it is back where our range is taken back. */
const target = '20000:32767'
const theirs = ['30000:32000', 32500]

const run = async (world: World): Promise<string> => {
  for (let step = 0; step < 400; step += 1) {
    const outcome = await takeStep(world.tools)
    if (outcome.next === 'over') return outcome.state
    if (outcome.next === 'wait') world.clock += outcome.seconds * 1000
  }
  throw new Error('the rollout does not come to an end')
}

const halted = async (strategy: 'canary' | 'direct', base: FelixObject, spec = true): Promise<World> => {
  const world = worldOf(['n0', 'n1', 'n2', 'n3'], [base])
  world.broken.add('n1')
  startRollout(world, { target, pace: { ...quickPace, strategy }, canary: 'n0', where: { ...where, spec } })
  expect(await run(world)).toBe('halted')
  return world
}
const baseOf = (world: World): FelixObject => world.objects.get('default') as FelixObject

describe.each(['canary', 'direct'] as const)('a halt with %s', (strategy) => {
  test.each([
    ['alone', {}],
    ['beside another annotation', { [rangeAnnotation]: '30000:32766' }],
  ])('gives default its former spec back that stood %s', async (_, annotations) => {
    const world = await halted(strategy, felixObject('default', annotations, { kubeNodePortRanges: theirs, other: 1 }))
    expect(baseOf(world).spec).toEqual({ kubeNodePortRanges: theirs, other: 1 })
    expect(baseOf(world).annotations).toEqual(annotations)
  })

  test('writes no spec where none was, beside the annotation that was', async () => {
    const world = await halted(strategy, felixObject('default', { [rangeAnnotation]: '30000:32766' }))
    expect(baseOf(world).spec).toEqual({})
  })

  test('writes back no spec on which an old operator crashes, nor what is no range of ports', async () => {
    const blind = await halted(strategy, felixObject('default', {}, { kubeNodePortRanges: theirs }), false)
    expect(baseOf(blind).spec).toEqual({})
    for (const it of [['http'], Array.from({ length: 8 }, (_, at) => at * 10 + 1), ['0'.repeat(9_000) + 1]]) {
      const world = await halted(strategy, felixObject('default', {}, { kubeNodePortRanges: it }))
      expect(baseOf(world).spec).toEqual({})
    }
  })
})

test.each([[['30000:32000', { a: 1 }]], [[[80]]], [['none']], [{ length: 1 }], ['30000'], [[true]], [[]]])(
  'a mark that somebody changed to hold %j gives back no spec',
  (spec) => {
    const mark = (it: unknown) => ({ [changeKey]: JSON.stringify({ by: 'x', rollout: 'r1', spec: it }) })
    expect(changeMark({ annotations: mark(spec) })?.spec).toBeUndefined()
    expect(changeMark({ annotations: mark(theirs) })?.spec).toEqual(theirs)
  },
)
