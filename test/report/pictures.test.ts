import { describe, expect, test } from '@jest/globals'
import { assess } from '../../shared/domain/assess/assess.ts'
import { beside } from '../../shared/domain/assess/beside.ts'
import type { ClusterState } from '../../shared/domain/cluster.ts'
import { nftablesEvidence } from '../../shared/domain/findings/nftables-needs.ts'
import { bitsEvidence } from '../../shared/domain/mark.ts'
import { defaultPolicy } from '../../shared/domain/policy/policy.ts'
import type { Finding, Report } from '../../shared/domain/report.ts'
import { leavingIpvs } from '../../shared/report/html/pictures/leaving-ipvs.ts'
import { markBits } from '../../shared/report/html/pictures/mark-bits.ts'
import { portAxis } from '../../shared/report/html/pictures/port-axis.ts'
import { timeline } from '../../shared/report/html/pictures/timeline.ts'
import { html } from '../../shared/report/html/report.ts'
import { valueOf } from '../../shared/domain/read.ts'
import { ours } from '../../shared/domain/rollout/annotations.ts'
import { journalText } from '../../shared/domain/rollout/journal.ts'
import { edited, nodesOf } from '../domain/states.ts'
import { cluster } from '../domain/ingredients.ts'
import { hostileTexts, node, report } from './samples.ts'

const published = (state: ClusterState): Report => ({ ...assess(state, defaultPolicy).report, ...beside(state) })
const judged = (given: string): Report => published(cluster(given))

const labels = (picture: { markup: string } | undefined): string[] =>
  [...(picture?.markup ?? '').matchAll(/aria-label="([^"]*)"/g)].map(([, label = '']) => label)

const count = (picture: { markup: string } | undefined, of: RegExp): number => picture?.markup.match(of)?.length ?? 0

describe('the axis of ports', () => {
  const stale = { effectiveRange: ['30000:32767'] }
  const wide = { effectiveRange: ['20000:32767', '40000:41000'] }

  test('nodes that are equal share a row, and each row says what is missing and what is too many', () => {
    const nodes = [node(1), node(2), node(3, stale), node(4, stale), node(5, stale), node(6, wide)]
    expect(labels(portAxis(report({ nodes })))).toEqual([
      'service range 20000:32767 (EKS API)',
      'desired range 20000:32767',
      '3 nodes: 30000:32767, 20000:29999 missing',
      '2 nodes: 20000:32767',
      'ip-10-0-0-6.eu-central-1.compute.internal: 20000:32767, 40000:41000, 40000:41000 too many',
    ])
  })

  test('what is missing is hollow, what is too many is hatched, what is right is whole', () => {
    const kinds = (effectiveRange: string[]): string[] =>
      [
        ...(portAxis(report({ nodes: [node(1, { effectiveRange })] }))?.markup ?? '').matchAll(
          /<rect class="(\w+)" x="[\d.]+%"/g,
        ),
      ]
        .map(([, kind = '']) => kind)
        .filter((kind) => kind !== 'given' && kind !== 'wanted')
    expect(kinds(['20000:32767'])).toEqual(['right'])
    expect(kinds(['30000:32767'])).toEqual(['right', 'missing'])
    expect(kinds(['20000:33000'])).toEqual(['right', 'extra'])
    expect(kinds([])).toEqual(['missing'])
  })

  test('a single port too few in a range of thousands is drawn and named', () => {
    const nodes = [node(1, { effectiveRange: ['20000:25000', '25002:32767'] })]
    const picture = portAxis(report({ nodes }))
    expect(picture?.markup).toContain('<title>25001</title>')
    expect(labels(picture).at(-1)).toMatch(/, 25001 missing$/)
  })

  test('where IPVS is not active the range is not used and is neither right nor wrong', () => {
    const picture = portAxis(report({ nodes: [node(1, { ...stale, runningMode: 'iptables' })] }))
    expect(picture?.markup).toContain('Not used: IPVS is not active there.')
    expect(count(picture, /class="(right|missing|extra)"/g)).toBe(0)
  })

  test('ports in use outside of the service range are marked, by what the cluster itself says', () => {
    const picture = portAxis(judged('node port 20080'))
    expect(labels(picture)).toContain('ports in use outside the service range: 20080')
    expect(picture?.markup).toContain('>▼<title>20080</title>')
  })

  test('a range that is assumed is not drawn as one that was asked for', () => {
    const asked = portAxis(report())
    const assumed = portAxis(report({ serviceRange: { min: 30_000, max: 32_767, source: 'default' } }))
    expect([count(asked, /class="assumed"/g), count(assumed, /class="assumed"/g)]).toEqual([0, 1])
  })

  test('five hundred nodes with a thousand ranges each, all different, are a bounded picture', () => {
    const effectiveRange = Array.from({ length: 1_000 }, (_, at) => `${20_000 + at * 4}`)
    const nodes = Array.from({ length: 500 }, (_, at) =>
      node(at, { effectiveRange: [...effectiveRange, `${50_000 + at}`] }),
    )
    expect(portAxis(report({ nodes }))?.markup.length).toBeLessThan(700_000)
  })
})

