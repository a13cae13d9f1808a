import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { Moment } from '../../lab/aws/moment.ts'
import { assemble, type GuardedStage, raise } from '../flow/guards-stage.ts'
import { storm, type StormFigures } from '../verify/fleet/storm.ts'

/** The short form of a storm of ten thousand events: the stack as synthesized, its bundles, two clusters. */
const events = 1_000
const folder = mkdtempSync(join(tmpdir(), 'calico-ipvs-sync-storm-'))
const moments: Moment[] = []
let stage: GuardedStage
let figures: StormFigures

beforeAll(async () => {
  const assembly = await assemble(folder, { events: { gapSeconds: 20 } })
  const onMoment = (moment: Moment) => void moments.push(moment)
  stage = await raise(assembly, ['stormy', 'calm'], 3, { onMoment })
  stage.deploy({ canarySeconds: 1, settleSeconds: 1, nodeDeadlineSeconds: 60, clustersAtOnce: 2 })
  figures = await storm(stage.cloud, moments, { events, stormy: 'stormy', calm: 'calm' })
  process.stdout.write(`Storm: ${JSON.stringify(figures)}\n`)
}, 600_000)
afterAll(async () => {
  await stage?.stop()
  rmSync(folder, { recursive: true, force: true })
}, 60_000)

describe('a thousand events of one cluster', () => {
  test('cost at most three evaluations', () => {
    expect(figures.evaluations).toBeGreaterThan(0)
    expect(figures.evaluations).toBeLessThanOrEqual(3)
  })

  test('lead to one rollout, of which people hear once that it is needed and once that it is done', () => {
    expect(figures.rollouts).toBe(1)
    expect(figures.notices).toEqual([
      '[critical] stormy (111122223333 eu-west-1): Calico is out of step with kube-proxy',
      '[info] stormy (111122223333 eu-west-1): Calico is in step again',
    ])
  })

  test('keep no other cluster waiting', () => {
    expect(figures.otherWaited.during).toBeLessThan(figures.otherWaited.before + 2_000)
  })

  test('leave no dead letter', async () => {
    expect(await stage.cloud.messages('EvaluationsDeadLetters')).toEqual([])
    expect(await stage.cloud.messages('EventsDeadLetters')).toEqual([])
  })
})
