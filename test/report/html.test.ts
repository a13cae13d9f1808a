import { createHash } from 'node:crypto'
import { runInNewContext } from 'node:vm'
import { expect, test } from '@jest/globals'
import type { Finding } from '../../shared/domain/report.ts'
import manifest from '../../package.json' with { type: 'json' }
import { html } from '../../shared/report/html/report.ts'
import { historyHtml } from '../../shared/report/history/html.ts'
import { aWeek } from '../verify/samples/history.ts'
import { script, scriptHash } from '../../shared/report/html/script.ts'
import { style, styleHash } from '../../shared/report/html/style.ts'
import { text } from '../../shared/report/text/report.ts'
import { fleet, hostile, node, outOfStep, rangeDiffers, report, sweep, unreachable } from './samples.ts'

const pages = () => [html(report()), html(outOfStep), html(unreachable), html(sweep), html(hostile())]

const hashOf = (text: string): string => `sha256-${createHash('sha256').update(text).digest('base64')}`

test('the policy lets nothing load, and only this style sheet and this script apply', () => {
  expect([styleHash, scriptHash]).toEqual([hashOf(style), hashOf(script)])
  for (const page of pages()) {
    expect(page).toContain(
      `content="default-src 'none'; style-src '${hashOf(style)}'; script-src '${hashOf(script)}'; base-uri 'none'; form-action 'none'"`,
    )
    expect(page.match(/<style>/g)).toHaveLength(1)
    expect(page.match(/<script[^>]*>/g)).toEqual(['<script>'])
  }
  expect(script.length).toBeLessThan(4_000)
  expect(script).not.toMatch(/innerHTML|insertAdjacent|document\.write|eval|Function|fetch|XMLHttp|import\(/)
})

/** Runs the script on boxes with these texts, presses the first of the buttons that it adds, and answers their names. */
const buttonsOf = async (texts: string[], pressed = 0) => {
  const buttons: Record<string, unknown>[] = []
  const ready: (() => void)[] = []
  const document = {
    addEventListener: (name: string, act: () => void) => name === 'DOMContentLoaded' && ready.push(act),
    getElementById: () => null,
    querySelectorAll: () =>
      texts.map((textContent) => ({ textContent, before: (it: Record<string, unknown>) => buttons.push(it) })),
    createElement: () => {
      const it: Record<string, unknown> = {}
      it['setAttribute'] = (name: string, value: string) => (it[name] = value)
      it['addEventListener'] = (name: string, act: unknown) => (it[name] = act)
      return it
    },
  }
  const copied: string[] = []
  const navigator = { clipboard: { writeText: async (text: string) => copied.push(text) } }
  runInNewContext(script, { document, navigator, setTimeout: () => 0 })
  for (const act of ready) act()
  for (const { click } of buttons.slice(0, pressed)) await (click as () => Promise<void>)()
  return { names: buttons.map((it) => it['aria-label']), copied }
}

test('each button that copies is named by what it copies, and says there that it did', async () => {
  const long = `kubectl patch ${'x'.repeat(100)}`
  const texts = ['kubectl get nodes', `${long}1`, `${long}2`, 'apiVersion: v1\nkind: A']
  const names = [
    'Copy 1 of 4: kubectl get nodes',
    `Copy 2 of 4: ${long.slice(0, 80)} …`,
    `Copy 3 of 4: ${long.slice(0, 80)} …`,
    'Copy 4 of 4: apiVersion: v1 …',
  ]
  expect(await buttonsOf(texts)).toEqual({ names, copied: [] })
  expect(await buttonsOf(texts, 1)).toEqual({
    names: [names[0]?.replace('Copy', 'Copied'), ...names.slice(1)],
    copied: ['kubectl get nodes'],
  })
})

/** Without what is the same on all pages, and judged by the test above. */
const withoutScript = (page: string): string => page.replace(`<script>${script}</script>`, '')

test('a page needs nothing but itself', () => {
  for (const page of pages().map(withoutScript)) {
    expect(page).not.toMatch(/<(script|link|img|iframe|object|embed|base|form)\b/i)
    for (const [, value] of attributes(page, /href|src|action/)) expect(value).toMatch(/^#cluster-\d+$/)
  }
})

test('whatever stands in a cluster is text: it opens no element and no attribute', () => {
  const known = new Set([outOfStep, report()].flatMap((it) => elements(withoutScript(html(it)))))
  for (const document of [hostile(), { ...sweep, clusters: [hostile(), hostile()] }]) {
    const page = withoutScript(html(document))
    expect(elements(page).filter((name) => !known.has(name) && !fleetOnly.has(name))).toEqual([])
    expect(attributes(page, /on\w+|style/)).toEqual([])
    expect(page).not.toMatch(/[^\P{Cc}\n]|[\u202a-\u202e\u2066-\u2069]/u)
    expect(page).toContain('&lt;script&gt;alert(1)&lt;/script&gt;')
  }
})

test('numbers beside a name that is read from the right stay on their side; what can be pasted holds nothing invisible', () => {
  const remedy = 'kubectl get configmap שלום'
  const page = html(report({ findings: [{ ...rangeDiffers, message: 'On שלום עולם 3 of 5.', remedy }] }))
  expect(page).toContain('<p>On &#8296;שלום עולם&#8297; 3 of 5.</p>')
  expect(page).toContain(`<code>${remedy}</code>`)
})

test('what is longer than any name is broken in a table', () => {
  const context = 'x'.repeat(300)
  const page = html({ ...sweep, clusters: [report({ cluster: { name: 'a', context } })] })
  expect(page).toContain(`<td data-head="Where" class="words long">context ${context}</td>`)
})

test('every element that is opened is closed', () => {
  for (const page of pages().map(withoutScript)) {
    const open: string[] = []
    for (const [, closing, name = '', rest] of page.matchAll(/<(\/?)([a-z][a-z0-9]*)((?:"[^"]*"|[^">])*)>/g)) {
      if (['meta', 'input'].includes(name) || rest?.endsWith('/')) continue
      if (closing === '') open.push(name)
      else expect(open.pop()).toBe(name)
    }
    expect(open).toEqual([])
  }
})

