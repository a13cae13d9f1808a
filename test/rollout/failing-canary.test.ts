import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { startTables, type Tables } from '../verify/crash/outside.ts'
import { runOnce } from '../verify/crash/run.ts'
import { type Kind, failFelixOn, setTheStage, type Stage } from './stage.ts'
import { control } from '../../shared/workflows/rollout/control.ts'

/**
 * A Felix that does not come back after its range changed: the pod stays, its kubelet finds it NotReady. Through the
 * queues, on a clock of its own.
 */
const policy = { maxUnavailable: '10%' } as const
const kinds: [Kind, number][] = [
  ['real', 5],
  ['embedded', Number(process.env['MANY_NODES'] ?? 40)],
]

for (const [kind, count] of kinds) {
  let stage: Stage
  let tables: Tables

  beforeAll(async () => {
    ;[stage, tables] = await Promise.all([setTheStage(kind, count), startTables()])
  }, 120_000)
  afterAll(async () => {
    await tables?.stop()
    await stage?.stop()
  }, 30_000)

  test(`a failing canary among ${count} nodes (${kind}) halts, is rolled back and told of once; resumed after repair it finishes`, async () => {
    const { observer, clock, nodes, direct } = stage
    const name = `canary-${kind}`
    const felix = await failFelixOn(stage, (node) => observer.broken.add(node))
    const begun = clock.now().getTime()
    const halted = await runOnce(stage, tables.dynamo, { name, policy })
    felix.stop()

    // Halted within its deadline of five minutes, and the look and the settling time around it.
    expect(halted.rollout).toMatchObject({ state: 'halted', target: '20000:32767' })
    expect((clock.now().getTime() - begun) / 1000).toBeLessThan(300 + 120)
    const [canary] = [...observer.broken]
    expect(observer.broken.size).toBe(1)
    expect(halted.rollout?.reason).toContain(canary)

    // The canary was touched and taken back; nobody else was.
    expect(halted.observed.felix.map(({ node, range }) => ({ node, range }))).toEqual([
      { node: canary, range: '20000:32767' },
      { node: canary, range: undefined },
    ])
    expect(halted.observed.pods).toEqual([])
    expect(observer.overrides()).toEqual([])

    const about = halted.published.filter(({ text }) => text.includes('ROLLOUT_HALTED'))
    expect(about).toHaveLength(1)
    expect(about[0]?.text).toContain(canary)
    expect(about[0]?.text).toContain('not Ready')

    await felix.repair()
    observer.broken.clear()
    await observer.caughtUp()
    expect(await control(direct, 'resume')).toMatchObject({ changed: true })
    clock.skip(3_600_000)
    const resumed = await runOnce(stage, tables.dynamo, { name, policy, first: 'sweep' })
    expect([resumed.rollout?.state, resumed.verdict]).toEqual(['done', 'in-step'])
    expect(resumed.observed.felix).toHaveLength(nodes.length)
    // Of a rollout of few nodes nobody hears that half is done.
    const half = expect.stringMatching(
      new RegExp(`^\\[info\\] ${name} .*: half of the nodes are changed and well, \\d+ of`),
    )
    expect(resumed.published.map(({ subject }) => subject)).toEqual([
      expect.stringMatching(new RegExp(`^\\[info\\] ${name} .*: the first node is changed and well, 1 of`)),
      ...(nodes.length > 20 ? [half] : []),
      expect.stringMatching(new RegExp(`^\\[info\\] ${name} .*: Calico is in step again$`)),
    ])
    expect(observer.overrides()).toEqual([])
  }, 240_000)
}
