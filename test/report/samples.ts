import type { Finding, NodeReport, Report, Sweep, Verdict } from '../../shared/domain/report.ts'

const observedAt = '2026-11-20T09:30:00Z'

export const node = (number: number, over: Partial<NodeReport> = {}): NodeReport => ({
  name: `ip-10-0-${Math.floor(number / 250)}-${number % 250}.eu-central-1.compute.internal`,
  verdict: 'in-step',
  runningMode: 'ipvs',
  confidence: 'proven',
  felixIpvs: true,
  effectiveRange: ['20000:32767'],
  rangeSource: 'global',
  markMask: '0xffff0000',
  markCapacity: 16382,
  podsMax: 110,
  ...over,
})

export const rangeDiffers: Finding = {
  code: 'RANGE_DIFFERS',
  severity: 'critical',
  subject: 'FelixConfiguration/default',
  message: 'Felix protects node ports 30000:32767 while Services may use 20000:32767.',
  evidence: [
    {
      object: 'FelixConfiguration/default',
      field: 'metadata.annotations[config.projectcalico.org/KubeNodePortRanges]',
      value: '30000:32767',
      at: '2026-10-01T08:00:00Z',
    },
  ],
  remedy:
    "kubectl annotate felixconfiguration default --overwrite config.projectcalico.org/KubeNodePortRanges='20000:32767'",
}

export const report = (over: Partial<Report> = {}): Report => ({
  schemaVersion: 1,
  cluster: {
    name: 'prod-1',
    arn: 'arn:aws:eks:eu-central-1:123456789012:cluster/prod-1',
    account: '123456789012',
    region: 'eu-central-1',
  },
  observedAt,
  verdict: 'in-step',
  serviceRange: { min: 20000, max: 32767, source: 'eks-api' },
  desiredRange: ['20000:32767'],
  calico: { version: 'v3.28.4', install: 'operator', api: 'crd.projectcalico.org/v1' },
  kubeProxy: { configuredMode: 'ipvs', addonVersion: 'v1.33.3-eksbuild.4' },
  nodes: [node(1), node(2), node(3)],
  findings: [],
  ...over,
})

const stale: Partial<NodeReport> = { verdict: 'out-of-step', effectiveRange: ['30000:32767'] }

const fargate: NodeReport = {
  name: 'fargate-10-0-9-9',
  verdict: 'not-applicable',
  reason: 'Fargate runs no calico-node',
  runningMode: 'unknown',
  confidence: 'none',
}

export const outOfStep = report({
  verdict: 'out-of-step',
  nodes: [node(1, stale), node(2, stale), node(3), fargate],
  findings: [
    rangeDiffers,
    {
      code: 'IPVS_DEPRECATED',
      severity: 'info',
      subject: 'cluster',
      message: 'Kubernetes deprecates the IPVS mode of kube-proxy.',
      evidence: [],
    },
  ],
  plan: {
    strategy: 'staged',
    changes: [
      {
        action: 'create',
        apiVersion: 'crd.projectcalico.org/v1',
        kind: 'FelixConfiguration',
        name: 'node.ip-10-0-0-1.eu-central-1.compute.internal',
        patch: {
          metadata: { annotations: { 'config.projectcalico.org/KubeNodePortRanges': '20000:32767' } },
          spec: { kubeNodePortRanges: ['20000:32767'] },
        },
      },
      { action: 'restart', apiVersion: 'v1', kind: 'Pod', namespace: 'calico-system', name: 'calico-node-abcde' },
    ],
    forecast: { felixRestarts: 2, felixRestartsAtOnce: 1, podRestarts: 1, seconds: 95 },
    blockedBy: [],
  },
})

export const unreachable: Report = {
  schemaVersion: 1,
  cluster: { name: 'edge-7', context: 'edge-7' },
  observedAt,
  verdict: 'unknown',
  nodes: [],
  findings: [
    {
      code: 'UNREACHABLE',
      severity: 'critical',
      subject: 'cluster',
      message: 'https://10.9.9.9 does not answer: connection refused.',
      evidence: [{ object: 'https://10.9.9.9', value: 'ECONNREFUSED' }],
      remedy: 'calico-ipvs-sync check --context edge-7',
    },
  ],
}

export const sweep: Sweep = {
  schemaVersion: 1,
  sweptAt: '2026-11-20T09:31:00Z',
  clusters: [report(), unreachable, { ...outOfStep, cluster: { name: 'prod-2', context: 'prod-2' } }],
}

/** What a cluster that somebody hostile writes to may hold wherever text comes from it. */
export const hostileTexts = [
  '<script>alert(1)</script>',
  `"><img src=x onerror='alert(1)'>`,
  '\u001b[31mred\u001b[0m\u0007\u009b2J',
  'two\nlines\r\nand ]]> more',
  "=cmd|'/c calc'!A1",
  '+1\t-1',
  '@SUM(A1:A9), "quoted"',
  '\u202egnp.exe\u2066',
  '\ud800 lone, \u0000 and \ufffe',
  'javascript:alert(1)//&amp;',
]

export const hostile = (): Report => {
  const [
    script = '',
    image = '',
    ansi = '',
    lines = '',
    formula = '',
    tab = '',
    sum = '',
    bidi = '',
    lone = '',
    link = '',
  ] = hostileTexts
  return report({
    cluster: { name: formula, context: script, region: image, account: bidi, arn: link },
    verdict: 'out-of-step',
    calico: { version: ansi, install: 'manifest' },
    kubeProxy: { configuredMode: 'ipvs', addonVersion: lines },
    nodes: hostileTexts.map((name, at) =>
      node(at, { name, reason: `${name}${script}`, markMask: image, verdict: 'unknown' }),
    ),
    findings: hostileTexts.map(
      (text): Finding => ({
        code: 'RANGE_DIFFERS',
        severity: 'critical',
        subject: `node/${text}`,
        message: `${text}${ansi}`,
        evidence: [{ object: text, field: tab, value: sum, at: lone }],
        remedy: `${script}\n${text}`,
      }),
    ),
    plan: {
      strategy: 'staged',
      changes: [
        { action: 'patch', apiVersion: script, kind: image, namespace: ansi, name: lines, patch: { [script]: ansi } },
      ],
      forecast: { felixRestarts: 1, felixRestartsAtOnce: 1, podRestarts: 0 },
      blockedBy: [],
    },
  })
}

const worlds: Verdict[] = [
  'in-step',
  'in-step',
  'in-step',
  'in-step',
  'out-of-step',
  'unknown',
  'changing',
  'not-applicable',
]

/** A fleet of a size that must stay usable. */
export const fleet = (clusters: number, nodes: number): Sweep => ({
  schemaVersion: 1,
  sweptAt: observedAt,
  clusters: Array.from({ length: clusters }, (_, at) => {
    const verdict = worlds[at % worlds.length] ?? 'in-step'
    const cluster = { name: `team-${at}-prod`, account: '123456789012', region: at % 2 ? 'eu-central-1' : 'us-east-1' }
    const findings = verdict === 'out-of-step' ? [rangeDiffers] : []
    const all = Array.from({ length: nodes }, (_, number) => node(number, number % 10 === 0 ? { verdict } : {}))
    return report({ cluster, verdict, findings, nodes: all })
  }),
})