test('the picture says in words what it shows in colours', () => {
  expect(html(outOfStep)).toContain('role="img" aria-label="4 nodes: 2 out of step, 1 in step, 1 not applicable"')
  expect(html(sweep)).toContain('aria-label="1 out of step, 1 unknown, 1 in step"')
})

test('each name in the table of a fleet leads to the details of that very cluster, which are there once', () => {
  const page = html(fleet(20, 3))
  const bodies = page.split('<tbody data-verdict=').slice(1)
  const pairs = bodies.map((body) => [
    /href="#(cluster-\d+)">[^<]*</.exec(body)?.[1],
    /<details><summary>.*?<\/summary><div id="(cluster-\d+)">/.exec(body)?.[1],
  ])
  expect(pairs).toHaveLength(20)
  for (const [link, details] of pairs) expect(details).toBe(link)
  for (let at = 1; at <= 20; at += 1) expect(page.split(`id="cluster-${at}"`)).toHaveLength(2)
})

test('a cell holds a text or one element: on a phone each part of it would be a cell of its own beside the name of the column', () => {
  const week = historyHtml(aWeek())
  const cells = [...pages(), html(fleet(20, 3)), week].flatMap((page) =>
    [...page.matchAll(/<td data-head="[^"]*"[^>]*>(.*?)<\/td>/gs)].map(([, cell = '']) => cell),
  )
  expect(cells.length).toBeGreaterThan(100)
  expect(cells.filter((cell) => partsOf(cell) > 1)).toEqual([])
  expect(week).toMatch(/<td data-head="Object"[^>]*><span>FelixConfiguration\/<wbr>/)
})

/** Texts and elements that do not stand within another one. */
const partsOf = (markup: string): number => {
  let [depth, parts] = [0, 0]
  for (const [token] of markup.matchAll(/<[^>]*>|[^<]+/g)) {
    if (token.startsWith('</')) depth -= 1
    else {
      parts += depth === 0 && token.trim() !== '' ? 1 : 0
      depth += token.startsWith('<') && !/^<(?:wbr|br|path)\b|\/>$/.test(token) ? 1 : 0
    }
  }
  return parts
}

test('headings are in order: none is skipped on the way down', () => {
  for (const page of [...pages(), html(fleet(20, 3))]) {
    const levels = [...page.matchAll(/<h([1-6])>/g)].map(([, level]) => Number(level))
    expect(levels.filter((level, at) => level > (levels[at - 1] ?? 0) + 1)).toEqual([])
    expect(levels.filter((level) => level === 1)).toHaveLength(1)
  }
})

test('what can be pasted stands in boxes, sentences do not', () => {
  const remedy = 'Merge this into what Argo CD applies:\napiVersion: v1\nkind: A\nLook at it: kubectl get a -o yaml'
  const page = html(report({ verdict: 'out-of-step', findings: [{ ...rangeDiffers, remedy }] }))
  const boxes = [...page.matchAll(/<pre class="paste"><code>([^<]*)<\/code>/g)].map(([, text]) => text)
  expect(boxes).toEqual(['apiVersion: v1\nkind: A', 'kubectl get a -o yaml'])
  expect(page).toContain('<p>Merge this into what Argo CD applies:</p>')
  expect(page).toContain('<p>Look at it:</p>')
})

test('of how many nodes it is so, what was found and what would be written is said before everything else', () => {
  const page = html(report({ ...outOfStep }))
  expect(page).toContain(
    '<p class="lead">2 of 3 nodes out of step. Findings: 1 critical, 1 good to know. Plan: 2 changes. Restarts Felix on 1 node at a time, 2 in all; 1 calico-node pod restarted, about 2 min.</p>',
  )
  expect(page.indexOf('class="lead"')).toBeLessThan(page.indexOf('<main>'))
  const blocked = { ...outOfStep.plan, changes: [], blockedBy: ['OWNED_BY_GITOPS'] }
  expect(html({ ...outOfStep, plan: blocked as never })).toContain(
    'Plan: nothing is written while OWNED_BY_GITOPS stands.</p>',
  )
})

test('a long message stands sentence by sentence, on a page and in a terminal; a pipe gets it in one line', () => {
  const sentences = [
    'A rollout halted.',
    'The change of a.b.c was undone, v3.28.',
    'For users: urgent. Until then it is so.',
  ].map((it) => `${it.slice(0, -1)} ${'and more '.repeat(9)}of it.`)
  const message = sentences.join(' ')
  const halt = {
    code: 'ROLLOUT_HALTED',
    severity: 'warning',
    subject: 'Lease',
    message,
    evidence: [],
  } satisfies Finding
  const document = report({ findings: [halt] })
  expect(html(document)).toContain(sentences.map((it) => `<p>${it}</p>`).join(''))
  const beginnings = text(document, { columns: 80 })
    .split('\n')
    .filter((line) => /^ {2}(A rollout|The change|For users)/.test(line))
  expect(beginnings).toHaveLength(3)
  expect(text(document)).toContain(`\n  ${message}\n`)
})

test('what was seen in one field is listed below it, the field stands once', () => {
  const object = 'Lease/kube-system/calico-ipvs-sync'
  const evidence = ['halted', 'log: one', 'log: two'].map((value, at) => ({
    object,
    field: at === 0 ? 'state' : 'evidence',
    value,
  }))
  const page = html(report({ verdict: 'out-of-step', findings: [{ ...rangeDiffers, evidence }] }))
  expect(page).toContain(
    `<li>${object} state = halted</li><li>${object} evidence<ul><li>log: one</li><li>log: two</li></ul></li>`,
  )
})

test('each sheet of paper says of what it is', () => {
  expect(html(report())).toContain(`data-head="prod-1 · eu-central-1 · 123456789012 · ${report().observedAt}"`)
  expect(html(fleet(3, 1))).toMatch(/data-head="[^"]*3 clusters[^"]* · \d{4}-/)
  expect(style).toMatch(/@top-left\{content:'calico-ipvs-sync · ' var\(--head\)/)
})

test('of many nodes in a row each name is whole, and on paper the row need not stay on one sheet', () => {
  const page = (count: number) => html(report({ nodes: Array.from({ length: count }, (_, at) => node(at)) }))
  expect(page(3)).toContain('<i>ip-10-0-0-1,</i> <i>ip-10-0-0-2</i> ')
  expect([page(3), page(60)].map((it) => it.includes('<details class="more many">'))).toEqual([false, true])
  expect(style).toMatch(/\.name i[^}]*display:inline-block[^]*tr:has\(\.many\)\{break-inside:auto\}/)
})

test('the same finding of many clusters is told once, with all of them', () => {
  const page = html(fleet(64, 3))
  expect(page).toContain('<b>8 clusters</b>')
  const [, links = ''] = /<ul class="spread">(.*?)<\/ul>/s.exec(page) ?? []
  expect(links.match(/class="name"/g)).toHaveLength(8)
})

test('how severe a finding is stands in words, not in a colour alone', () => {
  const warning: Finding = { ...rangeDiffers, code: 'UPDATE_STRATEGY', severity: 'warning' }
  const page = html({ ...sweep, clusters: [{ ...outOfStep, findings: [warning, rangeDiffers] }] })
  const [, attention = ''] = /<ul class="spread">(.*?)<\/ul>/s.exec(page) ?? []
  const [, cell = ''] = /<td data-head="Findings">(.*?)<\/td>/s.exec(page) ?? []
  const wordsOf = (markup: string) => markup.replaceAll(/<[^>]*>/g, '')
  expect(wordsOf(attention)).toMatch(/Critical RANGE_DIFFERS[\s\S]*Warning UPDATE_STRATEGY/)
  expect(wordsOf(cell)).toMatch(/critical: RANGE_DIFFERS UPDATE_STRATEGY/)
})

test('accounts by regions: the worst verdict of each, the counts, and the way to the worst cluster', () => {
  const page = html(fleet(16, 3))
  const cells = [
    ...page.matchAll(
      /<a class="([a-z-]+)" href="#(cluster-\d+)" data-account="123456789012"[^>]*>.*?<\/span> ([^<]*)</g,
    ),
  ]
  expect(cells.map(([, ...it]) => it)).toEqual([
    ['unknown', 'cluster-3', '2 unknown, 4 in step, 2 not applicable'],
    ['out-of-step', 'cluster-1', '2 out of step, 2 changing, 4 in step'],
  ])
})

test('the foot of a page says who made it, when what was read, and what could not be', () => {
  expect(html(report())).toContain(`Made by calico-ipvs-sync ${manifest.version}. Read at 2026-11-20T09:30:00Z.`)
  expect(html(report())).toContain('Everything that the verdicts need could be read.')
  expect(html(sweep)).toContain('Not everything could be read of 1 cluster: edge-7.')
})

test('five hundred clusters of fifty nodes stay below two megabytes, ten thousand nodes below a quarter of one', () => {
  expect(html(fleet(500, 50)).length).toBeLessThan(2_000_000)
  expect(html(report({ nodes: Array.from({ length: 10_000 }, (_, at) => node(at)) })).length).toBeLessThan(250_000)
})

test('all node names are on the page', () => {
  const page = html(report({ nodes: Array.from({ length: 300 }, (_, at) => node(at)) }))
  for (let at = 0; at < 300; at += 1) expect(page).toContain(`ip-10-0-${Math.floor(at / 250)}-${at % 250}`)
})

/** Elements that only a fleet's page has. */
const fleetOnly = new Set([
  'a',
  'time',
  'fieldset',
  'legend',
  'label',
  'input',
  'h4',
  'search',
  'select',
  'option',
  'output',
])

const elements = (page: string): string[] => [
  ...new Set([...page.matchAll(/<([a-zA-Z!][\w-]*)/g)].map(([, name = '']) => name)),
]

const attributes = (page: string, names: RegExp): [string, string][] =>
  [...page.matchAll(/<[a-z][^<>]*>/g)].flatMap(([tag]) =>
    [...tag.matchAll(/\s([a-z-]+)="([^"]*)"/g)]
      .filter(([, name = '']) => new RegExp(`^(${names.source})$`).test(name))
      .map(([, name = '', value = '']): [string, string] => [name, value]),
  )

test('a cluster that nobody could read is not one without nodes', () => {
  expect(html({ ...sweep, clusters: [unreachable] })).not.toContain('<span class="count">')
  expect(html({ ...sweep, clusters: [report({ nodes: [] })] })).toContain('<span class="count">0</span>')
})

test('a page says how long reading took, of a fleet also which cluster was the slowest', () => {
  const [quick, slow] = [report({ readSeconds: 1.2 }), report({ ...outOfStep, readSeconds: 31 })]
  expect(html(quick)).toContain('<dt>Read in</dt><dd>1.2 s</dd>')
  expect(html({ ...sweep, clusters: [quick, slow] })).toContain(`The slowest, ${slow.cluster.name}, was read in 31 s.`)
  expect(html({ ...sweep, clusters: [outOfStep, report()] })).not.toContain('slowest')
})
