import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals'
import type { PlainAnswer } from '../../lab/embedded/faults.ts'
import { type EmbeddedCluster, startEmbedded } from '../../lab/embedded/start.ts'
import { configText } from '../../lab/fixtures/kube-proxy.ts'
import { populate } from '../../lab/fixtures/populate.ts'
import { kubeClient } from '../../shared/clients/kube/open.ts'
import type { ExchangeLimits } from '../../shared/clients/kube/exchange.ts'
import { assess } from '../../shared/domain/assess/assess.ts'
import { plan } from '../../shared/domain/plan/plan.ts'
import { defaultPolicy } from '../../shared/domain/policy/policy.ts'
import type { Report } from '../../shared/domain/report.ts'
import { reportSchema } from '../../shared/report/schema.ts'
import { observe } from '../../shared/workflows/observe/observe.ts'
import { measured } from './measured.ts'
import { faultsIn } from './reports.ts'
import { chaos, mutated, type Mutation, wrongTypes } from './wrong-types.ts'

const workdir = mkdtempSync(join(tmpdir(), 'hostile-'))
const ways = Number(process.env['HOSTILE_WAYS'] ?? 30)
const rangeKey = 'config.projectcalico.org/KubeNodePortRanges'
const paths = {
  any: /./,
  nodes: /^\/api\/v1\/nodes/,
  services: /^\/api\/v1\/services/,
  felix: /^\/apis\/crd\.projectcalico\.org\/v1\/felixconfigurations/,
  configMap: /configmaps\/kube-proxy-config$/,
}

let cluster: EmbeddedCluster
beforeAll(async () => {
  cluster = await startEmbedded({ name: 'hostile', workdir })
  const calico = { version: 'v3.28.4', install: 'operator' } as const
  await populate(cluster, { nodes: 3, kubernetesVersion: '1.36.3', kubeProxy: { mode: 'ipvs' }, calico })
})
afterEach(() => cluster.faults.clear())
afterAll(async () => {
  await cluster.stop()
  rmSync(workdir, { recursive: true })
})

interface Item {
  metadata: { name: string; [field: string]: unknown }
  [field: string]: unknown
}

/** The server's answer to a list, changed on its way. */
const changeItems = (path: RegExp, change: (items: Item[]) => Item[]): void => {
  const rewriteAnswer = (answer: PlainAnswer): PlainAnswer => {
    const list = JSON.parse(answer.body) as { items: Item[] }
    return { ...answer, body: JSON.stringify({ ...list, items: change(list.items) }) }
  }
  cluster.faults.inject({ path, rewriteAnswer })
}

const rename = (path: RegExp, name: (index: number) => string): void =>
  changeItems(path, (items) => items.map((it, at) => ({ ...it, metadata: { ...it.metadata, name: name(at) } })))

const felixObject = (name: string, range: string, spec: object = {}): Item => ({
  metadata: {
    name,
    uid: name,
    resourceVersion: '1',
    creationTimestamp: '2026-01-01T00:00:00Z',
    annotations: { [rangeKey]: range },
  },
  spec,
})

/** Looked at, judged, planned and written in every form; none of it may throw. */
async function look(
  limits: Partial<ExchangeLimits> = {},
): Promise<{ report: Report; seconds: number; faults: string[] }> {
  const { server, caData, adminToken } = cluster
  const ca = Buffer.from(caData, 'base64').toString('utf8')
  const kube = kubeClient({ server, ca, token: async () => adminToken }, limits)
  const began = performance.now()
  try {
    const givenServiceRange = { min: 30_000, max: 32_767, source: 'flag' } as const
    const state = await observe({ kube, identity: { name: 'hostile' }, now: new Date(), givenServiceRange })
    const assessment = assess(state, defaultPolicy)
    const report = { ...assessment.report, plan: plan(assessment, state, defaultPolicy) }
    return { report, faults: faultsIn(report), seconds: (performance.now() - began) / 1_000 }
  } finally {
    kube.close()
  }
}

