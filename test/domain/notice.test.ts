import { describe, expect, test } from '@jest/globals'
import { newsOf, noticeOf } from '../../shared/domain/notice.ts'
import type { Finding, Report } from '../../shared/domain/report.ts'

const report = (over: Partial<Report> = {}): Report => ({
  schemaVersion: 1,
  cluster: { name: 'prod-1', account: '111122223333', region: 'eu-west-1' },
  observedAt: '2026-11-20T10:00:00Z',
  verdict: 'in-step',
  nodes: [],
  findings: [],
  ...over,
})

const finding = (over: Partial<Finding> = {}): Finding => ({
  code: 'RANGE_DIFFERS',
  severity: 'critical',
  subject: 'cluster',
  message: 'Felix uses 30000:32767',
  evidence: [],
  remedy: 'kubectl patch …',
  ...over,
})

describe('people are told', () => {
  test('nothing while all is well', () => {
    expect(noticeOf(report(), '', 'report')).toBeUndefined()
    expect(noticeOf(report({ findings: [finding({ severity: 'info' })] }), '', 'report')).toBeUndefined()
  })

  test('nothing while a change is under way', () => {
    expect(newsOf(report({ verdict: 'changing', findings: [finding()] }))).toBeUndefined()
    expect(noticeOf(report({ verdict: 'changing' }), 'out-of-step', 'report')).toBeUndefined()
  })

  test('what is wrong, why, and how to mend it', () => {
    const notice = noticeOf(report({ verdict: 'out-of-step', findings: [finding()] }), '', 'report')
    expect(notice).toMatchObject({ severity: 'critical', subject: 'prod-1: Calico is out of step with kube-proxy' })
    expect(notice?.text).toContain('CRITICAL RANGE_DIFFERS: Felix uses 30000:32767')
    expect(notice?.text).toContain('kubectl patch')
  })

  test('once, however many nodes it is about', () => {
    const bad = report({ verdict: 'out-of-step', findings: [finding({ subject: 'node/a' })] })
    const worse = report({
      verdict: 'out-of-step',
      findings: [finding({ subject: 'node/a' }), finding({ subject: 'node/b' })],
    })
    expect(noticeOf(worse, newsOf(bad) ?? '', 'report')).toBeUndefined()
  })

  test('again when it is something else, and when it is over', () => {
    const told = newsOf(report({ verdict: 'out-of-step', findings: [finding()] })) ?? ''
    const other = report({ verdict: 'out-of-step', findings: [finding({ code: 'FELIX_MISSED_MODE' })] })
    expect(noticeOf(other, told, 'report')).toBeDefined()
    expect(noticeOf(report(), told, 'report')?.subject).toBe('prod-1: Calico is in step again')
  })

  test('that a cluster cannot be reached', () => {
    const unreachable = report({
      verdict: 'unknown',
      findings: [finding({ code: 'UNREACHABLE', severity: 'warning' })],
    })
    expect(noticeOf(unreachable, '', 'sync')?.subject).toBe('prod-1: cannot tell whether Calico is in step')
  })

  test('what will be done, and what that disturbs', () => {
    const change = { action: 'patch' as const, apiVersion: 'v1', kind: 'FelixConfiguration', name: 'default' }
    const forecast = { felixRestarts: 3, felixRestartsAtOnce: 1, podRestarts: 0, seconds: 70 }
    const planned = report({
      verdict: 'out-of-step',
      findings: [finding()],
      plan: { strategy: 'staged', changes: [change], forecast, blockedBy: [] },
    })
    expect(noticeOf(planned, '', 'sync')?.text).toContain('Felix restarts on 3 nodes, at most 1 at a time')
    expect(noticeOf(planned, '', 'report')?.text).toContain('calico-ipvs-sync sync --cluster prod-1 --region eu-west-1')
    const blocked = {
      ...planned,
      plan: { strategy: 'staged' as const, changes: [], forecast, blockedBy: ['OWNED_BY_GITOPS' as const] },
    }
    expect(noticeOf(blocked, '', 'sync')?.text).toContain('Nothing will be changed: OWNED_BY_GITOPS')
  })
})
