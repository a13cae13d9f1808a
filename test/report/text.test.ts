import { expect, test } from '@jest/globals'
import { withContext } from '../../shared/domain/findings/remedy.ts'
import type { Finding, Report, Sweep } from '../../shared/domain/report.ts'
import { execFileSync } from 'node:child_process'
import { brokenCommand, remedyParts } from '../../shared/domain/remedy-parts.ts'
import { clipped, clippedApart, clippedAtWord, clippedInside, columnsOf } from '../../shared/report/text/letters.ts'
import { html } from '../../shared/report/html/report.ts'
import { junit } from '../../shared/report/junit.ts'
import { text } from '../../shared/report/text/report.ts'
import { fleet, hostile, node, outOfStep, report, sweep, unreachable } from './samples.ts'

test('the verdict comes first, then what is wrong with evidence and remedy, the nodes, the plan, and the verdict again', () => {
  expect(text(outOfStep)).toBe(`OUT OF STEP  prod-1  eu-central-1 · 123456789012
  runs         kube-proxy ipvs v1.33.3-eksbuild.4 · Calico v3.28.4 (by operator, crd.projectcalico.org/v1)
  node ports   service range 20000:32767 (EKS API) · Calico should have 20000:32767
  seen         2026-11-20T09:30:00Z

critical  RANGE_DIFFERS  FelixConfiguration/default
  Felix protects node ports 30000:32767 while Services may use 20000:32767.
    seen  FelixConfiguration/default metadata.annotations[config.projectcalico.org/KubeNodePortRanges] = 30000:32767 (2026-10-01T08:00:00Z)
    do    kubectl annotate felixconfiguration default --overwrite config.projectcalico.org/KubeNodePortRanges='20000:32767'

info  IPVS_DEPRECATED  Kubernetes deprecates the IPVS mode of kube-proxy.

4 nodes: 2 out of step, 1 in step, 1 not applicable
VERDICT         #  MODE           FELIX SAYS  RANGE        SET IN          MARK MASK   ROOM / PODS  NODES
out of step     2  ipvs (proven)  IPVS        30000:32767  object default  0xffff0000  16382 / 110  ip-10-0-0-1.eu-central-1.compute.internal, ip-10-0-0-2.eu-central-1.compute.internal
in step         1  ipvs (proven)  IPVS        20000:32767  object default  0xffff0000  16382 / 110  ip-10-0-0-3.eu-central-1.compute.internal
not applicable  1                                                                                   fargate-10-0-9-9
  fargate-10-0-9-9: Fargate runs no calico-node

In this order (staged):
  + create   range 20000:32767 in FelixConfiguration/node.ip-10-0-0-1.eu-central-1.compute.internal
  > restart  Pod/calico-system/calico-node-abcde
Plan: 1 override, 1 restart of a calico-node pod; restarts Felix on 1 node at a time, 2 in all; 1 calico-node pod restarted, about 2 min.

OUT OF STEP  prod-1, 2 of 3 nodes
  the plan above puts it right
`)
})

test('what is not known, and what forbids the plan, says what to do also where nothing is wrong', () => {
  const finding = (code: Finding['code'], remedy: string): Finding => ({
    code,
    severity: 'info',
    subject: 'cluster',
    message: 'm',
    evidence: [],
    remedy,
  })
  const forecast = { felixRestarts: 0, felixRestartsAtOnce: 0, podRestarts: 0 }
  const document = report({
    findings: [
      finding('RANGE_ASSUMED', 'ask with --probe'),
      finding('UPDATE_STRATEGY', 'not of interest'),
      finding('CLUSTER_UPDATING', 'wait for it'),
    ],
    plan: { strategy: 'staged', changes: [], blockedBy: ['CLUSTER_UPDATING'], forecast },
  })
  const shown = text(document)
  expect(shown).toContain('    do    ask with --probe\n')
  expect(shown).toContain('    do    wait for it\n')
  expect(shown).not.toContain('not of interest')
})

