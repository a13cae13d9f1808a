import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { openness, type Window } from '../../shared/domain/policy/window.ts'

const night: Window = { from: '22:00', to: '04:00', timezone: 'Europe/Berlin' }
const at = (time: string) => new Date(time)
const berlin = (from: string, to: string, days?: Window['days']): Window[] => [
  { from, to, timezone: 'Europe/Berlin', days },
]

describe('a maintenance window', () => {
  test.each([
    ['no window at all is always open', [], '2026-06-01T12:00:00Z', true],
    ['open in the evening', [night], '2026-06-01T20:00:00Z', true],
    ['open past midnight', [night], '2026-06-02T01:59:59Z', true],
    ['closed from its last minute on', [night], '2026-06-02T02:00:00Z', false],
    ['an hour later in winter, as the clock on the wall says', [night], '2026-12-01T20:30:00Z', false],
    ['counts the day on which it opens', berlin('22:00', '04:00', ['sat']), '2026-06-07T01:00:00Z', true],
    ['and not the day into which it reaches', berlin('22:00', '04:00', ['sun']), '2026-06-07T01:00:00Z', false],
    ['the same time twice is a whole day', berlin('06:00', '06:00', ['mon']), '2026-06-02T03:59:00Z', true],
    [
      'in spring the hour that does not exist is kept an hour later',
      berlin('02:00', '02:30'),
      '2027-03-28T01:15:00Z',
      true,
    ],
    ['but not the hour after it', berlin('02:00', '02:30'), '2027-03-28T01:30:00Z', false],
    [
      'in autumn it closes when its end comes for the first time',
      berlin('01:00', '02:30'),
      '2026-10-25T00:29:00Z',
      true,
    ],
    ['and does not open again with the repeated hour', berlin('01:00', '02:30'), '2026-10-25T01:15:00Z', false],
    ['a repeated beginning opens it once, the first time', berlin('02:15', '03:00'), '2026-10-25T00:15:00Z', true],
  ])('%s', (_, windows, time, open) => {
    expect(openness(windows, at(time)).open).toBe(open)
  })

  test('says when it closes, and when it opens', () => {
    expect(openness([night], at('2026-06-01T21:00:00Z'))).toEqual({ open: true, closesAt: at('2026-06-02T02:00:00Z') })
    expect(openness([night], at('2026-06-01T12:00:00Z'))).toEqual({ open: false, opensAt: at('2026-06-01T20:00:00Z') })
    const sundays = berlin('09:00', '10:00', ['sun'])
    expect(openness(sundays, at('2026-11-23T12:00:00Z'))).toEqual({ open: false, opensAt: at('2026-11-29T08:00:00Z') })
  })

  const zones = [
    'Europe/Berlin',
    'America/New_York',
    'Australia/Lord_Howe',
    'Asia/Kolkata',
    'Etc/UTC',
    'America/St_Johns',
  ]
  const time = fc
    .tuple(fc.nat(23), fc.constantFrom('00', '15', '30', '45'))
    .map(([h, m]) => `${h}`.padStart(2, '0') + `:${m}`)
  const anyWindow = fc.record({ from: time, to: time, timezone: fc.constantFrom(...zones) })
  const moment = fc.integer({ min: Date.parse('2026-01-01'), max: Date.parse('2028-01-01') })

  test('whenever and wherever: it opens exactly when it says, and is closed until then', () => {
    fc.assert(
      fc.property(anyWindow, moment, fc.double({ min: 0, max: 0.999, noNaN: true }), (window, now, part) => {
        const state = openness([window], new Date(now))
        const end = (state.open ? state.closesAt : state.opensAt)?.getTime() ?? 0
        expect(end).toBeGreaterThan(now)
        expect(openness([window], new Date(Math.floor(now + (end - now) * part))).open).toBe(state.open)
        const wholeDay = window.from === window.to
        if (!wholeDay) expect(openness([window], new Date(end)).open).toBe(!state.open)
      }),
      { numRuns: 200 },
    )
  })

  test('away from the nights on which clocks change it is what the clock on the wall shows', () => {
    fc.assert(
      fc.property(
        anyWindow,
        fc.integer({ min: Date.parse('2026-06-10'), max: Date.parse('2026-08-20') }),
        (window, now) => {
          const shown = new Intl.DateTimeFormat('en-GB', { timeZone: window.timezone, timeStyle: 'short' }).format(now)
          const { from, to } = window
          const inside = from < to ? from <= shown && shown < to : shown >= from || shown < to
          expect(openness([window], new Date(now)).open).toBe(inside)
        },
      ),
      { numRuns: 200 },
    )
  })

  test('every day has it once, also the two on which clocks change', () => {
    fc.assert(
      fc.property(anyWindow, (window) => {
        let openings = 0
        let now = Date.parse('2026-01-01T12:00:00Z')
        for (const end = Date.parse('2027-01-01T12:00:00Z'); now < end; ) {
          const state = openness([window], new Date(now))
          const next = state.open ? state.closesAt : state.opensAt
          if (!state.open) openings += 1
          now = next?.getTime() ?? Infinity
        }
        // Both ends within the hour that spring leaves out: nothing is left of it on that night.
        if (window.from !== window.to) expect(Math.abs(openings - 365)).toBeLessThanOrEqual(1)
      }),
      { numRuns: 4 },
    )
  })
})
