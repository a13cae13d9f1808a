import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { parse, stringify } from 'yaml'
import { type EmbeddedCluster, startEmbedded } from '../../lab/embedded/start.ts'
import { populate } from '../../lab/fixtures/populate.ts'
import { runHere as run } from '../cli/here.ts'
import { run as runIn } from '../cli/run.ts'
import { faultsOf, printedIn, stringsIn } from './printed.ts'

/** Every command that the command line prints about a cluster behind a kubeconfig whose names a shell would trip over. */
const context = `it's $(touch made); > made`
const workdir = mkdtempSync(join(tmpdir(), 'my configs '))
const kubeconfig = join(workdir, 'kube config')
const lease = '/apis/coordination.k8s.io/v1/namespaces/kube-system/leases'
const felix = '/apis/crd.projectcalico.org/v1/felixconfigurations'
let cluster: EmbeddedCluster

interface Kubeconfig {
  'current-context': string
  contexts: { name: string }[]
  users: { user: object }[]
  clusters: { cluster: { server: string } }[]
}
const configured = (change: (config: Kubeconfig) => void = () => undefined): void => {
  const config = parse(readFileSync(cluster.kubeconfig, 'utf8')) as Kubeconfig
  for (const it of config.contexts) it.name = context
  config['current-context'] = context
  change(config)
  writeFileSync(kubeconfig, stringify(config))
}

beforeAll(async () => {
  cluster = await startEmbedded({ name: 'prod', workdir, nodePortRange: { min: 20000, max: 22767 } })
  const calico = { version: 'v3.28.4', install: 'operator' } as const
  await populate(cluster, { nodes: 3, kubernetesVersion: '1.36.3', kubeProxy: { mode: 'ipvs' }, calico })
})
afterAll(async () => {
  await cluster.stop()
  rmSync(workdir, { recursive: true })
})

const place = () => ['--kubeconfig', kubeconfig, ...(isNamed ? ['--context', context] : [])]
/** Where it is not, the current context is taken, and named: it may be another one when the command is pasted. */
let isNamed = true
const said: string[] = []
const saying = async (words: readonly string[], more: readonly string[] = []): Promise<void> => {
  const { stdout, stderr } = await run([...words, ...place(), ...more])
  said.push(stdout, stderr)
}

const held = async (state: string, more: Record<string, string> = {}): Promise<void> => {
  await cluster.request('DELETE', `${lease}/calico-ipvs-sync`).catch(() => undefined)
  const annotations = {
    rollout: 'r1',
    state,
    phase: 'range',
    pace: JSON.stringify({
      strategy: 'staged',
      maxUnavailable: 1,
      canarySeconds: 1,
      settleSeconds: 1,
      nodeDeadlineSeconds: 60,
    }),
    where: JSON.stringify({ api: 'crd.projectcalico.org/v1' }),
    'started-at': '2026-01-01T00:00:00Z',
    target: '20000:22767',
    ...more,
  }
  const keyed = Object.fromEntries(
    Object.entries(annotations).map(([key, value]) => [`calico-ipvs-sync/${key}`, value]),
  )
  const metadata = { name: 'calico-ipvs-sync', namespace: 'kube-system', annotations: keyed }
  await cluster.request('POST', lease, { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata, spec: {} })
}

