import { describe, expect, test } from '@jest/globals'
import { rangesAtMost, rangeTextAtMost } from '../../shared/domain/ports.ts'
import { changedAtKey, changeKey, rangeAnnotation } from '../../shared/domain/rollout/annotations.ts'
import { parseJournal } from '../../shared/domain/rollout/journal.ts'
import { control } from '../../shared/workflows/rollout/control.ts'
import { takeStep } from '../../shared/workflows/rollout/step.ts'
import { felixObject, startRollout, worldOf, type World } from './world.ts'

/** Values that are longer than what is kept of them: a rollout makes progress at each step, and comes to its end. */
const target = '20000:32767'
const nodes = ['n0', 'n1']
const listOf = (characters: number) => Array.from({ length: Math.ceil(characters / 12) }, () => '30000:32766').join(',')

const run = async (world: World): Promise<string> => {
  for (let step = 0; step < 60; step += 1) {
    const outcome = await takeStep(world.tools)
    if (outcome.next === 'over') return outcome.state
    if (outcome.next === 'wait') world.clock += outcome.seconds * 1000
  }
  throw new Error('the rollout does not come to an end')
}

const objectsOf = ({ objects }: World) => [...objects.keys()]
const pace = { maxUnavailable: 1, canarySeconds: 30, settleSeconds: 10, nodeDeadlineSeconds: 120 }
const journalOf = ({ lease }: World) => parseJournal(lease?.annotations['calico-ipvs-sync/journal']).entries

describe.each([13_000, 17_000, 60_000, 200_000])('a former value of %d characters in `default`', (characters) => {
  const former = listOf(characters)
  const begun = (strategy: 'staged' | 'direct'): World => {
    const world = worldOf(nodes, [felixObject('default', { [rangeAnnotation]: former })])
    startRollout(world, { target, pace: { strategy, ...pace } })
    return world
  }

  test('is changed, and its beginning is on record', async () => {
    const world = begun('staged')
    expect(await run(world)).toBe('done')
    expect(objectsOf(world)).toEqual(['default'])
    const written = journalOf(world).filter(({ from }) => from?.startsWith('30000:32766,'))
    expect(written.map(({ what }) => what)).toEqual(['override', 'override', 'promote'])
  })

  test('is what an abort goes back to', async () => {
    const world = begun('staged')
    await takeStep(world.tools)
    world.clock += 60_000
    await control(world.tools.kube, 'abort')
    expect(await run(world)).toBe('aborted')
    expect(objectsOf(world)).toEqual(['default'])
  })

  test('is put back whole after a halt, or not at all', async () => {
    const world = begun('direct')
    world.broken = new Set(['n1'])
    expect(await run(world)).toBe('halted')
    const after = world.objects.get('default')?.annotations[rangeAnnotation]
    expect(after).toBe(characters < rangeTextAtMost ? former : target)
  })
})

/** By anybody who may write the object, and without our override mark, so that it is not taken for ours. */
test.each<[string, Record<string, string>]>([
  ['a former value of 13,000 characters', { from: '1,'.repeat(6_500) }],
  ['a former value of letters that a line has as nine characters each', { from: '語'.repeat(6_000) }],
  ['a time with 11,000 digits', { noted: `2026-02-01T11:00:00.${'1'.repeat(11_000)}Z` }],
])('a mark on the object of a node that has %s', async (_, over) => {
  const change = JSON.stringify({ by: 'x', rollout: 'r', ...over })
  const forged = { [changedAtKey]: '2026-02-01T11:00:00Z', [changeKey]: change }
  const world = worldOf(nodes, [felixObject('default'), felixObject('node.n0', forged)])
  startRollout(world, { target })
  expect(await run(world)).toBe('done')
})

test('a node whose name looks like a secret, which the journal does not show', async () => {
  const world = worldOf(['sk-production-worker-01', 'n1'])
  startRollout(world, { target })
  expect(await run(world)).toBe('done')
  expect(objectsOf(world)).toEqual(['default'])
})

test('the longest range that is planned is carried out', async () => {
  const longest = Array.from({ length: rangesAtMost }, (_, at) => `${20_000 + 3 * at}:${20_001 + 3 * at}`).join(',')
  const world = worldOf(nodes)
  startRollout(world, { target: longest })
  expect(await run(world)).toBe('done')
  expect(world.objects.get('default')?.annotations[rangeAnnotation]).toBe(longest)
})

test('a halt because of more nodes than its evidence names', async () => {
  const many = Array.from({ length: 1_500 }, (_, at) => `ip-10-0-${at}-1.eu-central-1.compute.internal`)
  const world = worldOf(many, [felixObject('default', { [rangeAnnotation]: '30000:32766' })])
  startRollout(world, { target, pace: { strategy: 'direct', ...pace } })
  world.broken = new Set(many)
  expect(await run(world)).toBe('halted')
  expect(world.objects.get('default')?.annotations[rangeAnnotation]).toBe('30000:32766')
})