test('a remedy that several findings have is said once, and where it stands', () => {
  const [differs] = outOfStep.findings
  const other = { ...differs, code: 'RANGE_SPEC_IGNORED', severity: 'warning', message: 'm' } as Finding
  const document = { ...outOfStep, findings: [...outOfStep.findings, other] }
  for (const shown of [text(document), text(document, { columns: 80 }), junit(document)]) {
    expect(shown.split('annotate felixconfiguration')).toHaveLength(2)
    expect(shown).toMatch(/RANGE_SPEC_IGNORED[\s\S]* do {1,4}as for RANGE_DIFFERS, above(?:<|$)/m)
  }
  const page = html(document)
  expect(page.split('annotate felixconfiguration')).toHaveLength(2)
  expect(page).toMatch(/RANGE_SPEC_IGNORED[\s\S]*<p>As for <code>RANGE_DIFFERS<\/code>, above\.<\/p>/)
})

test('the command that gives kubectl its context is printed once', () => {
  const place = { cluster: { name: 'prod-1', region: 'eu-west-1' } }
  const [differs] = outOfStep.findings
  const findings = ['RANGE_DIFFERS', 'MARK_OVERLAP'].map((code) => {
    const remedy = withContext(`kubectl --context prod-1 describe daemonset/${code}`, place)
    return { ...differs, code, remedy } as Finding
  })
  const document = { ...outOfStep, findings }
  for (const shown of [text(document), text(document, { columns: 80 }), junit(document), html(document)]) {
    expect(shown.split('update-kubeconfig')).toHaveLength(2)
    expect(shown.split('daemonset/')).toHaveLength(3)
  }
})

test('of many different findings of one code the first are shown and the others counted', () => {
  const [differs] = outOfStep.findings
  const findings = Array.from(
    { length: 400 },
    (_, at) => ({ ...differs, message: `${at} ports are missing` }) as Finding,
  )
  const document = { ...outOfStep, findings }
  for (const shown of [text(document), text(document, { columns: 80 }), html(document)]) {
    expect(shown.split('ports are missing')).toHaveLength(9)
    expect(shown).toMatch(/and 392 more (<code>)?RANGE_DIFFERS/)
  }
  expect(junit(document).split('399 ports are missing').length).toBeGreaterThan(1)
})

test('the last line of an unknown verdict names the finding that leaves it unknown', () => {
  const { findings } = outOfStep
  const invalid = { ...findings[0], code: 'RANGE_INVALID', severity: 'warning' } as Finding
  const document = report({ verdict: 'unknown', findings: [...findings, invalid] })
  expect(text(document)).toMatch(/RANGE_INVALID above says what to do\n$/)
})

test('a fleet is a line per cluster, worst first, an unreachable one among them', () => {
  expect(text(sweep)).toBe(`3 clusters: 1 out of step, 1 unknown, 1 in step
VERDICT      CLUSTER  WHERE                        NODES  MODE  CALICO   FINDINGS
out of step  prod-2                                4      ipvs  v3.28.4  RANGE_DIFFERS
unknown      edge-7                                                      UNREACHABLE
in step      prod-1   eu-central-1 · 123456789012  3      ipvs  v3.28.4

prod-2: Felix protects node ports 30000:32767 while Services may use 20000:32767.
edge-7: https://10.9.9.9 does not answer: connection refused.

swept 2026-11-20T09:31:00Z; check on one cluster shows the evidence, -o html a page of the fleet
3 clusters: 1 out of step, 1 unknown, 1 in step
`)
})

test('nothing that others wrote into a cluster can move the cursor, colour the terminal or reverse the text', () => {
  for (const document of [hostile(), { ...sweep, clusters: [hostile()] }])
    expect(text(document)).not.toMatch(/[^\P{Cc}\n]|[\u200e\u200f\u202a-\u202e\u2066-\u2069]/u)
})

