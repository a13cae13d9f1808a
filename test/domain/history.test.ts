import { describe, expect, test } from '@jest/globals'
import {
  assumedGapMinutes,
  type Day,
  gapAfter,
  intervalsAtMost,
  type DayResult,
  dayResult,
  withResult,
} from '../../shared/domain/history/day.ts'
import { historyOf, type Write } from '../../shared/domain/history/history.ts'
import type { Finding, Report, Severity } from '../../shared/domain/report.ts'

const inStep: DayResult = { verdict: 'in-step', findings: [], nodes: { 'in-step': 3 } }
const outOfStep: DayResult = {
  verdict: 'out-of-step',
  findings: [{ code: 'RANGE_DIFFERS', severity: 'critical' }],
  desiredRange: ['20000:32767'],
  nodes: { 'out-of-step': 1, 'in-step': 2 },
}
const at = (time: string, day = '2026-11-22') => `${day}T${time}:00.000Z`
const dayOf = (looks: [string, DayResult][], day?: Day) =>
  looks.reduce<Day | undefined>((before, [when, seen]) => withResult(before, when, seen) ?? before, day)

describe('what is kept of the looks of a day', () => {
  test('looks that see the same are one interval, with the nodes of the last', () => {
    const more = { ...inStep, nodes: { 'in-step': 5 } }
    expect(
      dayOf([
        [at('08:00'), inStep],
        [at('09:00'), inStep],
        [at('10:00'), more],
      ]),
    ).toEqual({ intervals: [{ ...more, from: at('08:00'), until: at('10:00'), looks: 3 }], leftOut: 0 })
  })

  test('another verdict, another finding and another range are intervals of their own', () => {
    const warned: DayResult = { ...inStep, findings: [{ code: 'STRAY_NODE_PORT', severity: 'warning' }] }
    const wider: DayResult = { ...inStep, desiredRange: ['20000:32767'] }
    const day = dayOf([
      [at('08:00'), inStep],
      [at('09:00'), outOfStep],
      [at('10:00'), inStep],
      [at('11:00'), warned],
      [at('12:00'), wider],
    ])
    expect(day?.intervals.map(({ verdict, from, until }) => [verdict, from, until])).toEqual([
      ['in-step', at('08:00'), at('08:00')],
      ['out-of-step', at('09:00'), at('09:00')],
      ['in-step', at('10:00'), at('10:00')],
      ['in-step', at('11:00'), at('11:00')],
      ['in-step', at('12:00'), at('12:00')],
    ])
  })

  test('the same look twice, or an earlier one that comes late, changes nothing', () => {
    const day = dayOf([[at('10:00'), inStep]])
    expect(withResult(day, at('10:00'), inStep)).toBeUndefined()
    expect(withResult(day, at('09:00'), outOfStep)).toBeUndefined()
  })

  test('who was not looked at for hours was not watched: the interval ends', () => {
    const day = dayOf([
      [at('08:00'), inStep],
      [at('10:31'), inStep],
    ])
    expect(day?.intervals).toHaveLength(2)
    expect(assumedGapMinutes).toBe(150)
  })

  test.each([
    [{ everyMinutes: 10, withinMinutes: 5 }, 40, 41],
    [{ everyMinutes: 1440, withinMinutes: 15 }, 2_910, 2_911],
  ])('of a sweep of %j, an interval ends where two of its sweeps are missing', (sweep, within, beyond) => {
    const seen = { ...inStep, gapMinutes: gapAfter(sweep) }
    const [first, begin] = [at('00:10'), Date.parse(at('00:10'))]
    const intervals = (minutes: number) =>
      dayOf([
        [first, seen],
        [new Date(begin + minutes * 60_000).toISOString(), seen],
      ])?.intervals.length
    expect([intervals(within), intervals(beyond)]).toEqual([1, 2])
  })

  test('a cluster that changes all day has a bound, and what is beyond is counted', () => {
    const looks = Array.from({ length: intervalsAtMost + 7 }, (_, n): [string, DayResult] => [
      new Date(Date.parse(at('00:00')) + n * 60_000).toISOString(),
      n % 2 === 0 ? inStep : outOfStep,
    ])
    const day = dayOf(looks)
    expect(day?.intervals).toHaveLength(intervalsAtMost)
    expect(day?.leftOut).toBe(7)
    expect(JSON.stringify(day).length).toBeLessThan(100_000)
  })

  test('of a report: each code once with its worst severity, and nodes by verdict', () => {
    const finding = (severity: Severity): Finding => ({
      code: 'MARK_CAPACITY',
      severity,
      subject: 'node/a',
      message: '',
      evidence: [],
    })
    const node = { verdict: 'in-step', runningMode: 'ipvs', confidence: 'proven' } as const
    const report: Report = {
      schemaVersion: 1,
      cluster: { name: 'prod' },
      observedAt: at('08:00'),
      verdict: 'out-of-step',
      nodes: [
        { ...node, name: 'a' },
        { ...node, name: 'b', verdict: 'out-of-step' },
      ],
      findings: [finding('info'), finding('critical'), finding('warning')],
    }
    expect(dayResult(report)).toEqual({
      verdict: 'out-of-step',
      findings: [{ code: 'MARK_CAPACITY', severity: 'critical' }],
      nodes: { 'in-step': 1, 'out-of-step': 1 },
    })
  })
})

