import { describe, expect, test } from '@jest/globals'
import { digestOf } from '../../shared/domain/notice/digest.ts'
import { type HeldNotice, sendingOf, type ReportedCauses } from '../../shared/domain/notice/gather.ts'
import { goneNotice } from '../../shared/domain/notice/gone-notice.ts'
import { linksOf } from '../../shared/domain/notice/links.ts'
import type { OutgoingNotice } from '../../shared/domain/notice/outgoing.ts'
import { listedAgainNotice, unlistedNotice } from '../../shared/domain/notice/place-notice.ts'
import { type Cause, placeKey } from '../../shared/domain/places.ts'
import type { Report, Severity } from '../../shared/domain/report.ts'
import { subjectOf } from '../../shared/clients/aws/notices.ts'
import { clusterNotice } from '../workflows/storm-stage.ts'

const rules = { digest: { moreThan: 10, settleSeconds: 60, atMostMinutes: 15, dailyAt: '08:00', timezone: 'UTC' } }
const nine = '2026-12-01T09:00:00.000Z'
const ten = '2026-12-01T10:00:00.000Z'
const settled = (at: string) => new Date(Date.parse(at) + 61_000)
const account = '111122223333'

const held = (cluster: string, notice: OutgoingNotice, at = nine): HeldNotice => ({
  cluster,
  hash: cluster,
  at,
  notice,
})
const clusters = (count: number, noticeOf: (name: string) => OutgoingNotice, at = nine) =>
  Array.from({ length: count }, (_, index) => held(`${account}/eu-west-1/c${index}`, noticeOf(`c${index}`), at))
const gone = (name: string) =>
  goneNotice({ account, region: 'eu-west-1', name }, { verdict: 'in-step', observedAt: nine } as Report)
const placeOf = (index: number) => ({
  account: String(index % 40).padStart(12, '4'),
  region: `eu-west-${1 + Math.floor(index / 40)}`,
})
const unlisted = (cause: Cause) => ({ since: nine, sweep: ten, sweeps: 2, cause, message: 'AccessDenied', told: true })
const places = (count: number, cause: Cause = 'sts-denied') =>
  Array.from({ length: count }, (_, index) =>
    held(placeKey(placeOf(index)), unlistedNotice(placeOf(index), unlisted(cause), 7), ten),
  )
const toldBy = (members: HeldNotice[], told: ReportedCauses = {}): ReportedCauses => {
  const sending = sendingOf(members, told, rules, settled(members[0]?.at ?? nine))
  return sending.do === 'digest' ? sending.reported : {}
}

describe('what a digest has told keeps nothing else from being told at once', () => {
  test('accounts that deny the deployment are told an hour after clusters that were deleted', () => {
    expect(sendingOf(places(240), toldBy(clusters(12, gone)), rules, settled(ten))).toMatchObject({ do: 'digest' })
  })

  test('each cause for which they cannot be listed is one of its own, and so is that they can again', () => {
    const told = toldBy(places(20))
    expect(sendingOf(places(20), told, rules, settled(ten)).do).toBe('wait')
    expect(sendingOf(places(20, 'unreachable'), told, rules, settled(ten)).do).toBe('digest')
    const again = places(20).map((it, index) => ({
      ...it,
      notice: listedAgainNotice(placeOf(index), { since: nine }, 3),
    }))
    expect(sendingOf(again, told, rules, settled(ten)).do).toBe('digest')
  })

  test.each<[Severity, Severity, string]>([
    ['warning', 'critical', 'digest'],
    ['info', 'warning', 'digest'],
    ['critical', 'warning', 'wait'],
    ['warning', 'warning', 'wait'],
  ])('a cause told as %s and now %s: %s', (before, now, expected) => {
    const of = (severity: Severity) => (name: string) => clusterNotice(name, 'trouble', { severity })
    expect(sendingOf(clusters(12, of(now), ten), toldBy(clusters(12, of(before))), rules, settled(ten)).do).toBe(
      expected,
    )
  })
})

