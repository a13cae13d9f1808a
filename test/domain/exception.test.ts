import { describe, expect, test } from '@jest/globals'
import {
  endedSince,
  type Exception,
  exceptionsFor,
  isSilenced,
  withExceptions,
} from '../../shared/domain/policy/exception.ts'
import type { Finding, Report } from '../../shared/domain/report.ts'

const cluster = { account: '111122223333', region: 'eu-west-1', name: 'prod-1' }
const now = Date.parse('2026-11-23T12:00:00Z')
const exception = (over: Partial<Exception> = {}): Exception => ({
  cluster: '111122223333/eu-west-1/prod-1',
  until: '2026-12-01',
  reason: 'moves to nftables',
  ...over,
})
const finding = (code: Finding['code'], severity: Finding['severity'] = 'critical'): Finding => ({
  code,
  severity,
  subject: 'cluster',
  message: 'It is so.',
  evidence: [],
})
const report = (...findings: Finding[]): Report => ({
  schemaVersion: 1,
  cluster,
  observedAt: new Date(now).toISOString(),
  verdict: 'out-of-step',
  nodes: [],
  findings,
})

describe('an exception', () => {
  test.each([
    ['111122223333/eu-west-1/prod-1', true],
    ['111122223333/eu-west-1/*', true],
    ['*/prod-*', true],
    ['*', true],
    ['111122223333/eu-west-1/prod-10', false],
    ['prod-1', false],
    ['111122223333.eu-west-1.prod-1', false],
  ])('for %s: %s', (pattern, holds) => {
    expect(exceptionsFor([exception({ cluster: pattern })], cluster, now).cluster !== undefined).toBe(holds)
  })

  test.each([
    ['2026-11-23', true],
    ['2026-11-22', false],
    ['2026-11-23T12:00:01Z', true],
    ['2026-11-23T12:00:00Z', false],
    ['2026-11-23T13:30:00+02:00', false],
  ])('until %s holds now: %s', (until, holds) => {
    expect(exceptionsFor([exception({ until })], cluster, now).cluster !== undefined).toBe(holds)
  })

  test('of the whole cluster silences it; of one finding only that', () => {
    const both = report(finding('RANGE_DIFFERS'), finding('MARK_OVERLAP'))
    const whole = exceptionsFor([exception()], cluster, now)
    const one = exceptionsFor([exception({ code: 'RANGE_DIFFERS' })], cluster, now)
    expect(isSilenced(both, whole)).toBe(true)
    expect(isSilenced(both, one)).toBe(false)
    expect(isSilenced(report(finding('RANGE_DIFFERS')), one)).toBe(true)
  })

  test('leaves the finding in the report, with until when and why', () => {
    const excepted = exceptionsFor([exception({ code: 'RANGE_DIFFERS' })], cluster, now)
    const [first, second] = withExceptions(report(finding('RANGE_DIFFERS'), finding('MARK_OVERLAP')), excepted).findings
    expect(first).toMatchObject({ severity: 'info', message: 'It is so. Excepted until 2026-12-01: moves to nftables' })
    expect(second).toMatchObject({ severity: 'critical', message: 'It is so.' })
  })

  test('that has ended since people last heard of the cluster is known as such', () => {
    const since = now - 86_400_000
    const ended = exception({ until: '2026-11-23T06:00:00Z' })
    expect(endedSince([ended, exception(), exception({ until: '2026-11-01' })], cluster, { since, now })).toEqual([
      ended,
    ])
  })
})