describe('what the records tell between two days', () => {
  const cluster = { account: '111122223333', region: 'eu-west-1', name: 'prod' }
  const asked = {
    cluster,
    from: '2026-11-22T00:00:00.000Z',
    to: '2026-11-24T00:00:00.000Z',
    readAt: '2026-11-29T08:00:00.000Z',
  }
  const hourly = (day: string, hours: number[], seen: DayResult): [string, DayResult][] =>
    hours.map((hour) => [`${day}T${String(hour).padStart(2, '0')}:30:00.000Z`, seen])
  const hours = (from: number, to: number) => Array.from({ length: to - from }, (_, n) => from + n)
  const days = (...all: [string, DayResult][][]) => all.map((looks) => dayOf(looks) as Day)
  const dayBefore = hourly('2026-11-21', [23], inStep)
  const dayAfter = hourly('2026-11-24', [0], inStep)

  test('midnight parts no interval, and a span that was watched has no gap', () => {
    const found = days(
      dayBefore,
      hourly('2026-11-22', hours(0, 24), inStep),
      hourly('2026-11-23', hours(0, 24), inStep),
      dayAfter,
    )
    const { intervals, gaps } = historyOf({ days: found, writes: [], unreadable: 0 }, asked)
    expect(intervals).toEqual([
      { ...inStep, from: '2026-11-21T23:30:00.000Z', until: '2026-11-23T23:30:00.000Z', looks: 49 },
    ])
    expect(gaps).toEqual([])
  })

  test('a night in which nobody looked is a gap, said with its ends', () => {
    const found = days(
      dayBefore,
      hourly('2026-11-22', hours(0, 20), inStep),
      hourly('2026-11-23', hours(6, 24), inStep),
      dayAfter,
    )
    expect(historyOf({ days: found, writes: [], unreadable: 0 }, asked).gaps).toEqual([
      { from: '2026-11-22T19:30:00.000Z', to: '2026-11-23T06:30:00.000Z' },
    ])
  })

  test('before the first look and after the last are gaps too, but not what is yet to come', () => {
    const found = days(hourly('2026-11-22', hours(10, 20), inStep))
    const gaps = (readAt: string) => historyOf({ days: found, writes: [], unreadable: 0 }, { ...asked, readAt }).gaps
    const first = { from: asked.from, to: '2026-11-22T10:30:00.000Z' }
    expect(gaps(asked.readAt)).toEqual([first, { from: '2026-11-22T19:30:00.000Z', to: asked.to }])
    expect(gaps('2026-11-22T20:00:00.000Z')).toEqual([first])
  })

  test('the last look of the day before reaches into the first', () => {
    const found = days(dayBefore, hourly('2026-11-22', hours(1, 24), inStep), hourly('2026-11-23', [0], inStep))
    const historyFrom = historyOf(
      { days: found, writes: [], unreadable: 0 },
      { ...asked, to: '2026-11-23T00:00:00.000Z' },
    )
    expect(historyFrom.gaps).toEqual([])
    expect(historyFrom.intervals[0]?.from).toBe('2026-11-21T23:30:00.000Z')
  })

  test('with nothing on record the whole span is one gap', () => {
    const historyFrom = historyOf({ days: [], writes: [], unreadable: 0 }, asked)
    expect(historyFrom.gaps).toEqual([{ from: asked.from, to: asked.to }])
  })

  const daily = { ...inStep, gapMinutes: gapAfter({ everyMinutes: 1440, withinMinutes: 15 }) }
  const historyFrom = (found: Day[], more = {}) =>
    historyOf({ days: found, writes: [], unreadable: 0 }, { ...asked, ...more })

  test('a fleet that is swept once a day has gaps of its own length, and says which', () => {
    const found = days(
      hourly('2026-11-21', [0], daily),
      hourly('2026-11-22', [0], daily),
      hourly('2026-11-23', [0, 23], daily),
      hourly('2026-11-24', [23], daily),
    )
    expect(historyFrom(found)).toMatchObject({
      gaps: [],
      intervals: [{ looks: 4 }],
      gapLimits: [{ from: asked.from, minutes: 2_910, source: 'configured' }],
    })
    expect(historyFrom(found).intervals[0]).not.toHaveProperty('gapMinutes')
  })

  test('what nobody watched at an end of the span is a gap, however long the limit', () => {
    const middle = [hourly('2026-11-22', [4], daily), hourly('2026-11-23', [4], daily)]
    const first = { from: asked.from, to: '2026-11-22T04:30:00.000Z' }
    const last = { from: '2026-11-23T04:30:00.000Z', to: asked.to }
    expect(historyFrom(days(...middle)).gaps).toEqual([first, last])
    expect(historyFrom(days(hourly('2026-11-20', [4], daily), ...middle)).gaps).toEqual([last])
    expect(historyFrom(days(hourly('2026-11-20', [3], daily), ...middle)).gaps).toEqual([first, last])
    expect(historyFrom(days(...middle, hourly('2026-11-25', [4], daily))).gaps).toEqual([first])
    expect(historyFrom(days(...middle, hourly('2026-11-25', [5], daily))).gaps).toEqual([first, last])
    expect(historyFrom(days(...middle), { readAt: '2026-11-25T04:30:00.000Z' }).gaps).toEqual([first])
  })

  test('of days beside the span nothing is counted or shown', () => {
    const outside = days(dayBefore, hourly('2026-11-22', [0], inStep), hourly('2026-11-24', [0], outOfStep))
    const found = outside.map((day, at) => ({ ...day, leftOut: 10 ** at }))
    expect(historyFrom(found)).toMatchObject({
      leftOut: 10,
      intervals: [{ until: '2026-11-22T00:30:00.000Z', looks: 2 }],
    })
  })

  test('where no record says how often the fleet was swept, a sweep each hour is assumed, and called that', () => {
    const found = days(dayBefore, hourly('2026-11-22', [0], inStep), hourly('2026-11-23', [0, 23], inStep), dayAfter)
    expect(historyFrom(found)).toMatchObject({
      gaps: [{ from: '2026-11-22T00:30:00.000Z' }, { from: '2026-11-23T00:30:00.000Z' }],
      gapLimits: [{ from: asked.from, minutes: 150, source: 'assumed' }],
    })
    expect(historyFrom([]).gapLimits).toEqual([{ from: asked.from, minutes: 150, source: 'assumed' }])
    expect(historyFrom(found, { gapMinutes: 1500 })).toMatchObject({
      gaps: [],
      gapLimits: [{ from: asked.from, minutes: 1500, source: 'given' }],
    })
  })

  test('a sweep that is configured anew parts no interval; each limit applies from its first look', () => {
    const often = { ...inStep, gapMinutes: gapAfter({ everyMinutes: 10, withinMinutes: 5 }) }
    const found = days(
      hourly('2026-11-21', [0], inStep),
      hourly('2026-11-22', [0], daily),
      hourly('2026-11-23', [0, 1], often),
    )
    const { intervals, gapLimits, gapMinutes, gaps } = historyFrom(found, { readAt: '2026-11-23T02:00:00.000Z' })
    expect(gapMinutes).toBe(2_910)
    expect(intervals).toMatchObject([
      { from: '2026-11-21T00:30:00.000Z', until: '2026-11-23T00:30:00.000Z', looks: 3 },
      { from: '2026-11-23T01:30:00.000Z', looks: 1 },
    ])
    expect(gaps).toEqual([{ from: '2026-11-23T00:30:00.000Z', to: '2026-11-23T01:30:00.000Z' }])
    expect(gapLimits).toEqual([
      { from: asked.from, minutes: 150, source: 'assumed' },
      { from: '2026-11-22T00:30:00.000Z', minutes: 2_910, source: 'configured' },
      { from: '2026-11-23T00:30:00.000Z', minutes: 40, source: 'configured' },
    ])
  })

  test('writes of the span, oldest first', () => {
    const write = (when: string): Write => ({
      at: when,
      rollout: 'r1',
      what: 'promote',
      object: 'FelixConfiguration/default',
      by: 'calico-ipvs-sync (AWS Lambda)',
      claimed: false,
    })
    const writes = ['2026-11-23T10:00:00.000Z', '2026-11-22T10:00:00.000Z', '2026-11-24T10:00:00.000Z'].map(write)
    expect(historyOf({ days: [], writes, unreadable: 0 }, asked).writes.map((it) => it.at)).toEqual([
      '2026-11-22T10:00:00.000Z',
      '2026-11-23T10:00:00.000Z',
    ])
  })
})