describe('a digest of clusters with several notices', () => {
  const of = (kind: 'trouble' | 'in-step' | 'switched', severity: Severity, causes: string[]) => (name: string) =>
    clusterNotice(name, 'trouble', { kind, severity, causes })
  const differs = clusters(12, of('trouble', 'critical', ['RANGE_DIFFERS', 'OWNED_BY_GITOPS']), nine)
  const later = (noticeOf: (name: string) => OutgoingNotice) => clusters(12, noticeOf, '2026-12-01T09:00:20.000Z')

  test.each([
    ['a switch', of('switched', 'info', ['switched']), '12 × switched:'],
    ['a less severe one', of('trouble', 'warning', ['MARK_OVERLAP']), '12 × MARK_OVERLAP:'],
  ])('says what is critical first, and each cluster once, though %s came later', (_, noticeOf, other) => {
    const { subject, text } = digestOf([...differs, ...later(noticeOf)], ten)
    expect(subject).toContain('[critical] 12 clusters')
    expect(subject).toContain('12 RANGE_DIFFERS, OWNED_BY_GITOPS, 1 more')
    const first = text.indexOf('12 × RANGE_DIFFERS, OWNED_BY_GITOPS:')
    expect([first > 0, text.indexOf(other) > first]).toEqual([true, true])
  })

  test.each([
    ['its end', of('in-step', 'info', ['in-step'])],
    ['one that is as severe', of('trouble', 'critical', ['RANGE_INVALID'])],
  ])('leaves out what %s has replaced', (_, noticeOf) => {
    expect(digestOf([...differs, ...later(noticeOf)], ten).text).not.toContain('OWNED_BY_GITOPS')
  })
})

test('a digest counts a cluster once for a cause that became less severe', () => {
  const of = (severity: Severity) => (name: string) => clusterNotice(name, 'trouble', { severity })
  const { text } = digestOf([...clusters(12, of('critical')), ...clusters(12, of('warning'), ten)], ten)
  expect(text).toContain('\n12 × UNREACHABLE:')
})

describe('a digest of accounts and regions', () => {
  test('counts them as such, with the cause, in a subject that SNS accepts whole', () => {
    const { subject } = digestOf(places(240), ten)
    expect(subject).toBe('[critical] 240 accounts and regions: 240 cannot be listed (sts-denied)')
    expect(subjectOf(subject)).toBe(subject)
  })

  test('names the regions of each account, who acts, and where to look', () => {
    const { text } = digestOf(places(80), ten)
    expect(text).toContain('80 × cannot be listed (sts-denied): the clusters cannot be listed. A person must act.')
    expect(text).toContain(`\n  ${placeOf(0).account}: eu-west-1, eu-west-2\n`)
    expect(text).toContain('log of list-clusters')
    expect(text).not.toContain('calico-ipvs-sync check')
  })

  test('with deleted clusters tells both apart, the more severe first', () => {
    const { subject, text } = digestOf([...clusters(12, gone), ...places(2)], ten)
    expect(subject).toBe('[critical] 12 clusters, 2 accounts and regions: 2 cannot be listed (sts-denied), 1 more')
    expect(text).toContain('12 × gone: the cluster was deleted. Nobody has to act, if this was intended.')
  })

  test('says nothing to do where nothing is wrong', () => {
    expect(digestOf(clusters(12, gone), ten).text).not.toContain('What to do')
    expect(
      digestOf(
        clusters(12, (name) => clusterNotice(name, 'in-step')),
        ten,
      ).text,
    ).not.toContain('What to do')
  })
})

describe('a notice about an account and region, or a deleted cluster, links', () => {
  const runbook = 'https://docs.example.com/runbook.md'
  test('to its own section of the runbook, and to no cluster that is not there', () => {
    expect(linksOf(unlistedNotice(placeOf(0), unlisted('denied'), 1), { runbook })).toEqual([
      { label: 'Runbook', url: `${runbook}#clusters-not-listed` },
    ])
    expect(linksOf(listedAgainNotice(placeOf(0), { since: nine }, 1), { runbook })).toEqual([])
    expect(linksOf(gone('c1'), { runbook })).toEqual([])
  })
})