describe('the bits of the mark', () => {
  test('there are 32, and Calico has as many as its mask', () => {
    const picture = markBits(report())
    expect(count(picture, /width="2\.8%"/g)).toBe(32)
    expect(count(picture, /<rect class="own" x="[\d.]+%"/g)).toBe(2)
    expect(count(picture, /<rect class="endpoint" x="[\d.]+%"/g)).toBe(14)
    expect(labels(picture)).toEqual([
      '3 nodes: mask 0xffff0000, room for 16382 endpoints, up to 110 pods',
      '110 pods at most, room for 16382 endpoints',
    ])
  })

  test('as the engine counts: Calico 3.28 has four bits for itself, Calico 3.30 five', () => {
    const own = (given: string) => count(markBits(judged(given)), /<rect class="own" x="[\d.]+%"/g)
    expect([own('calico v3.28.4'), own('calico v3.30.3')]).toEqual([4, 5])
  })

  test('a mask without enough room says so and is hatched where pods have none', () => {
    const picture = markBits(report({ nodes: [node(1, { markMask: '0xffe00000', markCapacity: 62 })] }))
    expect(picture?.markup).toContain('<b class="bad">not enough</b>')
    expect(count(picture, /<rect class="extra"/g)).toBe(1)
  })

  test('where it is not known how Felix divides the mask, the picture does not divide it', () => {
    const { markCapacity: _, ...rest } = node(1)
    const picture = markBits(report({ nodes: [rest] }))
    expect(count(picture, /<rect class="mask" x="[\d.]+%"/g)).toBe(16)
    expect(count(picture, /<rect class="(own|endpoint)" x="[\d.]+%"/g)).toBe(0)
    expect(labels(picture)[0]).toContain('how Felix divides it is not known')
  })

  test('bits that another program has as well are marked as taken twice, with its name', () => {
    const picture = markBits(judged('weave'))
    expect(count(picture, /<rect class="twice" x="[\d.]+%"/g)).toBe(1)
    expect(picture?.markup).toContain('taken by Calico and by Weave Net')
  })
})

describe('leaving IPVS', () => {
  const words = (given: string) => leavingIpvs(judged(given))?.markup.replaceAll(/<[^>]*>/g, '') ?? ''

  test('the cluster stands on its rung, with the versions that are left', () => {
    const seen = words('kubernetes 1.36')
    expect(seen).toMatch(
      /1\.35 kube-proxy warns.* 1\.36 this cluster 1\.37 .*\(the next version\) .*\(4 versions from here, planned\)/,
    )
    expect(seen).toContain('✓met: Kubernetes 1.33 or newer')
  })

  test('what the finding names as missing is missing in the picture, and nothing else', () => {
    const seen = words('kubernetes 1.31, calico v3.28.4')
    expect(seen).toContain('✕missing: Kubernetes 1.33 or newer')
    expect(seen).toContain('✕missing: Calico 3.29 or newer: v3.28.4')
    expect(seen).toContain('✓met: Linux 5.13 or newer')
  })

  test('kernels that are too old are counted', () => {
    const state = edited(cluster('kubernetes 1.36'), (it) => {
      for (const [at, one] of nodesOf(it).entries()) one.kernelVersion = at === 0 ? '5.10.238' : '6.1.0'
    })
    const seen = leavingIpvs(published(state))?.markup.replaceAll(/<[^>]*>/g, '')
    expect(seen).toContain('✕missing: Linux 5.13 or newer: older on 1 of 3 nodes')
  })

  test('there is none where IPVS is not used', () => {
    expect(leavingIpvs(report())).toBeUndefined()
  })
})