test('there is colour only when it is asked for, and it changes no word', () => {
  const coloured = text(outOfStep, { colour: true })
  expect(text(outOfStep)).not.toContain('\u001b')
  expect(coloured).toContain('\u001b[1;31mOUT OF STEP\u001b[0m')
  // oxlint-disable-next-line no-control-regex
  expect(coloured.replaceAll(/\u001b\[[\d;]*m/g, '')).toBe(text(outOfStep))
})

test('ten thousand nodes fit one screen, whether they are all the same or all different', () => {
  const same = report({ nodes: Array.from({ length: 10_000 }, (_, at) => node(at)) })
  const different = report({ nodes: same.nodes.map((it, at) => ({ ...it, podsMax: at })) })
  expect(text(same).split('\n').length).toBeLessThan(13)
  expect(text(different).split('\n').length).toBeLessThan(30)
  expect(text(different)).toContain('9984 more nodes')
})

test('the same finding about many nodes is told once, with how many there are', () => {
  const findings = Array.from({ length: 500 }, (_, at) => ({
    code: 'FELIX_MISSED_MODE' as const,
    severity: 'critical' as const,
    subject: `node/ip-${at}`,
    message: `Felix on ip-${at} still believes in iptables.`,
    evidence: [],
  }))
  const shown = text(report({ verdict: 'out-of-step', findings }))
  expect(shown.match(/FELIX_MISSED_MODE/g)).toHaveLength(1)
  expect(shown).toContain('node/ip-0, node/ip-1 and 498 more')
})

test('at 80 columns nothing is wider than the terminal, and a long command is broken as a shell takes it', () => {
  const shown = text(outOfStep, { columns: 80 })
  expect(shown.split('\n').filter((line) => line.length > 80)).toEqual([])
  expect(shown).toContain(`    do    kubectl annotate felixconfiguration default --overwrite \\
            config.projectcalico.org/KubeNodePortRanges='20000:32767'
`)
})

test.each([40, 60, 80, 110])(
  'a patch is broken between tokens of its JSON at %i columns, and is the same patch for a shell',
  (width) => {
    const patch = {
      metadata: {
        annotations: { 'config.projectcalico.org/KubeNodePortRanges': '8080,20000:32767', 'a: {"b", c': "x's" },
      },
      spec: { kubeNodePortRanges: [8080, '20000:32767'] },
    }
    const quotedPatch = `'${JSON.stringify(patch).replaceAll("'", `'\\''`)}'`
    const lines = brokenCommand(`printf %s ${quotedPatch}`, width)
    expect(lines.filter((line) => line.length > Math.max(width, 56))).toEqual([])
    // As it stands on the screen, below "do".
    const pasted = lines.map((line) => `          ${line}`).join('\n')
    expect(JSON.parse(execFileSync('bash', ['-c', pasted], { encoding: 'utf8' }))).toEqual(patch)
  },
)

test('an apostrophe in a comment is no quote: the comment stays as it is', () => {
  const parts = remedyParts("kubectl get nodes -l 'a=#b'   # kubectl's context, which isn't the current one")
  expect(parts).toEqual([
    {
      kind: 'command',
      text: "kubectl get nodes -l 'a=#b'",
      comment: "# kubectl's context, which isn't the current one",
    },
  ])
})

/** What cannot be broken: one word of a command. */
const isOneWord = (line: string): boolean => !line.trim().replace(/ \\$/, '').includes(' ')
const tooWide = (shown: string, width: number): string[] =>
  shown.split('\n').filter((line) => columnsOf(line) > width && !isOneWord(line))

const longNames = report({
  cluster: { name: 'a-name-of-a-cluster-'.repeat(5).slice(0, 100), region: 'ap-southeast-1', account: '111122223333' },
  verdict: 'not-applicable',
  nodes: [node(1, { verdict: 'not-applicable', effectiveRange: ['20000:32767', '40000', '40002', '40004', '40006'] })],
  findings: [
    {
      code: 'CALICO_API_UNAVAILABLE',
      severity: 'warning',
      subject: 'APIService/v3.projectcalico.org',
      message: `答えがありません 🚨 ${'はい'.repeat(60)}`,
      evidence: Array.from({ length: 30 }, (_, at) => ({ object: `Pod/${at}`, value: '🚨'.repeat(70) })),
    },
  ],
})
const wideContext = report({ cluster: { name: '集群-一', context: '生产环境 🚀 kubernetes-admin' } })
const documents: [string, Report | Sweep][] = [
  ['out of step', outOfStep],
  ['unreachable', unreachable],
  ['foreign text', hostile()],
  ['long names', longNames],
  ['wide letters', wideContext],
  ['a fleet', fleet(20, 3)],
  ['a mixed fleet', { ...sweep, clusters: [longNames, wideContext, hostile(), ...sweep.clusters] }],
]

test.each(documents)('nothing is wider than a terminal of 40 to 140 columns: %s', (_, document) => {
  for (const width of [40, 41, 60, 80, 100, 140])
    expect(tooWide(text(document, { columns: width, verbose: true }), width)).toEqual([])
})

test('names that differ stay different where they are cut, wherever they differ', () => {
  const numbered = (make: (n: number) => string): string[] => Array.from({ length: 9 }, (_, index) => make(index + 1))
  const ofEc2 = numbered((n) => `ip-10-0-1-10${n}.eu-central-1.compute.internal`)
  const ofPools = numbered((n) => `production-blue-nodegroup-0123456789-${n}`)
  for (const names of [ofEc2, ofPools]) {
    const cut = clippedApart(names, 20)
    expect(new Set(cut).size).toBe(names.length)
    expect(cut.filter((name) => columnsOf(name) > 20)).toEqual([])
    const nodes = names.map(
      (name, at) => ({ ...report().nodes[0], name, effectiveRange: [`3000${at}:32767`] }) as never,
    )
    const rows = text(report({ nodes }), { columns: 60 })
      .split('\n')
      .filter((line) => line.startsWith('in step '))
    expect(new Set(rows.map((row) => row.split('  ').at(-1))).size).toBe(names.length)
  }
})

test('a range that was only assumed is said where a verdict rests on it', () => {
  const finding = {
    code: 'RANGE_ASSUMED',
    severity: 'info',
    subject: 'cluster',
    message: 'assumed',
    evidence: [],
  } satisfies Finding
  const assumed = report({ findings: [finding] })
  expect(text(assumed, { on: (words) => `tool ${words}` })).toMatch(
    /which was not read; to read it: tool check --probe\n$/,
  )
  expect(text(assumed, { on: (words) => `tool ${words} --probe` })).toMatch(
    /which was not read; RANGE_ASSUMED above says what to do\n$/,
  )
  const shown = text({ ...sweep, clusters: [assumed, report()] })
  expect(shown).toMatch(/^in step .* RANGE_ASSUMED$/m)
  expect(shown).toContain('was not read for 1 cluster, so it is assumed to be the usual one: --probe reads it.')
  expect(text({ ...sweep, clusters: [report()] })).not.toContain('--probe')
})

test('the reason of a change that is under way is not cut, and a node that is in step is none of it', () => {
  const message = `kube-proxy is being rolled: ${'2 of 3 pods have the new template. '.repeat(3)}`
  const finding = {
    code: 'CLUSTER_UPDATING',
    severity: 'info',
    subject: 'cluster',
    message,
    evidence: [],
  } satisfies Finding
  const shown = text(report({ verdict: 'changing', findings: [finding] }), { columns: 60 })
  expect(shown.replaceAll(/\s+/g, ' ')).toContain(message.trim())
  expect(shown).not.toMatch(/CHANGING .*0 of/)
})

test('the count behind a name that is cut stays', () => {
  const cells = ['a', 'b'].map((name) => ({ name: `${name}-${'very-'.repeat(10)}long`, end: ' and 496 more' }))
  for (const cut of clippedApart(cells, 24)) expect(cut).toMatch(/^.{1,12}….* and 496 more$/)
  expect(text(report(), { columns: 60 })).toMatch(/^in step .*…\S* and 2 more$/m)
  // A name that reads like that is a name.
  const name = `${'x'.repeat(40)} and 496 more`
  expect(clippedApart([name], 20)).toEqual([clippedInside(name, 20)])
})

test('a sentence is cut between two words, and a word only where there is no other way', () => {
  expect(clippedAtWord('Kubernetes deprecates the mode', 24)).toBe('Kubernetes deprecates …')
  expect(clippedAtWord('a RANGE_SPEC_IGNORED_AND_MORE', 12)).toBe('a RANGE_SPE…')
  expect(clippedAtWord('short', 12)).toBe('short')
})

test('columns stay columns beside letters that take two', () => {
  const [, head = '', ...rows] = text({ ...sweep, clusters: [wideContext, report()] }).split('\n')
  const at = head.indexOf('NODES')
  expect(rows.slice(0, 2).map((row) => columnsOf(row.slice(0, row.indexOf('3      ipvs'))))).toEqual([at, at])
})

test('a name that has no room keeps its beginning and its end, and a clipped one is never wider than asked', () => {
  expect(clippedInside('payments-production-eu-central-1a', 16)).toBe('payments…tral-1a')
  for (const most of [8, 9, 10, 11])
    for (const all of ['生产环境生产环境', 'a生b产c环d境', 'e\u0301'.repeat(20), '🚀'.repeat(9)])
      for (const cut of [clipped, clippedInside]) expect(columnsOf(cut(all, most))).toBeLessThanOrEqual(most)
})

test('of a captured state, of which nothing can be run, the last line names no command that is not there', () => {
  expect(text({ ...outOfStep, plan: undefined } as never)).toMatch(/ {2}the findings above say what to do\n$/)
  expect(text(report())).toMatch(/ {2}nothing to do\n$/)
  const codes = ['RANGE_ASSUMED', 'ROLLOUT_HALTED'] as const
  for (const code of codes) {
    const severity = code === 'RANGE_ASSUMED' ? 'info' : 'warning'
    const finding: Finding = { code, severity, subject: 'cluster', message: 'so', evidence: [] }
    expect(text(report({ findings: [finding] }))).toMatch(new RegExp(`; ${code} above says what to do\\n$`))
  }
})

test('a command that has no room on the last line stands below it', () => {
  const on = (words: string): string => `tool ${words} --cluster ${'long-'.repeat(10)} --region eu-central-1`
  const lines = text({ ...outOfStep, plan: undefined } as never, { columns: 80, on })
    .trimEnd()
    .split('\n')
  expect(lines.filter((line) => line.length > 80)).toEqual([])
  expect(lines.slice(-3)).toEqual([
    '  what would put it right:',
    `    tool plan --cluster ${'long-'.repeat(10)} \\`,
    '      --region eu-central-1',
  ])
})

test('a halted rollout: the last line names the command that says what happened, whatever has scrolled away', () => {
  const finding = {
    code: 'ROLLOUT_HALTED',
    severity: 'warning',
    subject: 'Lease',
    message: 'halted',
    evidence: [],
  } satisfies Finding
  const shown = text(report({ verdict: 'out-of-step', findings: [finding] }), { on: (words) => `tool ${words}` })
  expect(shown).toMatch(/ {2}the rollout is halted or paused; what happened and how to go on: tool rollout status\n$/)
  for (const state of ['halted', 'paused']) {
    const evidence = [{ object: 'Lease', field: 'metadata.annotations[calico-ipvs-sync/state]', value: state }]
    const findings = [{ ...finding, evidence }]
    expect(text(report({ verdict: 'out-of-step', findings }))).toContain(`the rollout is ${state}; `)
  }
})

test('broken over lines, a command is the same one for a shell', () => {
  const command = `kubectl --context 'a b' patch felixconfigurations.crd.projectcalico.org default --type=merge -p '{"metadata":{"a b":"c"}}' --kubeconfig "x y" $'it\\'s' one\\ word`
  const script = (lines: string[]) =>
    `print() { for word in "$@"; do printf '<%s>' "$word"; done; }\n${lines.join('\n').replace(/^kubectl/, 'print')}`
  const said = (lines: string[]) => execFileSync('bash', ['-c', script(lines)], { encoding: 'utf8' })
  const lines = brokenCommand(command, 40)
  expect(lines.length).toBeGreaterThan(3)
  expect(said(lines)).toBe(said([command]))
})

test('what is only good to know is one line each, and in full when it is asked for', () => {
  expect(text(outOfStep, { columns: 50 })).toContain('\ninfo  IPVS_DEPRECATED  Kubernetes deprecates the …\n')
  const finding = { ...outOfStep.findings[1], remedy: 'plan to leave it' } as Finding
  const document = report({ findings: [finding] })
  expect(text(document)).not.toContain('plan to leave it')
  expect(text(document, { verbose: true })).toContain('    do    plan to leave it\n')
})

test.each([
  ['out of step, with a plan', outOfStep, 'the plan above puts it right'],
  ['out of step, not planned yet', { ...outOfStep, plan: undefined }, 'what would put it right: tool plan --on it'],
  [
    'out of step, and owned by GitOps',
    report({
      verdict: 'out-of-step',
      findings: [{ code: 'OWNED_BY_GITOPS', severity: 'warning', subject: 'default', message: 'owned', evidence: [] }],
    }),
    'OWNED_BY_GITOPS above says what to do',
  ],
  ['in step', report(), 'nothing to do'],
  ['unknown', unreachable, 'UNREACHABLE above says what to do'],
  [
    'changing',
    report({ verdict: 'changing' }),
    'a change is under way; look again in a few minutes: tool check --on it',
  ],
])('the last line says what to do: %s', (_, document, next) => {
  const { plan, ...rest } = document
  const shown = text(plan ? { ...rest, plan } : rest, { on: (words) => `tool ${words} --on it` })
  expect(shown.trimEnd().split('\n').at(-1)?.trim()).toMatch(new RegExp(`^${next}(: tool sync --on it)?$`))
})

test('one long name among many leaves room for the finding that matters most, in a narrow terminal with the others as a count', () => {
  const long = report({ cluster: { name: 'x'.repeat(100) } })
  const both = report({
    verdict: 'unknown',
    findings: (['CALICO_API_UNAVAILABLE', 'ACCESS_DENIED'] as const).map((code) => ({
      code,
      severity: 'critical',
      subject: 'cluster',
      message: 'so',
      evidence: [],
    })),
  })
  const rows = (columns: number) => text({ ...sweep, clusters: [long, both] }, { columns }).split('\n')
  expect(rows(60)).toContainEqual(expect.stringMatching(/^unknown .* CALICO_API_UNAVAILABLE \+1$/))
  expect(rows(120)).toContainEqual(expect.stringMatching(/^unknown .* CALICO_API_UNAVAILABLE ACCESS_DENIED$/))
})

test('in a terminal the rows of the tables stay lines', () => {
  for (const document of [report(), sweep, fleet(20, 3)]) {
    const table = text(document, { columns: 120 })
      .split('\n')
      .filter((line) => /^(VERDICT|in step|out of step|unknown) /.test(line))
    expect(table.length).toBeGreaterThan(1)
    expect(table.filter((line) => line.length > 120)).toEqual([])
  }
})

test('a plan that may not run says so, and one without changes says there is nothing to do', () => {
  const forecast = { felixRestarts: 0, felixRestartsAtOnce: 0, podRestarts: 0 }
  const plan = { strategy: 'staged' as const, changes: [], forecast }
  expect(text({ ...unreachable, plan: { ...plan, blockedBy: ['UNREACHABLE'] } })).toContain(
    'Plan: nothing is written while UNREACHABLE stands',
  )
  expect(text(report({ plan: { ...plan, blockedBy: [] } }))).toContain('Plan: nothing to do')
})

test('a fleet of two hundred is two hundred lines and a little', () => {
  expect(text(fleet(200, 50)).split('\n').length).toBeLessThan(220)
})
