import { describe, expect, test } from '@jest/globals'
import { chatNotification } from '../../shared/domain/notice/chat.ts'
import { tookFrom } from '../../shared/domain/notice/duration.ts'
import { linksOf, reportPage, withLinks } from '../../shared/domain/notice/links.ts'
import { noticeOf } from '../../shared/domain/notice/notice.ts'
import type { OutgoingNotice } from '../../shared/domain/notice/outgoing.ts'
import type { Report, Verdict } from '../../shared/domain/report.ts'

const notice: OutgoingNotice = {
  subject: '[critical] prod-1 (111122223333 eu-west-1): rollout halted on n1',
  text: 'prod-1: rollout halted on n1. Nothing more is changed.\n\nWhat to do:\n1. look at <n1>\n2. resume\n   or abort\n\nAs of now.',
  attributes: { severity: 'critical', kind: 'halted', cluster: 'prod-1', account: '111122223333', region: 'eu-west-1' },
  about: { incident: 'f00d', since: '2026-11-20T10:00:00Z', causes: ['ROLLOUT_HALTED'] },
}
const runbook = 'https://docs.example.com/runbook.md'

describe('how long', () => {
  test.each([
    ['10:00:00', '10:00:12', '12 s'],
    ['10:00:00', '10:07:40', '7 min'],
    ['10:00:00', '13:12:00', '3 h 12 min'],
    ['10:00:00', '09:59:00', '0 s'],
  ])('from %s to %s is %s', (from, to, text) => expect(tookFrom(`2026-11-20T${from}Z`, `2026-11-20T${to}Z`)).toBe(text))

  test('a trouble of days is told in days and hours', () =>
    expect(tookFrom('2026-11-18T08:00:00Z', '2026-11-20T10:30:00Z')).toBe('2 d 2 h'))
})

describe('links', () => {
  test.each([
    ['eu-west-1', 'https://eu-west-1.console.aws.amazon.com/eks/clusters/prod-1?region=eu-west-1'],
    ['cn-north-1', 'https://cn-north-1.console.amazonaws.cn/eks/clusters/prod-1?region=cn-north-1'],
  ])('of a halt in %s lead to its section of the runbook and to the console of its partition', (region, console) => {
    const there = { ...notice, attributes: { ...notice.attributes, region } }
    expect(linksOf(there, { runbook })).toEqual([
      { label: 'Runbook', url: `${runbook}#rollout-halted` },
      { label: 'Console', url: console },
    ])
  })

  test('lead to the daily report of the fleet where one is written, but of a cluster that is in step', () => {
    const report = reportPage('reports', 'eu-west-1')
    expect(linksOf(notice, { report })[0]).toEqual({
      label: 'Report of the fleet, daily',
      url: 'https://eu-west-1.console.aws.amazon.com/s3/object/reports?region=eu-west-1&prefix=reports/latest/fleet.html',
    })
    const inStep = { ...notice, attributes: { ...notice.attributes, kind: 'in-step' } } as typeof notice
    expect(linksOf(inStep, { report }).map(({ label }) => label)).toEqual(['Console'])
    expect(reportPage('reports', 'us-iso-east-1')).toBeUndefined()
  })

  test('of a cluster in a partition whose console is not known lead to the runbook alone', () => {
    const there = { ...notice, attributes: { ...notice.attributes, region: 'us-iso-east-1' } }
    expect(linksOf(there, { runbook }).map(({ label }) => label)).toEqual(['Runbook'])
  })

  test('are made of no name that AWS does not give', () => {
    for (const cluster of ['../x', 'a b', 'x"><script>', 'a'.repeat(101), ''])
      expect(linksOf({ ...notice, attributes: { ...notice.attributes, cluster } }, {})).toEqual([])
    for (const region of ['evil.example/', 'EU-WEST-1'])
      expect(linksOf({ ...notice, attributes: { ...notice.attributes, region } }, {})).toEqual([])
  })

  test('stand at the end of the text, one a line', () =>
    expect(withLinks('text', linksOf(notice, { runbook })).split('\n').slice(-2)).toEqual([
      `Runbook: ${runbook}#rollout-halted`,
      'Console: https://eu-west-1.console.aws.amazon.com/eks/clusters/prod-1?region=eu-west-1',
    ]))
})

describe('since when', () => {
  const bad: Report = {
    schemaVersion: 1,
    cluster: { name: 'prod-1' },
    observedAt: '2026-11-20T10:00:00Z',
    verdict: 'unknown',
    nodes: [],
    findings: [{ code: 'UNREACHABLE', severity: 'warning', subject: 'cluster', message: 'no answer', evidence: [] }],
  }
  const textOf = (...given: Parameters<typeof noticeOf>) =>
    noticeOf(...given)
      ?.text.split('\n')
      .filter(Boolean)

  test('is told with what is new later in the same trouble, in UTC and as a span', () => {
    expect(textOf(bad, '', 'report', { since: '2026-11-20T08:30:00Z' })?.slice(-2)).toEqual([
      'First seen 2026-11-20T08:30:00Z, 1 h 30 min before.',
      'As of 2026-11-20T10:00:00Z.',
    ])
    expect(textOf(bad, '', 'report', { since: bad.observedAt })?.join()).not.toContain('First seen')
  })

  test('and how long it took stand in the notice that it is over', () => {
    const well: Report = { ...bad, verdict: 'in-step', findings: [] }
    expect(textOf(well, 'unknown', 'report', { since: '2026-11-20T08:30:00Z' })).toEqual([
      'prod-1: Calico is in step with kube-proxy, after 1 h 30 min. Nobody has to act.',
      'It was not since 2026-11-20T08:30:00Z.',
      'As of 2026-11-20T10:00:00Z.',
    ])
  })

  test.each([
    [1, 0, ' on its node'],
    [1, 2, ' on the node that it applies to'],
    [3, 0, ' on all 3 nodes'],
    [3, 1, ' on all 3 nodes that it applies to'],
    [0, 2, ''],
  ])('counts the %i nodes that are in step, and not the %i without Calico', (well, without, words) => {
    const node = (verdict: Verdict) => ({ name: 'n', verdict, runningMode: 'ipvs', confidence: 'proven' }) as const
    const nodes = [...Array(well).fill(node('in-step')), ...Array(without).fill(node('not-applicable'))]
    const [first] = textOf({ ...bad, verdict: 'in-step', nodes, findings: [] }, 'unknown', 'report') ?? []
    expect(first).toBe(`prod-1: Calico is in step with kube-proxy${words}. Nobody has to act.`)
  })
})