describe('a rollout, node by node', () => {
  const at = (second: number): string => new Date(Date.parse('2026-11-20T09:00:00Z') + second * 1000).toISOString()
  const writes = [
    { at: at(0), what: 'begin', object: '-' },
    { at: at(1), what: 'override', object: 'FelixConfiguration/node.n1' },
    { at: at(91), what: 'override', object: 'FelixConfiguration/node.n2' },
    { at: at(391), what: 'halt', object: 'Node/n2' },
    { at: at(392), what: 'roll-back', object: 'FelixConfiguration/node.n2' },
  ]

  test('nodes are lines in the order they were touched; the one that did not come back is told apart by shape and word', () => {
    const picture = timeline({ state: 'halted', until: at(400), lost: 'n2', writes })
    expect(labels(picture)).toEqual([
      'n1: override written 09:00:01',
      'n2: override written 09:01:31 · did not come back: halted 09:06:31 · former value given back 09:06:32',
    ])
    expect(picture?.markup).toContain('<figcaption>The rollout, node by node: halted</figcaption>')
    expect(count(picture, /<rect class="watched" x="[\d.]+%"/g)).toBe(1)
    expect(count(picture, /<rect class="extra" x="[\d.]+%"/g)).toBe(1)
    expect(picture?.markup).toContain('<title>2 min</title>')
  })

  test('restarts are lines by their pods, and the range in default has one of its own', () => {
    const restarts = [
      { at: at(0), what: 'promote', object: 'FelixConfiguration/default' },
      { at: at(30), what: 'restart', object: 'Pod/calico-system/calico-node-a1' },
    ]
    expect(labels(timeline({ writes: restarts }))).toEqual([
      'default: written to default 09:00:00',
      'calico-node-a1: calico-node restarted 09:00:30',
    ])
  })

  test('the report of a cluster has the rollout that has not ended, with its writes from the Lease', () => {
    const journal = journalText({
      earlier: 0,
      entries: writes
        .map((it) => ({ ...it, rollout: 'r', by: 'test' }))
        .concat({
          at: at(-90),
          what: 'override',
          object: 'FelixConfiguration/node.n9',
          rollout: 'earlier',
          by: 'test',
        }),
    })
    const halted = edited(cluster('halted'), (copy) => {
      const lease = valueOf(copy.rollout)
      if (lease) lease.annotations[`${ours}journal`] = journal
    })
    const { rollout } = published(halted)
    expect(rollout).toMatchObject({ id: 'r', state: 'halted', writes })
    expect(html(published(halted))).toContain('The rollout, node by node: halted')
    expect(judged('written yesterday').rollout).toBeUndefined()
  })

  test('a journal that others filled is a picture of some kilobytes', () => {
    const many = Array.from({ length: 20_000 }, (_, i) => ({
      at: at(i),
      what: 'override',
      object: `FelixConfiguration/node.n${i % 5_000}`,
    }))
    expect(timeline({ writes: many })?.markup.length).toBeLessThan(60_000)
    expect(
      timeline({ writes: [{ at: 'never', what: 'override', object: 'FelixConfiguration/node.n1' }] }),
    ).toBeUndefined()
  })
})

test('ports that Services have are drawn, by what the cluster itself says', () => {
  expect(labels(portAxis(judged('node port 20080')))).toContain('in use: 1 port of Services, 20080')
})

const old = (text: string) => ({ minor: 36, oldCalico: text, oldKernels: text })

test('whatever others wrote is text in every picture', () => {
  for (const text of [...hostileTexts, 'n'.repeat(5_000)]) {
    const overlap: Finding = {
      code: 'MARK_OVERLAP',
      severity: 'critical',
      subject: text,
      message: text,
      evidence: [bitsEvidence({ name: text, bits: 0x20000 })],
    }
    const stray: Finding = {
      code: 'STRAY_NODE_PORT',
      severity: 'info',
      subject: text,
      message: text,
      evidence: [{ object: text, value: text }],
    }
    const told = report({
      desiredRange: ['20000:32767', text],
      calico: { version: text, install: 'operator' },
      nodes: [node(1, { name: text, effectiveRange: [text], markMask: text }), node(2, { name: text })],
      findings: [overlap, stray, { ...stray, code: 'IPVS_DEPRECATED', evidence: nftablesEvidence(old(text)) }],
    })
    const drawn = [
      portAxis(told),
      markBits(told),
      leavingIpvs(told),
      timeline({ lost: text, state: text, writes: [{ at: told.observedAt, what: 'override', object: text }] }),
    ]
      .map((it) => it?.markup ?? '')
      .join('\n')
    expect(drawn.replaceAll(/"[^"]*"/g, '""')).not.toMatch(/<(script|img)|<[^<>]*\son\w+=/i)
    expect(drawn).not.toMatch(/[^\P{Cc}\n]|[\u202a-\u202e\u2066-\u2069]/u)
    expect(drawn.length).toBeLessThan(100_000)
  }
})
