import { describe, expect, test } from '@jest/globals'
import { newsOf, noticeOf } from '../../shared/domain/notice/notice.ts'
import type { Finding, FindingCode, Plan, Report } from '../../shared/domain/report.ts'

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

  test('what is wrong and why: the severity and the place in the subject', () => {
    const notice = noticeOf(report({ verdict: 'out-of-step', findings: [finding()] }), '', 'report')
    expect(notice).toMatchObject({
      severity: 'critical',
      subject: '[critical] prod-1 (111122223333 eu-west-1): Calico is out of step with kube-proxy',
    })
    expect(notice?.text).toContain('CRITICAL RANGE_DIFFERS: Felix uses 30000:32767')
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
    expect(noticeOf(report(), told, 'report')?.subject).toBe(
      '[info] prod-1 (111122223333 eu-west-1): Calico is in step again',
    )
  })

  test('that a cluster cannot be reached', () => {
    const unreachable = report({
      verdict: 'unknown',
      findings: [finding({ code: 'UNREACHABLE', severity: 'warning' })],
    })
    expect(noticeOf(unreachable, '', 'sync')?.subject).toBe(
      '[warning] prod-1 (111122223333 eu-west-1): cannot tell whether Calico is in step',
    )
  })

  test('of what others wrote, without a link: neither in the subject nor in the text', () => {
    const links = 'see https://evil.example/x and www.evil.example'
    const bad = report({
      cluster: { name: 'www.evil.example' },
      verdict: 'out-of-step',
      findings: [finding({ message: links, remedy: links })],
    })
    const { subject = '', text = '' } = noticeOf(bad, '', 'report') ?? {}
    expect(subject).toContain('www[.]evil.example')
    expect(text).toContain('RANGE_DIFFERS: see https[:]//evil.example/x and www[.]evil.example')
    expect(`${subject}\n${text}`).not.toMatch(/:\/\/|www\./)
  })

  test('a cluster without account and region by its name alone', () => {
    const unplaced = report({ cluster: { name: 'dev' }, verdict: 'out-of-step', findings: [finding()] })
    expect(noticeOf(unplaced, '', 'report')?.subject).toBe('[critical] dev: Calico is out of step with kube-proxy')
  })
})