describe('a notification of Amazon Q in chat applications', () => {
  test('has its schema: the steps apart, a thread for each incident', () => {
    const attributes = { ...notice.attributes, notice: 'abc' }
    expect(chatNotification({ ...notice, attributes }, linksOf(notice, { runbook }))).toEqual({
      version: '1.0',
      source: 'custom',
      id: 'abc',
      content: {
        textType: 'client-markdown',
        title: notice.subject,
        description: 'prod-1: rollout halted on n1. Nothing more is changed.\n\nAs of now.',
        nextSteps: ['look at &lt;n1&gt;', 'resume\n   or abort'],
      },
      metadata: {
        threadId: 'f00d',
        summary: notice.subject,
        eventType: 'calico-ipvs-sync halted',
        additionalContext: {
          kind: 'halted',
          cluster: 'prod-1',
          account: '111122223333',
          region: 'eu-west-1',
          since: '2026-11-20T10:00:00Z',
          runbook: `${runbook}#rollout-halted`,
          console: 'https://eu-west-1.console.aws.amazon.com/eks/clusters/prod-1?region=eu-west-1',
        },
      },
    })
  })

  test('stays within bounds, and calls nobody, whatever it is about', () => {
    const steps = Array.from({ length: 40 }, (_, index) => `${index + 1}. ${'x'.repeat(2_000)}`).join('\n')
    const hostile = {
      ...notice,
      subject: '<!channel>'.repeat(100),
      text: `${'@here '.repeat(5_000)}\n\nWhat to do:\n${steps}`,
    }
    const { content, metadata } = chatNotification(hostile, [])
    expect(content.title.length).toBeLessThanOrEqual(250)
    expect(content.description.length).toBeLessThanOrEqual(3_000)
    expect(content.nextSteps).toHaveLength(5)
    expect(content.nextSteps?.every(({ length }) => length <= 300)).toBe(true)
    expect(metadata.summary.length).toBeLessThanOrEqual(250)
    expect(`${content.title} ${content.description}`).not.toMatch(/<|@here/)
  })

  test('has commands as code, and shows * and _ as they are', () => {
    const text = 'prod: no exception for */prod.\n\nWhat to do:\n1. kubectl get *x* -o "_y_"\n2. see ~/.kube and a_b'
    const { content } = chatNotification({ ...notice, text }, [])
    expect(content).toMatchObject({
      description: 'prod: no exception for `*/prod.`',
      nextSteps: ['`kubectl get *x* -o "_y_"`', 'see `~/.kube` and a_b'],
    })
  })

  test('has no half command: of a step that is too long the whole lines that fit', () => {
    const commands = [`one ${'a'.repeat(150)}`, `two ${'b'.repeat(150)}`, 'three']
    const { content } = chatNotification(
      { ...notice, text: `x\n\nWhat to do:\n1. ${commands.join('\n')}\n2. four` },
      [],
    )
    expect(content.nextSteps).toEqual([`${commands[0]}\n…`, 'four'])
  })
  test('has no half command as code where the first line is too long', () => {
    const step = (command: string) => {
      const text = `x\n\nWhat to do:\n1. ${command}`
      return chatNotification({ ...notice, text }, []).content.nextSteps?.[0] ?? ''
    }
    const long = step(`kubectl patch ${'a '.repeat(300)}--type merge`)
    expect(long).toMatch(/^kubectl patch (?:a )+a?\n…$/)
    expect(long.length).toBeLessThanOrEqual(300)
    const second = step(`look first\nkubectl patch ${'a '.repeat(300)}--type merge`)
    expect(second).toBe('look first\n…')
  })

  test('formats nothing and calls nobody in a command that no code can hold', () => {
    const text = "prod\n\nWhat to do:\n1. kubectl label a '```' *b* _c_ @channel"
    const [step = ''] = chatNotification({ ...notice, text }, []).content.nextSteps ?? []
    expect(step).toMatch(/`\*b\*` `_c_` @\u200bchannel$/)
    expect(step).not.toContain('```')
  })

  test('takes what follows a sentence that ends in << and a word for prose', () => {
    const text = 'prod\n\nWhat to do:\n1. see a <<EOF\nthen *look*'
    expect(chatNotification({ ...notice, text }, []).content.nextSteps).toEqual(['see a &lt;&lt;EOF\nthen `*look*`'])
  })
})