/** Nothing is claimed of a range that nobody gave. */
const given = ['--service-node-port-range', '30000-32767']

/** The same by the command line, in a process of its own, whose time and memory count. */
async function check(): Promise<{
  report: Report
  status: number | null
  stderr: string
  seconds: number
  peakMb: number
}> {
  const words = ['check', '--kubeconfig', cluster.kubeconfig, ...given, '-o', 'json', '--quiet']
  const { stdout, status, stderr, seconds, peakMb } = await measured(words, workdir)
  const report = reportSchema.parse(JSON.parse(stdout))
  expect(faultsIn(report)).toEqual([])
  return { report, status, stderr, seconds, peakMb }
}

const codes = ({ findings }: Report): string[] => findings.map(({ code }) => code)

const nasty = [
  '<script>alert(1)</script>',
  '"><img src=x onerror=alert(1)>',
  ']]></system-out><failure/>',
  '\u001b[31mred\u001b]0;title\u0007',
  "=cmd|' /C calc'!A0",
  'line\r\nbreak\u2028',
  '\u202egpj.exe',
  '&amp;&#0;\u0000\ud800\uffff',
  '${jndi:ldap://x}`id`$(id)',
  '; rm -rf / #',
]

describe('names and texts made to break a report', () => {
  test('of nodes', async () => {
    for (const path of [paths.nodes]) rename(path, (at) => nasty.slice(at * 3, at * 3 + 4).join(''))
    expect((await look()).faults).toEqual([])
  })

  test.each(nasty)('of FelixConfigurations and their ranges: %j', async (text) => {
    changeItems(paths.felix, () => [
      felixObject('default', text),
      felixObject(`node.${text}`, text),
      felixObject(text, text, { nodeSelector: text, iptablesMarkMask: text, [text]: text }),
    ])
    const { faults, report } = await look()
    expect(faults).toEqual([])
    expect(codes(report)).toContain('RANGE_INVALID')
  })

  test.each(nasty)('of Services and of kube-proxy’s mode: %j', async (text) => {
    changeItems(paths.services, () => [
      { metadata: { name: text, namespace: text }, spec: { ports: [{ nodePort: 20_000, protocol: text }] } },
    ])
    const data = { config: `mode: ${JSON.stringify(text)}` }
    cluster.faults.inject({
      path: paths.configMap,
      answer: {
        status: 200,
        body: { metadata: { name: 'kube-proxy-config', creationTimestamp: '2020-01-01T00:00:00Z' }, data },
      },
    })
    const { faults, report } = await look()
    expect(faults).toEqual([])
    expect(codes(report)).toContain('STRAY_NODE_PORT')
  })

  test('of every text there is', async () => {
    let at = 0
    const dirty: Mutation = (it, depth) =>
      typeof it === 'string' && depth > 3 ? `${it}${nasty[((at += 1)) % nasty.length]}` : it
    const rewriteAnswer = (answer: PlainAnswer) => ({
      ...answer,
      body: JSON.stringify(mutated(JSON.parse(answer.body), dirty)),
    })
    cluster.faults.inject({ path: paths.any, rewriteAnswer })
    expect((await look()).faults).toEqual([])
  })

  test('called as what every JavaScript object has', async () => {
    const names = ['constructor', '__proto__', 'toString']
    rename(paths.nodes, (at) => names[at] ?? '')
    changeItems(/\/pods\?/, (items) =>
      items.map((it, at) => ({ ...it, spec: { ...(it['spec'] as object), nodeName: names[at] } })),
    )
    changeItems(paths.felix, () =>
      names.map((name) =>
        felixObject(`node.${name}`, '30000:30001', JSON.parse(`{"__proto__": 1, "constructor": {}}`) as object),
      ),
    )
    const { faults, report } = await look()
    expect(faults).toEqual([])
    const told = report.nodes.map(({ name, effectiveRange }) => `${name} ${effectiveRange?.[0]}`)
    expect(new Set(told)).toEqual(new Set(names.map((name) => `${name} 30000:30001`)))
  })

  test('253 characters long', async () => {
    const long = Array.from(
      { length: 3 },
      (_, at) => `${at}${'a'.repeat(61)}.${'b'.repeat(63)}.${'c'.repeat(63)}.${'d'.repeat(61)}`,
    )
    rename(paths.nodes, (at) => long[at] ?? '')
    changeItems(/\/pods\?/, (items) =>
      items.map((it, at) => ({ ...it, spec: { ...(it['spec'] as object), nodeName: long[at] } })),
    )
    const { faults, report } = await look()
    expect(faults).toEqual([])
    expect(report.nodes.map(({ name }) => name).toSorted()).toEqual(long.toSorted())
  })
})

