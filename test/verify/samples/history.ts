import type { Interval } from '../../../shared/domain/history/day.ts'
import type { History, Write } from '../../../shared/domain/history/history.ts'

const cluster = { name: 'shop-prod', account: '111122223333', region: 'eu-central-1' }
const named = (at: number): string => `FelixConfiguration/node.ip-10-0-0-${at}.eu-central-1.compute.internal`

const interval = (from: string, until: string, rest: Omit<Interval, 'from' | 'until'>): Interval => ({
  from: `2026-11-${from}:00.000Z`,
  until: `2026-11-${until}:00.000Z`,
  ...rest,
})

const write = (at: string, what: string, object: string, over: Partial<Write> = {}): Write => ({
  at: `2026-11-${at}.000Z`,
  rollout: '62c82652b6db',
  what,
  object,
  by: 'calico-ipvs-sync (AWS Lambda)',
  why: 'RANGE_DIFFERS',
  claimed: false,
  ...over,
})

const differs = [{ code: 'RANGE_DIFFERS', severity: 'critical' }] satisfies Interval['findings']
const halted = [...differs, { code: 'ROLLOUT_HALTED', severity: 'warning' }] satisfies Interval['findings']

/** A week: in step, a range that changed, a rollout that halted and was resumed, and six hours of which nothing is known. */
export const aWeek = (): History => ({
  schemaVersion: 1,
  cluster,
  from: '2026-11-16T00:00:00.000Z',
  to: '2026-11-23T00:00:00.000Z',
  readAt: '2026-11-23T08:00:00.000Z',
  gapLimits: [{ from: '2026-11-16T00:00:00.000Z', minutes: 150, source: 'configured' }],
  gapMinutes: 150,
  intervals: [
    interval('16T00:10', '18T09:20', { looks: 58, verdict: 'in-step', findings: [], nodes: { 'in-step': 12 } }),
    interval('18T15:40', '20T09:20', { looks: 43, verdict: 'in-step', findings: [], nodes: { 'in-step': 12 } }),
    interval('20T09:29', '20T09:36', {
      looks: 3,
      verdict: 'out-of-step',
      findings: differs,
      desiredRange: ['20000:32767'],
      nodes: { 'out-of-step': 11, 'in-step': 1 },
    }),
    interval('20T09:37', '20T11:02', {
      looks: 4,
      verdict: 'out-of-step',
      findings: halted,
      desiredRange: ['20000:32767'],
      nodes: { 'out-of-step': 11, 'in-step': 1 },
    }),
    interval('20T11:14', '22T23:50', {
      looks: 61,
      verdict: 'in-step',
      findings: [],
      desiredRange: ['20000:32767'],
      nodes: { 'in-step': 12 },
    }),
  ],
  gaps: [{ from: '2026-11-18T09:20:00.000Z', to: '2026-11-18T15:40:00.000Z' }],
  writes: [
    write('20T09:30:01', 'override', named(1), { after: '20000:32767' }),
    write('20T09:31:31', 'override', named(2), { after: '20000:32767' }),
    write('20T09:36:31', 'halt', 'Node/ip-10-0-0-2.eu-central-1.compute.internal'),
    write('20T09:36:32', 'roll-back', named(2), { before: '20000:32767' }),
    write('20T11:02:10', 'resume', 'Lease/kube-system/calico-ipvs-sync', {
      by: 'jo@example.com',
      why: 'a person',
      claimed: true,
    }),
    ...[2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12].map((at) =>
      write(`20T11:0${Math.floor(at / 2) + 1}:${at % 2 === 0 ? '15' : '45'}`, 'override', named(at), {
        after: '20000:32767',
      }),
    ),
    write('20T11:13:01', 'promote', 'FelixConfiguration/default', { before: '30000:32767', after: '20000:32767' }),
    write('20T11:13:02', 'remove', named(1), { before: '20000:32767' }),
  ],
  leftOut: 0,
  unreadable: 0,
})
