import { describe, expect, test } from '@jest/globals'
import { metricsOf } from '../../shared/metrics.ts'

interface Emf {
  _aws?: {
    Timestamp: number
    CloudWatchMetrics: { Namespace: string; Dimensions: string[][]; Metrics: { Name: string; Unit: string }[] }[]
  }
}
const at = { seconds: 1.5, now: 1_795_000_000_000 }
const of = (event: string, facts: Record<string, unknown> = {}) =>
  metricsOf(event, facts, at) as Emf & Record<string, unknown>
const valuesOf = ({ _aws, ...values }: Emf) => values

describe('the line of the log that tells is the one that is counted', () => {
  test.each([
    ['told', { Notices: 1 }],
    ['rollout begins', { RolloutsBegun: 1 }],
    ['rollout finished', { RolloutsDone: 1 }],
    ['rollout aborted', { RolloutsAborted: 1 }],
    ['rollout halted', { RolloutsHalted: 1 }],
  ])('%s', (event, values) => expect(valuesOf(of(event))).toEqual(values))

  test('a look: its verdict, its seconds, its findings by severity', () => {
    const findings = ['critical', 'critical', 'info'].map((severity) => ({ code: 'X', severity }))
    const { _aws: emf, ...values } = of('assessed', { verdict: 'out-of-step', findings })
    expect(values).toEqual({
      Looks: 1,
      LookSeconds: 1.5,
      FindingsCritical: 2,
      FindingsWarning: 0,
      FindingsInfo: 1,
    })
    const names = emf?.CloudWatchMetrics.map(({ Dimensions, Metrics }) => [Dimensions, Metrics.map(({ Name }) => Name)])
    expect(names).toEqual([
      [[['service']], ['LookSeconds', 'FindingsCritical', 'FindingsWarning', 'FindingsInfo']],
      [[['service', 'verdict']], ['Looks']],
    ])
  })

  test('a verdict that is none makes no dimension of its own', () => {
    expect(of('assessed', { verdict: 'prod-4711' })).not.toHaveProperty('Looks')
  })

  test('the fleet: each number of it, and nothing that is not one', () => {
    expect(valuesOf(of('fleet', { Clusters: 3, OldestVerdictSeconds: 60, cluster: 'x' }))).toEqual({
      Clusters: 3,
      OldestVerdictSeconds: 60,
    })
  })

  test.each([
    ['event', { Events: 1 }],
    ['a look is pending', { EventsCovered: 1 }],
    ['sweep ended', { Places: 12, PlacesUnlisted: 1, PlacesOpen: 0, ClustersListed: 300 }],
    ['organization', { AccountsFound: 40 }],
  ])('%s: what is named as a metric is one, what is a fact is none', (event, values) => {
    expect(valuesOf(of(event, { ...values, sweep: '2026-11-29T10:00:00Z', places: 7, Verdict: 'x' }))).toEqual(values)
  })

  test('what is not counted stays as it is', () => {
    for (const event of ['event ignored', 'waits', 'constructor', 'toString']) expect(of(event)).toEqual({})
  })

  test('what CloudWatch reads has a value beside it, and no dimension but the function and the verdict', () => {
    for (const event of ['assessed', 'told', 'rollout halted', 'fleet']) {
      const { _aws: emf, ...line } = of(event, { verdict: 'unknown', Clusters: 1 })
      expect(emf?.Timestamp).toBe(at.now)
      for (const { Dimensions, Metrics, Namespace } of emf?.CloudWatchMetrics ?? []) {
        expect(Namespace).toBe('CalicoIpvsSync')
        expect(Dimensions.flat().filter((it) => it !== 'service' && it !== 'verdict')).toEqual([])
        for (const { Name } of Metrics) expect(typeof line[Name]).toBe('number')
      }
    }
  })
})