describe('too much of everything, in bounded time and memory', () => {
  test.each([
    ['a range of five megabytes that Felix would take', '30000:32767,'.repeat(430_000).slice(0, -1)],
    ['five megabytes of nonsense', 'x'.repeat(5 * 2 ** 20)],
    ['five megabytes of commas', ','.repeat(5 * 2 ** 20)],
  ])('%s', async (_, text) => {
    changeItems(paths.felix, () => [felixObject('default', text)])
    const { status, stderr, seconds, peakMb } = await check()
    expect({ stderr, ok: [0, 1, 2].includes(status ?? 3) }).toEqual({ stderr: '', ok: true })
    expect(seconds).toBeLessThan(20)
    expect(peakMb).toBeLessThan(500)
  })

  test.each([
    ['of nodes that are not there', (at: number) => felixObject(`node.n${at}`, '30000:30001')],
    [
      'each with a selector of its own',
      (at: number) => felixObject(`s${at}`, '30000:30001', { nodeSelector: `has(label-${at}) || role == "${at}"` }),
    ],
    ['that all select all nodes', (at: number) => felixObject(`s${at}`, `${at + 1}`, { nodeSelector: 'all()' })],
    [
      'that nobody can decode',
      (at: number) => felixObject(`s${at}`, 'x', { kubeNodePortRanges: ['9:1'], iptablesMarkMask: 'x' }),
    ],
  ])('10,000 FelixConfigurations %s', async (_, object) => {
    changeItems(paths.felix, (items) => [...items, ...Array.from({ length: 10_000 }, (__, at) => object(at))])
    const { status, stderr, seconds, peakMb, report } = await check()
    expect({ stderr, ok: [0, 1, 2].includes(status ?? 3) }).toEqual({ stderr: '', ok: true })
    expect(report.findings.length).toBeLessThan(100)
    expect(seconds).toBeLessThan(20)
    expect(peakMb).toBeLessThan(500)
  })

  test('100,000 node ports in use', async () => {
    const ports = (at: number) =>
      Array.from({ length: 50 }, (_, it) => ({ nodePort: ((at * 50 + it) * 2) % 65_536, protocol: 'TCP' }))
    changeItems(paths.services, () =>
      Array.from({ length: 2_000 }, (_, at) => ({
        metadata: { name: `s${at}`, namespace: 'x' },
        spec: { ports: ports(at) },
      })),
    )
    const { status, seconds, peakMb, report } = await check()
    expect(status).toBe(1)
    expect(codes(report)).toEqual(expect.arrayContaining(['STRAY_NODE_PORT', 'RANGE_DIFFERS']))
    expect(report.findings.every(({ message }) => message.length < 5_000)).toBe(true)
    expect(seconds).toBeLessThan(20)
    expect(peakMb).toBeLessThan(500)
  })

  const bomb = [
    'a: &a ["x","x","x","x","x","x","x","x","x"]',
    ...'bcdefghi'.split('').map((it, at) => `${it}: &${it} [${Array(9).fill(`*${'abcdefgh'[at]}`).join()}]`),
  ].join('\n')
  test.each([
    ['aliases of aliases', `${bomb}\nmode: *i\n`],
    ['an alias of itself', 'mode: &a [*a]\n'],
    ['a megabyte of comments', `${configText('ipvs')}\n${'# x\n'.repeat(250_000)}`],
    ['a megabyte of keys', Array.from({ length: 60_000 }, (_, at) => `key${at}: value`).join('\n')],
    ['a megabyte of brackets', '['.repeat(1_000_000)],
    ['a megabyte of nesting', Array.from({ length: 1_400 }, (_, at) => `${' '.repeat(at)}a:`).join('\n')],
    ['a hundred documents', `${configText('ipvs')}---\n`.repeat(100)],
    ['bytes that are no text', '\u0000\u0001\ufffe{{{%%%'],
  ])('kube-proxy’s configuration is %s', async (_, config) => {
    const metadata = { name: 'kube-proxy-config', namespace: 'kube-system', creationTimestamp: '2020-01-01T00:00:00Z' }
    cluster.faults.inject({ path: paths.configMap, answer: { status: 200, body: { metadata, data: { config } } } })
    const { status, stderr, seconds, peakMb } = await check()
    expect({ stderr, ok: [0, 1, 2].includes(status ?? 3) }).toEqual({ stderr: '', ok: true })
    expect(seconds).toBeLessThan(20)
    expect(peakMb).toBeLessThan(600)
  })

  test.each([
    ['one repetition in another', '/(a+)+$/'],
    ['five repetitions in each other', '/^((((k*)*)*)*)*x$/'],
    ['choices that overlap', '/(k|k|ku|kub|.*)*(e|.)*(-|.)*(i|.)*x{0,1000}/'],
    ['nine hundred groups deep', `/${'(k?'.repeat(900)}${')'.repeat(900)}x/`],
    ['two thousand options', `/${'k?'.repeat(2_000)}${'k'.repeat(2_000)}/`],
    ['twenty thousand repetitions', `/${'(.*)*'.repeat(20_000)}x/`],
    ['a hundred thousand brackets', `/${'('.repeat(100_000)}/`],
  ])('interfaceExclude is a pattern that would run for ever: %s', async (_, pattern) => {
    changeItems(paths.felix, () => [felixObject('default', '30000:32767', { interfaceExclude: pattern })])
    const { seconds, faults } = await look()
    expect(faults).toEqual([])
    expect(seconds).toBeLessThan(15)
  })

  test('a selector nested and chained without end', async () => {
    const selectors = [
      `${'('.repeat(100_000)}all()`,
      `${'!'.repeat(100_000)}all()`,
      Array(50_000).fill("a == 'b'").join(' || '),
    ]
    changeItems(paths.felix, (items) => [
      ...items,
      ...selectors.map((nodeSelector, at) => felixObject(`s${at}`, '1', { nodeSelector })),
    ])
    const { seconds, faults } = await look()
    expect(faults).toEqual([])
    expect(seconds).toBeLessThan(15)
  })
})