describe('the first line says who acts, and then comes what people must do', () => {
  const change = { action: 'patch' as const, apiVersion: 'v1', kind: 'FelixConfiguration', name: 'default' }
  const forecast = { felixRestarts: 3, felixRestartsAtOnce: 1, podRestarts: 0, seconds: 70 }
  const fleetWide = 'kubectl patch felixconfigurations default'
  const differs = finding({ remedy: fleetWide })
  const wide = finding({ code: 'RANGE_TOO_WIDE', remedy: fleetWide })
  const ignored = finding({ code: 'RANGE_SPEC_IGNORED', severity: 'warning', remedy: fleetWide })
  const missed = finding({ code: 'FELIX_MISSED_MODE', remedy: 'kubectl rollout restart daemonset/calico-node' })
  const full = finding({ code: 'MARK_CAPACITY', severity: 'warning', remedy: 'widen the mask' })
  const halt = finding({ code: 'ROLLOUT_HALTED', severity: 'warning', remedy: 'calico-ipvs-sync rollout status' })
  const planned = (blockedBy: FindingCode[] = [], findings = [differs, wide, ignored, missed, full]) =>
    report({
      verdict: 'out-of-step',
      findings,
      plan: { strategy: 'staged', changes: blockedBy.length > 0 ? [] : [change], forecast, blockedBy },
    })
  const lines = (...given: Parameters<typeof noticeOf>) => (noticeOf(...given)?.text ?? '').split('\n')
  const start = 'prod-1 (111122223333 eu-west-1): '

  test('while we act: nobody has to, and no change by hand of what we change is advised', () => {
    const text = lines(planned(), '', 'sync')
    expect(text[0]).toBe(
      `${start}Calico is out of step with kube-proxy. calico-ipvs-sync fixes it now, node by node; nobody has to act. Another notice follows when it is done, or if it halts.`,
    )
    expect(text.join('\n')).not.toMatch(/kubectl/)
    expect(text.slice(2, 4)).toEqual(['What to do:', '1. widen the mask'])
    expect(text.at(-1)).toBe('As of 2026-11-20T10:00:00Z.')
    expect(text.at(-3)).toBe('The rollout restarts Felix on 3 nodes, at most 1 at a time; about 2 min.')
  })

  test.each([
    [[0, 0, 3], '3 calico-node pods'],
    [[1, 1, 1], 'Felix on 1 node and 1 calico-node pod'],
    [[5, 2, 1], 'Felix on 5 nodes, at most 2 at a time, and 1 calico-node pod'],
    [[0, 0, 0], 'nothing'],
  ] as const)(
    'what is restarted is counted only where there is any: %j',
    ([felixRestarts, felixRestartsAtOnce, podRestarts], words) => {
      const { plan, ...it } = planned()
      const told = { ...it, plan: { ...(plan as Plan), forecast: { felixRestarts, felixRestartsAtOnce, podRestarts } } }
      expect(lines(told, '', 'sync').at(-3)).toBe(`The rollout restarts ${words}.`)
    },
  )

  test('while we wait: for what', () => {
    const text = lines(planned(), '', 'sync', { waits: 'the maintenance window is closed' })
    expect(text[0]).toContain('will fix it, but not yet: the maintenance window is closed.')
    expect(text.join('\n')).not.toMatch(/kubectl/)
  })

  test.each(['report', 'off'] as const)(
    'where it is only reported (%s): a person, with the command first',
    (action) => {
      const text = lines(planned(), '', action)
      expect(text[0]).toBe(
        `${start}Calico is out of step with kube-proxy. A person must act: the action of this cluster is ${action}, so calico-ipvs-sync changes nothing.`,
      )
      expect(text.slice(2, 7)).toEqual([
        'Run the commands for this cluster with credentials of account 111122223333: other accounts may have one of the same name.',
        '',
        'What to do:',
        '1. calico-ipvs-sync sync --cluster prod-1 --region eu-west-1',
        '2. widen the mask',
      ])
      expect(text.join('\n')).not.toMatch(/kubectl/)
    },
  )

  test('after a halt: it is critical, names the node, and advises neither a patch nor another sync', () => {
    const halted = planned(['ROLLOUT_HALTED'], [differs, missed, full, halt])
    const notice = noticeOf(halted, '', 'sync', { halted: { node: 'ip-10-1-0-7' }, brake: 'aws ssm put-parameter' })
    expect(notice).toMatchObject({
      severity: 'critical',
      subject: '[critical] prod-1 (111122223333 eu-west-1): rollout halted on ip-10-1-0-7',
    })
    const text = (notice?.text ?? '').split('\n')
    expect(text[0]).toBe(
      `${start}rollout halted on ip-10-1-0-7. Nothing more is changed in this cluster until a person decides.`,
    )
    expect(text.slice(2, 7)).toEqual([
      halt.message,
      '',
      'What to do:',
      '1. calico-ipvs-sync rollout status',
      '2. widen the mask',
    ])
    expect(text.at(-3)).toBe(
      'To stop changes in all other clusters too, which this halt does not need: aws ssm put-parameter',
    )
    expect(notice?.text).not.toMatch(/kubectl|ipvs-sync sync/)
  })

  test('where something forbids it: that first, and the change in Git where that is the way', () => {
    const invalid = finding({ code: 'RANGE_INVALID', remedy: 'remove the annotation' })
    const blocked = lines(planned(['RANGE_INVALID'], [full, differs, invalid]), '', 'sync')
    expect(blocked[0]).toContain('A person must act. Nothing will be changed: RANGE_INVALID.')
    expect(blocked.slice(2, 5)).toEqual(['What to do:', '1. remove the annotation', '2. widen the mask'])
    const owned = finding({ code: 'OWNED_BY_GITOPS', severity: 'warning', remedy: 'change it in Git' })
    const merge = finding({ remedy: 'Merge this into what Argo CD applies' })
    expect(lines(planned(['OWNED_BY_GITOPS'], [merge, owned]), '', 'sync').slice(2, 5)).toEqual([
      'What to do:',
      '1. change it in Git',
      '2. Merge this into what Argo CD applies',
    ])
  })

  test('where there is nothing that we may change, that is said', () => {
    const text = lines(report({ findings: [full] }), '', 'sync')
    expect(text[0]).toBe(
      `${start}Calico is in step, but look at this. There is nothing that calico-ipvs-sync may change.`,
    )
  })

  test.each([
    ['calico-ipvs-sync check --cluster prod-1 --region eu-west-1', 1],
    ['see it:\ncalico-ipvs-sync rollout resume --cluster prod-1 --region eu-west-1\n\nor not', 1],
    ['aws eks describe-cluster --name prod-1 --region eu-west-1', 1],
    ['aws eks update-kubeconfig --name prod-1 --region eu-west-1\nkubectl get nodes', 1],
    ['widen the mask', 0],
    ['calico-ipvs-sync explain MARK_CAPACITY', 0],
  ])(
    'of which account the shell must be is said before commands that find the cluster by its name: %j',
    (remedy, times) => {
      const about = report({ verdict: 'out-of-step', findings: [finding({ code: 'MARK_CAPACITY', remedy })] })
      const text = noticeOf(about, '', 'report')?.text ?? ''
      const said = 'with credentials of account 111122223333'
      expect(text.split(said)).toHaveLength(times + 1)
      if (times > 0) expect(text.indexOf(said)).toBeLessThan(text.indexOf('What to do:'))
      const { account: _, ...cluster } = about.cluster
      expect(noticeOf({ ...about, cluster }, '', 'report')?.text).not.toContain('credentials')
    },
  )

  test('the same step is said once', () => {
    const twice = [full, { ...full, subject: 'node/b' }]
    expect(lines(report({ findings: twice }), '', 'sync').filter((line) => line.includes('widen'))).toEqual([
      '1. widen the mask',
    ])
  })
})
