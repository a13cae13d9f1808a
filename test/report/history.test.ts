import { readFileSync } from 'node:fs'
import { expect, test } from '@jest/globals'
import type { History } from '../../shared/domain/history/history.ts'
import { historyCsv } from '../../shared/report/history/csv.ts'
import { historyHtml } from '../../shared/report/history/html.ts'
import { historyJsonSchema, historySchema } from '../../shared/report/history/schema.ts'
import { historyText } from '../../shared/report/history/text.ts'
import { script } from '../../shared/report/html/script.ts'
import { json } from '../../shared/report/json.ts'
import { hostileTexts } from './samples.ts'

const history = (object = 'FelixConfiguration/node.n1'): History => ({
  schemaVersion: 1,
  cluster: { name: 'prod', account: '111122223333', region: 'eu-west-1' },
  from: '2026-11-20T00:00:00.000Z',
  to: '2026-11-28T00:00:00.000Z',
  readAt: '2026-11-29T08:00:00.000Z',
  gapLimits: [{ from: '2026-11-20T00:00:00.000Z', minutes: 150, source: 'configured' }],
  gapMinutes: 150,
  intervals: [
    {
      from: '2026-11-20T00:10:00.000Z',
      until: '2026-11-22T13:10:00.000Z',
      looks: 61,
      verdict: 'in-step',
      findings: [],
      nodes: { 'in-step': 12 },
    },
    {
      from: '2026-11-22T20:10:00.000Z',
      until: '2026-11-27T23:10:00.000Z',
      looks: 120,
      verdict: 'out-of-step',
      findings: [{ code: 'RANGE_DIFFERS', severity: 'critical' }],
      desiredRange: ['20000:32767'],
      nodes: { 'out-of-step': 3, 'in-step': 9 },
    },
  ],
  gaps: [{ from: '2026-11-22T13:10:00.000Z', to: '2026-11-22T20:10:00.000Z' }],
  writes: [
    {
      at: '2026-11-22T20:11:12.000Z',
      rollout: 'r1',
      what: 'override',
      object,
      after: '20000:32767',
      by: 'calico-ipvs-sync (AWS Lambda)',
      why: 'RANGE_DIFFERS',
      claimed: true,
    },
  ],
  leftOut: 0,
  unreadable: 0,
})

test('for how long each verdict held counts from the first day that was asked for', () => {
  const asked = history()
  const [first, ...others] = asked.intervals
  const intervals = [{ ...first, from: '2026-11-19T03:10:00.000Z' }, ...others] as History['intervals']
  expect(historyHtml({ ...asked, intervals })).toContain('Out of step for 5 days 3 h, in step for 2 days 13 h. No')
})

test('text: nothing is wider than a terminal, and a pipe gets whole lines', () => {
  const long = history(`FelixConfiguration/node.${'ip-10-0-0-1.'.repeat(9)}`)
  for (const width of [40, 60, 80, 100])
    expect(
      historyText(long, { width })
        .split('\n')
        .filter((line) => line.length > width),
    ).toEqual([])
  expect(historyText(long)).toContain(`  ${long.writes[0]?.object}  nothing -> 20000:32767\n`)
})

test('text: every interval with its verdict, gaps said as gaps, each write with who, when, what and why', () => {
  expect(historyText(history())).toBe(`prod  eu-west-1 · 111122223333
2026-11-20 00:00 to 2026-11-28 00:00 UTC

2026-11-20 00:10 to 2026-11-22 13:10  in step        61 looks; 12 in step
no evaluation between 2026-11-22 13:10 and 2026-11-22 20:10 (7 h)
2026-11-22 20:10 to 2026-11-27 23:10  out of step    120 looks; 3 out of step, 9 in step; critical RANGE_DIFFERS

Writes
2026-11-22T20:11:12.000Z  override  FelixConfiguration/node.n1  nothing -> 20000:32767
    by calico-ipvs-sync (AWS Lambda), because RANGE_DIFFERS (rollout r1)
    claimed by the cluster; the deployment has no record of it

2 intervals, 1 gap, 1 write. Times are UTC.
A gap is a time without an evaluation, if it is longer than 150 minutes (as the sweep was configured).
The state during a gap is not known: nobody looked, or the cluster was switched off or not in the fleet.
`)
})

test('text and page say which limits of a gap are assumed, and from when another applies', () => {
  const from = '2026-11-23T06:10:00.000Z'
  const gapLimits: History['gapLimits'] = [
    { from, minutes: 150, source: 'assumed' },
    { from, minutes: 2910, source: 'configured' },
  ]
  const told = { ...history(), gapLimits }
  for (const shown of [historyText(told), historyHtml(told)]) {
    expect(shown).toContain('if it is longer than 150 minutes (assumed: there is no record of how often the fleet')
    expect(shown).toContain('; from 2026-11-23 06:10 than 2910 minutes (as the sweep was configured).')
  }
})

test('CSV: intervals, gaps and writes are rows of one table', () => {
  const [head = '', ...rows] = historyCsv(history()).trim().split('\r\n')
  expect(rows.map((row) => row.split(',')[0])).toEqual(['interval', 'gap', 'interval', 'write'])
  expect(new Set([head, ...rows].map((row) => row.replaceAll(/"[^"]*"/g, '').split(',').length))).toEqual(new Set([19]))
})

test('HTML: one page that loads nothing, with the gap and the write in it', () => {
  const page = historyHtml(history())
  expect(page).toContain('no evaluation between 2026-11-22 13:10 and 2026-11-22 20:10')
  expect(page.replaceAll(/<[^>]+>/g, '')).toContain('FelixConfiguration/node.n1')
  expect(page).not.toMatch(/<script [^>]|https?:/)
})

test('HTML: verdicts over time and the writes of a rollout are pictures, with the same in words', () => {
  const page = historyHtml(history())
  expect(page).toContain('aria-label="from 2026-11-20 to 2026-11-28: out of step, in step; 1 gap; 1 write"')
  expect(page.match(/<rect class="(in-step|out-of-step|gap)" x="[\d.]+%"/g)).toHaveLength(3)
  expect(page).toContain('aria-label="n1: override written 20:11:12"')
})

test('what somebody wrote into a record can do nothing in any format', () => {
  for (const text of hostileTexts) {
    const told = history(text)
    expect(historyText(told)).not.toMatch(/[^\P{Cc}\n]|[\u200e\u200f\u202a-\u202e\u2066-\u2069]/u)
    expect(historyHtml(told).replace(`<script>${script}</script>`, '')).not.toMatch(/<(script|img|svg onload)/i)
    expect(
      historyCsv(told)
        .split(/[,\r\n]+/)
        .filter((cell) => /^[=+@|%]/.test(cell)),
    ).toEqual([])
  }
})

test('JSON is what the published schema says (npm run schema)', () => {
  expect(historySchema.parse(JSON.parse(json(history())))).toEqual(history())
  const published = new URL('../../docs/history.schema.json', import.meta.url)
  expect(JSON.parse(readFileSync(published, 'utf8'))).toEqual(JSON.parse(JSON.stringify(historyJsonSchema())))
})

test('the page says before everything else for how long each verdict held, and of what time nothing is known', () => {
  expect(historyHtml(history())).toContain(
    '<p class="lead">Out of step for 5 days 3 h, in step for 2 days 13 h. No evaluation for 7 h. 1 write.</p>',
  )
  expect(historyHtml({ ...history(), intervals: [], gaps: [], writes: [] })).toContain(
    'No evaluation is on record. 0 writes.',
  )
})