test('each command on the screen is understood by its parser and leads to the cluster that it is about', async () => {
  configured()
  for (const range of [[], ['--probe'], ['--service-node-port-range', '20000-22767']]) {
    await saying(['check'], range)
    await saying(['sync', '--dry-run'], range)
  }
  await saying(['sync'])
  await saying(['sync', '--plan', join(workdir, 'none.json'), '--yes'])
  await saying(['rollout', 'pause'])
  for (const [state, more] of [
    ['running', {}],
    ['paused', {}],
    ['halted', { reason: 'ip-10-1-0-1: not Ready', rollback: 'ip-10-1-0-1' }],
    [
      'halted',
      {
        reason: 'taken back',
        'taken-back': JSON.stringify({ object: 'FelixConfiguration/node.x', at: new Date().toISOString() }),
      },
    ],
    ['bogus', {}],
  ] as const) {
    await held(state, more)
    await saying(['rollout', 'status'], ['--probe'])
    const { stdout } = await run(['rollout', 'evidence', ...place()])
    if (stdout !== '') said.push(...stringsIn(JSON.parse(stdout)))
    if (state === 'halted') await saying(['sync', '--yes'], ['--probe'])
    await saying(['rollout', 'resume'])
    isNamed = false
    for (const words of [
      ['rollout', 'status'],
      ['rollout', 'resume'],
      ['sync', '--yes'],
    ])
      await saying(words)
    isNamed = true
  }
  await cluster.request('POST', felix, {
    apiVersion: 'crd.projectcalico.org/v1',
    kind: 'FelixConfiguration',
    metadata: { name: 'node.copied', annotations: { 'calico-ipvs-sync/override': 'created' } },
    spec: {},
  })
  await saying(['check'])
  await saying(['doctor'])
  // Refused, closed and unknown.
  configured(({ users }) => users.forEach((it) => (it.user = { token: 'wrong' })))
  for (const words of [['check'], ['doctor'], ['sync', '--yes'], ['rollout', 'status'], ['capture']])
    await saying(words)
  configured(({ clusters }) => clusters.forEach((it) => (it.cluster.server = 'https://127.0.0.1:1')))
  for (const words of [['check'], ['doctor'], ['rollout', 'abort']]) await saying(words)
  const none = ['--kubeconfig', join(workdir, 'no such')]
  const lost: string[] = []
  for (const words of [['check'], ['doctor'], ['rollout', 'status']])
    lost.push(...Object.values(await run([...words, ...none])).map(String))
  expect([...new Set(printedIn(lost).flatMap((it) => faultsOf(it, { kubeconfig: none[1] ?? '' })))]).toEqual([])

  const printed = printedIn(said)
  expect(printed.length).toBeGreaterThan(15)
  expect(printed.filter(({ words }) => words.length < 2)).toEqual([])
  expect([...new Set(printed.flatMap((it) => faultsOf(it, { context, kubeconfig })))]).toEqual([])
}, 180_000)

test('no command on the screen writes over a file, also where a file has the name that it would choose', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'kept-'))
  const plan = { verdict: 'in-step', findings: [], plan: {}, cluster: { name: 'prod', context } }
  const state = { felix: {}, daemonSets: {}, cluster: { name: 'prod', context } }
  const files = { 'plan.json': state, 'state.json': plan, 'plan-2.json': plan, 'state-3.json': plan }
  for (const [name, document] of Object.entries(files)) writeFileSync(join(folder, name), JSON.stringify(document))
  const ended = await Promise.all(
    [
      ['sync', '--plan', 'plan.json', '--yes'],
      ['check', '--state', 'state.json'],
      ['plan', '--state', 'state-3.json'],
    ].map((words) => runIn(words, { cwd: folder })),
  )
  const printed = printedIn(ended.map(({ stderr }) => stderr))
  expect(printed.map(({ words }) => words[1])).toEqual(['plan', 'capture'])
  expect(printed.flatMap((it) => faultsOf(it, { context, folder }))).toEqual([])
  rmSync(folder, { recursive: true })
}, 60_000)

test.each([
  ['plan --context a -o json --output-file plan.json', 1],
  ['plan --context a -o json --output-file other.json', 0],
  ['capture plan.json --context a', 1],
  ['check --context a --baseline last.json -o json --output-file ./last.json', 1],
])('a printed command that writes over a file is seen: %s', (command, faults) => {
  const folder = mkdtempSync(join(tmpdir(), 'kept-'))
  writeFileSync(join(folder, 'plan.json'), '{}')
  const found = printedIn([`Next: calico-ipvs-sync ${command}`]).flatMap((it) => faultsOf(it, { context: 'a', folder }))
  expect(found).toHaveLength(faults)
  rmSync(folder, { recursive: true })
})