describe('a server that lies', () => {
  const unknown = async (limits?: Partial<ExchangeLimits>) => {
    const { report, faults, seconds } = await look(limits)
    expect({ verdict: report.verdict, faults }).toEqual({ verdict: 'unknown', faults: [] })
    expect(seconds).toBeLessThan(20)
    return report
  }

  test('about where a list goes on: the same token for ever', async () => {
    const body = { kind: 'NodeList', metadata: { continue: 'on' }, items: [] }
    cluster.faults.inject({ path: paths.nodes, answer: { status: 200, body } })
    expect((await unknown()).findings[0]?.message).toContain('does not end')
  })

  test('about where a list goes on: the same page under ever new tokens', async () => {
    let at = 0
    cluster.faults.inject({
      path: paths.nodes,
      rewriteRequest: (request) => ({ ...request, url: '/api/v1/nodes' }),
      rewriteAnswer: (answer) => withMetadata(answer, { continue: `${(at += 1)}` }),
    })
    expect((await unknown()).findings[0]?.message).toContain('begins again')
    expect(at).toBe(2)
  })

  test('with a list that goes on for ever', async () => {
    let at = 0
    cluster.faults.inject({
      path: paths.nodes,
      rewriteRequest: (request) => ({ ...request, url: '/version' }),
      rewriteAnswer: (answer) => {
        const items = Array.from({ length: 500 }, () => ({ metadata: { name: `n${(at += 1)}` } }))
        return { ...answer, body: JSON.stringify({ kind: 'NodeList', metadata: { continue: `${at}` }, items }) }
      },
    })
    const { status, seconds, peakMb, report } = await check()
    expect(status).toBe(2)
    expect(report.findings[0]?.message).toContain('too long')
    expect(seconds).toBeLessThan(30)
    expect(peakMb).toBeLessThan(600)
  })

  test('by answering a web page to everything', async () => {
    cluster.faults.inject({
      path: paths.any,
      answer: { status: 200, body: '<html><body>Sign in</body></html>', contentType: 'text/html' },
    })
    const { status, stderr, report } = await check()
    expect({ status, stderr, verdict: report.verdict }).toEqual({ status: 2, stderr: '', verdict: 'unknown' })
    expect(JSON.stringify(report.findings)).toContain('is not JSON')
  })

  test.each([
    ['nothing', ''],
    ['a number', '7'],
    ['null', 'null'],
    ['a list', '[]'],
    ['an object of another kind', '{"kind":"Status","status":"Success"}'],
    ['half a document', '{"items":[{"metadata":{"name":"n'],
    ['a list of nothing', '{"items":[null,7,"x",[]]}'],
    ['deep nesting', '{"items":['.repeat(50_000)],
  ])('by answering %s', async (_, body) => {
    cluster.faults.inject({ path: paths.any, answer: { status: 200, body } })
    await unknown()
  })

  test('by dripping bytes', async () => {
    cluster.faults.inject({ path: paths.any, drip: { bytes: 1, every: 50 } })
    await unknown({ deadlineMs: 1_000 })
  })

  test('by dripping bytes of one list only', async () => {
    cluster.faults.inject({ path: paths.nodes, drip: { bytes: 10, every: 50 } })
    const report = await unknown({ deadlineMs: 1_500 })
    expect(report.findings[0]?.message).toContain('did not finish its answer')
  })

  test.each(Object.entries(wrongTypes))('by wrong types: %s', async (_, mutation) => {
    const rewriteAnswer = (answer: PlainAnswer) => ({ ...answer, body: retyped(answer.body, mutation) })
    cluster.faults.inject({ path: paths.any, rewriteAnswer })
    expect((await look()).faults).toEqual([])
  })

  test(`by wrong types here and there, in ${ways} ways`, async () => {
    for (let seed = 1; seed <= ways; seed += 1) {
      const mutation = chaos(seed)
      const undo = cluster.faults.inject({
        path: paths.any,
        rewriteAnswer: (answer) => ({ ...answer, body: retyped(answer.body, mutation) }),
      })
      const { faults } = await look().catch((error: Error) => ({ faults: [error.stack] }))
      expect({ seed, faults }).toEqual({ seed, faults: [] })
      undo()
    }
  })

  test.each([
    ['a year ahead', 365],
    ['a year behind', -365],
  ])('about the time: %s', async (_, days) => {
    const shift: Mutation = (it) =>
      typeof it === 'string' && /^\d{4}-\d\d-\d\dT/.test(it)
        ? new Date(Date.parse(it) + days * 86_400_000).toISOString()
        : it
    cluster.faults.inject({
      path: paths.any,
      rewriteAnswer: (answer) => ({ ...answer, body: retyped(answer.body, shift) }),
    })
    const { report, faults } = await look()
    expect(faults).toEqual([])
    // Times are compared with each other, so that both clocks may be wrong.
    expect(report.verdict).toBe('in-step')
  })
})

const retyped = (body: string, mutation: Mutation): string => {
  try {
    return JSON.stringify(mutated(JSON.parse(body), mutation))
  } catch {
    return body
  }
}

const withMetadata = (answer: PlainAnswer, metadata: object): PlainAnswer => ({
  ...answer,
  body: JSON.stringify({ ...(JSON.parse(answer.body) as object), metadata }),
})
