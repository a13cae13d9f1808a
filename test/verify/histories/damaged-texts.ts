import { ours } from '../../../shared/domain/rollout/annotations.ts'

type Texts = Record<string, readonly (string | undefined)[]>

const evidence = (node: string, now: string) => ({ node, reason: `${node} was not Ready`, at: now })

const evidences = (node: string, now: string): string[] => {
  const known = evidence(node, now)
  const pod = { namespace: 'calico-system', name: `calico-node-${node}` }
  const given: unknown[] = [
    null,
    known,
    { ...known, node: 5 },
    { ...known, at: 'then' },
    { ...known, pending: 'halt', kubelet: 'Ready', pod },
    { ...known, pending: 'take-back', kubelet: 'asleep', log: ['a', 5], beside: [node, 'node-0002'] },
    { ...known, pod: { ...pod, ready: true, restarts: 'many', readySince: now, waiting: 'CrashLoopBackOff' } },
    { ...known, pod: { name: 5 }, wrote: { object: 5 }, log: 'none', takenBackAt: 'never' },
    { ...known, wrote: { object: 'FelixConfiguration/default', value: '1:2', at: now }, pending: 'restore' },
    { ...known, wrote: { object: `FelixConfiguration/node.${node}` }, takenBackAt: now },
  ]
  return ['none', 'x'.repeat(65_000), ...given.map((it) => JSON.stringify(it))]
}

const pace = { strategy: 'staged', maxUnavailable: 1, canarySeconds: 45, settleSeconds: 40, nodeDeadlineSeconds: 300 }
const paces = [
  { ...pace, strategy: 'hasty' },
  { ...pace, maxUnavailable: '50%' },
  { ...pace, maxUnavailable: 'half' },
  { ...pace, maxUnavailable: 0 },
  { ...pace, maxUnavailable: null },
  { ...pace, canarySeconds: 'long' },
  { ...pace, settleSeconds: -1 },
  { ...pace, nodeDeadlineSeconds: 0 },
  { ...pace, strategy: 'direct', maxUnavailable: 9, canarySeconds: 0, settleSeconds: 0 },
]

const wheres = [
  { api: 'v9' },
  { api: 'crd.projectcalico.org/v1', calico: 'v3.28.4', spec: true, known: 'eks-api' },
  { api: 'projectcalico.org/v3', calico: 5, spec: 'yes', known: 'hearsay' },
]

const many = Array.from({ length: 6_001 }, (_, index) => `n${index}`).join(' ')

/** What may stand in the annotations of the Lease. */
export const leaseTexts = ({ node, pod, now }: { node: string; pod: string; now: string }): Texts => {
  const later = new Date(Date.parse(now) + 86_400_000).toISOString()
  const texts: Texts = {
    rollout: ['two words', '', undefined],
    state: ['asleep', 'paused', 'halted', 'done', 'running', 'aborting', undefined],
    phase: ['lunch', 'restarts', 'range', undefined],
    pace: ['fast', '[]', ...paces.map((it) => JSON.stringify(it)), undefined],
    where: ['there', ...wheres.map((it) => JSON.stringify(it)), undefined],
    target: ['none', '1024:65535', '30000:32767', 'x'.repeat(5_000), undefined],
    canary: ['two words', node, 'n'.repeat(300)],
    last: [`${node} `, many, 'n'.repeat(300)],
    skip: [node, many],
    defaulted: ['nftablesMode', 'a-b', many],
    restart: [pod, many],
    touching: [
      'x',
      `${node}=${pod}=then`,
      `${node}=${pod}=${later}`,
      `${node}=${pod}=${now}=x`,
      `${node}=${pod}=${now}`,
    ],
    'started-at': ['then', later, now, undefined],
    'finished-at': ['then', later, now],
    why: ['because', 'x'.repeat(400_001)],
    reason: ['a reason\nin two lines'],
    rollback: [node, `${node} node-0002`, '', 'n'.repeat(300)],
    evidence: evidences(node, now),
    zones: ['none', '{}', '{"a":5}', JSON.stringify({ a: [node], b: ['node-0002'] }), '{"a":["two words"]}'],
    written: ['x', 'deadbeef', 'deadbeef? deadbeef??'],
    careful: ['true', 'false'],
    'taken-back': [
      'x',
      '{"object":5}',
      JSON.stringify({ object: 'FelixConfiguration/default', at: now }),
      JSON.stringify({ object: `FelixConfiguration/node.${node}`, at: now, by: 'kubectl' }),
      JSON.stringify({ object: 'FelixConfiguration/default', at: 'then' }),
    ],
  }
  return Object.fromEntries(Object.entries(texts).map(([key, values]) => [ours + key, values]))
}

/** What may stand in the marks of an object. */
export const markTexts = (now: string): Texts => {
  const mark = { by: 'somebody', rollout: 'r1' }
  const marks = [
    null,
    { ...mark, by: 5 },
    { ...mark, by: 'x'.repeat(400) },
    { ...mark, rollout: 'two words' },
    mark,
    { ...mark, from: '1:2', why: 'because', noted: now, known: 'eks-api', filled: ['a', 5], atOnce: true, seal: 'x' },
    { ...mark, from: 5, why: 5, noted: 'then', known: 'hearsay', filled: [], atOnce: 'yes', seal: 5 },
  ].map((it) => JSON.stringify(it))
  const later = new Date(Date.parse(now) + 86_400_000).toISOString()
  return {
    [`${ours}change`]: ['x', 'x'.repeat(17_000), ...marks, undefined],
    [`${ours}changed-at`]: ['then', later, now, undefined],
    [`${ours}override`]: ['mine', 'added', undefined],
  }
}

/** Lines of a journal, among them such as nobody wrote. */
export const journals = (text: string): string[] => {
  const line = (index: number) =>
    `2026-11-20T10:${`${index % 60}`.padStart(2, '0')}:00.000Z r1 override FelixConfiguration/node.n${index} - -> 1:2 by somebody`
  const lines = (count: number) => Array.from({ length: count }, (_, index) => line(index)).join('\n')
  return [
    '',
    `${text}\nnonsense`,
    `${text}\nthen r1 halt - - -> - by somebody`,
    `${text}\n${line(1)} because it was due because of that`,
    `${text}\n2026-11-20T10:00:00Z r1 pace - %E0%A4%A -> - by somebody`,
    `${text}\n2026-11-20T10:00:00Z r1 pace - - to - by somebody`,
    `${text}\n${'x'.repeat(13_000)}`,
    lines(48),
    lines(250),
    `# 12 earlier entries are in the log only\n${lines(20)}`,
    `# 49 earlier entries are in the log only\n${text}`,
  ]
}
