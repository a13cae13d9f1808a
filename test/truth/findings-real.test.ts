import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import type { LabCluster } from '../../lab/cluster.ts'
import { installCalicoCrds } from '../../lab/control-plane/crds.ts'
import { useControlPlane } from '../control-planes/use.ts'
import { calicoNode, readyDelayAnnotation } from '../../lab/fixtures/calico-node.ts'
import { setKubeProxyMode } from '../../lab/fixtures/changes.ts'
import type { CalicoSpec, ClusterSpec, Fragment } from '../../lab/fixtures/cluster-spec.ts'
import { breakNode } from '../../lab/fixtures/faults.ts'
import { kubeProxyLog, setPodLogs } from '../../lab/fixtures/pod-logs.ts'
import { populate } from '../../lab/fixtures/populate.ts'
import { untilSettled } from '../../lab/fixtures/settle.ts'
import type { KubeClient } from '../../shared/clients/kube/client.ts'
import { kubeClient } from '../../shared/clients/kube/open.ts'
import { assess } from '../../shared/domain/assess/assess.ts'
import type { EksState } from '../../shared/domain/cluster.ts'
import { type ClusterComparison, endpointOf } from '../../shared/domain/identity.ts'
import { plan } from '../../shared/domain/plan/plan.ts'
import { policyWith } from '../../shared/domain/policy/policy.ts'
import { type Read, read } from '../../shared/domain/read.ts'
import { type Finding, type FindingCode, findingCodes, type Report } from '../../shared/domain/report.ts'
import { overrideKey } from '../../shared/domain/rollout/annotations.ts'
import { observe } from '../../shared/workflows/observe/observe.ts'
import { sync } from '../../shared/workflows/rollout/sync.ts'
import { dryKubectl, type Kubectl } from './kubectl.ts'
import {
  aSecond,
  clientOf,
  emptied,
  felixPath,
  items,
  kubeProxyPods,
  mergePatch,
  nodeNames,
  rangeAnnotation,
  restartKubeProxy,
  withFieldsOf332,
} from './world.ts'
import { until } from '../until.ts'

/** Every finding there is, seen in the objects of a real API server and nowhere else. */

const workdir = mkdtempSync(join(tmpdir(), 'findings-real-'))
const [first, second, third] = nodeNames
const produced = new Set<FindingCode>()
let cluster: LabCluster
let kube: KubeClient
let kubectl: Kubectl

beforeAll(async () => {
  const authenticate = async (token: string) =>
    token === 'stranger' ? { username: 'stranger', groups: ['strangers'] } : undefined
  cluster = await useControlPlane({ name: 'findings', workdir, authenticate })
  kube = clientOf(cluster)
  kubectl = await dryKubectl(cluster.kubeconfig)
  await installCalicoCrds(cluster)
  await withFieldsOf332(cluster)
}, 240_000)
afterAll(async () => {
  kube?.close()
  kubectl?.remove()
  await cluster?.stop()
  rmSync(workdir, { recursive: true })
}, 60_000)

const calico = (version: string, more: Partial<CalicoSpec> = {}): CalicoSpec => ({
  version,
  install: 'operator',
  ...more,
})
const ipvs = (more: Partial<ClusterSpec> = {}): ClusterSpec => ({
  nodes: 3,
  kubernetesVersion: '1.36.3',
  kubeProxy: { mode: 'ipvs' },
  calico: calico('v3.28.4'),
  ...more,
})
const world = async (spec: ClusterSpec): Promise<void> => {
  await emptied(cluster)
  await populate(cluster, spec)
}

const facts = (more: Partial<EksState> = {}): Read<EksState> =>
  read({
    status: 'ACTIVE',
    arn: 'arn:aws:eks:eu-west-1:111122223333:cluster/findings',
    autoMode: false,
    kubeProxyAddon: read(undefined),
    updates: read([]),
    tags: {},
    ...more,
  })
/** What EKS says of a cluster whose range was changed since its Services were made. */
const moved = facts({ serviceNodePortRange: { min: 20000, max: 22767 } })

const policy = policyWith({ canarySeconds: 0, settleSeconds: 0, nodeDeadlineSeconds: 1 })
const identity = { name: 'findings' }

const look = async (eks?: Read<EksState>, client = kube) => {
  const state = await observe({ kube: client, identity, now: new Date(), ...(eks && { eks }) })
  return { state, assessment: assess(state, policy) }
}
const seen = async (eks?: Read<EksState>, client = kube): Promise<Report> => {
  const { state, assessment } = await look(eks, client)
  return { ...assessment.report, plan: plan(assessment, state, policy) }
}
const carryOut = (eks?: Read<EksState>) =>
  sync(
    {
      kube,
      holder: 'test',
      leaseSeconds: 60,
      now: () => new Date(),
      tell: () => undefined,
      look: () => look(eks),
      sleep: () => aSecond(),
      waiting: () => undefined,
      interrupted: () => false,
    },
    policy,
  )

type Expected = Pick<Finding, 'code' | 'severity' | 'subject'> & {
  /** Objects that the evidence names. */
  evidence: string[]
  /** How many commands of kubectl the remedy holds. */
  commands: number
  /** Words that the remedy cannot do without; absent where there is nothing to do. */
  remedy?: string | RegExp
}

/** There is exactly such a finding; its commands can be run as they stand. */
const expectFinding = async ({ findings }: Report, expected: Expected): Promise<Finding> => {
  const { code, severity, subject, evidence, commands, remedy } = expected
  const found = findings.filter((it) => it.code === code && it.subject === subject)
  const [finding] = found
  if (found.length !== 1 || !finding)
    throw new Error(`not one ${code} on ${subject} in ${JSON.stringify(findings, null, 1)}`)
  expect({ code, severity: finding.severity }).toEqual({ code, severity })
  expect(finding.message).toMatch(/\S \S/)
  const objects = finding.evidence.map(({ object }) => object)
  expect({ code, objects }).toEqual({ code, objects: expect.arrayContaining(evidence) })
  expect({ code, commands: await kubectl.try(finding.remedy ?? '') }).toEqual({ code, commands })
  if (remedy === undefined) expect({ code, remedy: finding.remedy }).toEqual({ code, remedy: undefined })
  else
    expect(finding.remedy).toEqual(
      typeof remedy === 'string' ? expect.stringContaining(remedy) : expect.stringMatching(remedy),
    )
  produced.add(code)
  return finding
}

const felix = (name: string, more: { annotations?: Record<string, string>; spec?: object } = {}): Fragment => ({
  metadata: { name, ...(more.annotations && { annotations: more.annotations }) },
  spec: more.spec ?? {},
})
const resource = 'felixconfigurations.crd.projectcalico.org'
const patchOf = (name: string): string => `kubectl patch ${resource} ${name} --type=merge`

test('a range that moved away from under a Service: missing, too wide, a port that strays, and one of SCTP', async () => {
  const port = { port: 80, nodePort: 31000 }
  const ports = [
    { ...port, name: 'web' },
    { ...port, name: 'calls', protocol: 'SCTP' },
  ]
  await world(ipvs({ services: [{ metadata: { name: 'stray' }, spec: { type: 'NodePort', ports } }] }))
  const report = await seen(moved)
  expect([report.verdict, report.desiredRange]).toEqual(['out-of-step', ['20000:22767', '31000']])
  const range = { severity: 'critical', subject: 'cluster', commands: 1, remedy: patchOf('default') } as const
  const evidence = ['eks:DescribeCluster', 'Service/default/stray']
  await expectFinding(report, { code: 'RANGE_DIFFERS', ...range, evidence })
  await expectFinding(report, { code: 'RANGE_TOO_WIDE', ...range, evidence })
  await expectFinding(report, {
    code: 'STRAY_NODE_PORT',
    severity: 'info',
    subject: 'cluster',
    evidence: ['Service/default/stray'],
    commands: 0,
    remedy: 'Create the Services again',
  })
  await expectFinding(report, {
    code: 'NODE_PORT_SCTP',
    severity: 'info',
    subject: 'cluster',
    evidence: ['Service/default/stray'],
    commands: 0,
    remedy: 'SCTP',
  })
  await expectFinding(report, {
    code: 'IPVS_DEPRECATED',
    severity: 'info',
    subject: 'cluster',
    evidence: ['ConfigMap/kube-system/kube-proxy-config'],
    commands: 0,
    remedy: 'nftables',
  })
  expect(report.plan).toMatchObject({ blockedBy: [], forecast: { felixRestarts: 3, felixRestartsAtOnce: 1 } })
}, 120_000)

test('a range in the spec alone, on an object that Argo CD owns, while the operator is told to look away', async () => {
  const owned = { 'argocd.argoproj.io/instance': 'platform' }
  const base = felix('default', { spec: { kubeNodePortRanges: ['20000:22767'] } })
  await world(ipvs({ felixConfigurations: [{ ...base, metadata: { ...base.metadata, labels: owned } }] }))
  const ignore = { metadata: { annotations: { 'unsupported.operator.tigera.io/ignore': 'true' } } }
  await cluster.request('PATCH', '/apis/operator.tigera.io/v1/installations/default', ignore, mergePatch)
  const report = await seen(moved)
  const object = 'FelixConfiguration/default'
  await expectFinding(report, {
    code: 'RANGE_SPEC_IGNORED',
    severity: 'warning',
    subject: object,
    evidence: [object],
    // Argo CD would undo a patch.
    commands: 0,
    remedy: `${rangeAnnotation}: "20000:22767"`,
  })
  await expectFinding(report, {
    code: 'OWNED_BY_GITOPS',
    severity: 'warning',
    subject: object,
    evidence: [object],
    commands: 0,
    remedy: `${rangeAnnotation}: "20000:22767"`,
  })
  await expectFinding(report, {
    code: 'OPERATOR_IGNORED',
    severity: 'warning',
    subject: 'Installation/default',
    evidence: ['Installation/default'],
    commands: 0,
    remedy: 'unsupported.operator.tigera.io/ignore',
  })
  expect(report.plan).toMatchObject({ changes: [], blockedBy: ['OWNED_BY_GITOPS'] })
}, 120_000)

test('layers: a node of its own mind, two spellings on another, two selectors for a third', async () => {
  const chooses = { nodeSelector: `kubernetes.io/hostname == '${third}'`, nftablesMode: 'Disabled' }
  await world(
    ipvs({
      calico: calico('v3.32.0'),
      felixConfigurations: [
        felix('default', { spec: { nftablesMode: 'Disabled' } }),
        felix(`node.${first}`, { annotations: { [rangeAnnotation]: '1000:2000' }, spec: { nftablesMode: 'Disabled' } }),
        // Nothing in the spec, and so the server puts nftablesMode Auto there.
        felix(`node.${second}`, {
          annotations: { [rangeAnnotation]: '30000:32767', [rangeAnnotation.toLowerCase()]: '20000:22767' },
        }),
        felix('group-a', { spec: chooses }),
      ],
    }),
  )
  await aSecond()
  await cluster.request('POST', felixPath, {
    apiVersion: 'crd.projectcalico.org/v1',
    kind: 'FelixConfiguration',
    ...felix('group-b', { spec: chooses }),
  })
  const report = await seen(facts())
  const [mine, spelled] = [`FelixConfiguration/node.${first}`, `FelixConfiguration/node.${second}`]
  await expectFinding(report, {
    code: 'RANGE_SHADOWED',
    severity: 'warning',
    subject: `node/${first}`,
    evidence: [mine],
    commands: 1,
    remedy: patchOf(`node.${first}`),
  })
  await expectFinding(report, {
    code: 'RANGE_INVALID',
    severity: 'critical',
    subject: spelled,
    evidence: [spelled],
    commands: 1,
    remedy: `kubectl annotate ${resource} node.${second} ${rangeAnnotation.toLowerCase()}-`,
  })
  await expectFinding(report, {
    code: 'NFTABLES_MODE_DIFFERS',
    severity: 'warning',
    subject: spelled,
    evidence: [spelled],
    commands: 0,
    remedy: 'nftablesMode: Disabled',
  })
  await expectFinding(report, {
    code: 'SELECTOR_OVERLAP',
    severity: 'info',
    subject: 'FelixConfiguration/group-a',
    evidence: ['FelixConfiguration/group-a'],
    commands: 0,
    remedy: 'do not overlap',
  })
  expect(report.plan).toMatchObject({ changes: [], blockedBy: expect.arrayContaining(['RANGE_INVALID']) })
}, 120_000)

test('marks: too little room, bits of a neighbour, too few to start with, and a mask that no spec can hold', async () => {
  await world(
    ipvs({
      calico: calico('v3.32.0'),
      felixConfigurations: [
        felix('default', { spec: { iptablesMarkMask: 0x7f000000 } }),
        felix(`node.${second}`, { spec: { iptablesMarkMask: 0x00ffff00 } }),
        felix(`node.${third}`, { spec: { iptablesMarkMask: 0x00030000 } }),
      ],
    }),
  )
  const report = await seen(facts())
  const base = 'FelixConfiguration/default'
  await expectFinding(report, {
    code: 'MARK_CAPACITY',
    severity: 'critical',
    subject: `node/${first}`,
    evidence: [base, `Node/${first}`],
    commands: 1,
    remedy: patchOf('default'),
  })
  const overlaps = report.findings.filter(({ code }) => code === 'MARK_OVERLAP')
  expect(overlaps.map(({ severity, subject }) => `${severity} ${subject}`)).toContain(`critical node/${second}`)
  for (const { remedy = '', evidence } of overlaps) {
    expect(evidence.map(({ object }) => object)).toContain(`FelixConfiguration/node.${second}`)
    expect(remedy).toContain(patchOf(`node.${second}`))
    expect(await kubectl.try(remedy)).toBe(1)
    produced.add('MARK_OVERLAP')
  }
  const short = `FelixConfiguration/node.${third}`
  await expectFinding(report, {
    code: 'MARK_INVALID',
    severity: 'critical',
    subject: short,
    evidence: [short],
    commands: 1,
    remedy: patchOf(`node.${third}`),
  })
  await expectFinding(report, {
    code: 'MARK_NOT_STORABLE',
    severity: 'warning',
    subject: base,
    evidence: ['kube-apiserver'],
    commands: 1,
    remedy: 'config.projectcalico.org/IptablesMarkMask',
  })
  for (const node of nodeNames) {
    await expectFinding(report, {
      code: 'MARK_TABLES_DIFFER',
      severity: 'warning',
      subject: `node/${node}`,
      evidence: ['Felix'],
      commands: 0,
      remedy: 'Set both to the same value',
    })
  }
}, 120_000)

test('combinations that break Felix: eBPF, nftables, and an interface left out', async () => {
  await world(
    ipvs({
      calico: calico('v3.32.0'),
      felixConfigurations: [
        felix('default', { spec: { nftablesMode: 'Disabled' } }),
        felix(`node.${first}`, { spec: { nftablesMode: 'Disabled', bpfEnabled: true } }),
        felix(`node.${second}`, { spec: { nftablesMode: 'Enabled' } }),
        felix(`node.${third}`, { spec: { nftablesMode: 'Disabled', interfaceExclude: 'docker0' } }),
      ],
    }),
  )
  const report = await seen(facts())
  await expectFinding(report, {
    code: 'IPVS_WITH_BPF',
    severity: 'critical',
    subject: `node/${first}`,
    evidence: [`FelixConfiguration/node.${first}`],
    commands: 0,
    remedy: 'ip link delete kube-ipvs0',
  })
  await expectFinding(report, {
    code: 'IPVS_WITH_NFTABLES',
    severity: 'warning',
    subject: `node/${second}`,
    evidence: [`FelixConfiguration/node.${second}`],
    commands: 1,
    remedy: patchOf(`node.${second}`),
  })
  await expectFinding(report, {
    code: 'INTERFACE_EXCLUDE',
    severity: 'critical',
    subject: `node/${third}`,
    evidence: [`FelixConfiguration/node.${third}`],
    commands: 1,
    remedy: patchOf(`node.${third}`),
  })
  expect(report.nodes.map(({ verdict }) => verdict)).toEqual(['out-of-step', 'out-of-step', 'out-of-step'])
}, 120_000)

test('a mode that was changed and not rolled: mixed, then unproven, and in the end a device left behind', async () => {
  await world(ipvs())
  await aSecond()
  await setKubeProxyMode(cluster, 'iptables')
  await aSecond()
  await restartKubeProxy(cluster, first)
  const mixed = await seen(facts())
  const daemonSet = 'DaemonSet/kube-system/kube-proxy'
  await expectFinding(mixed, {
    code: 'MODE_NOT_ROLLED',
    severity: 'warning',
    subject: daemonSet,
    evidence: ['ConfigMap/kube-system/kube-proxy-config', `Node/${second}`],
    commands: 1,
    remedy: 'kubectl -n kube-system rollout restart daemonset/kube-proxy',
  })
  await expectFinding(mixed, {
    code: 'MODE_MIXED',
    severity: 'warning',
    subject: 'cluster',
    evidence: nodeNames.map((name) => `Node/${name}`),
    commands: 0,
    remedy: 'Restart the kube-proxy pods',
  })
  await expectFinding(mixed, {
    code: 'STALE_IPVS_DEVICE',
    severity: 'warning',
    subject: `node/${first}`,
    evidence: [expect.stringContaining('Pod/calico-system/calico-node-') as unknown as string],
    commands: 0,
    remedy: 'ip link delete kube-ipvs0',
  })

  const pods = await items(cluster, kubeProxyPods)
  const names = pods.map(({ metadata }) => metadata.name)
  await setPodLogs(cluster, { namespace: 'kube-system', container: 'kube-proxy', pods: names }, ['nothing to tell'])
  const silent = await until('logs that tell nothing', async () => {
    const report = await seen(facts())
    return report.nodes.some(({ runningMode }) => runningMode === 'unknown') && report
  })
  await expectFinding(silent, {
    code: 'MODE_UNPROVEN',
    severity: 'warning',
    subject: 'cluster',
    evidence: [`Node/${second}`, `Node/${third}`],
    commands: 0,
    remedy: /^calico-ipvs-sync check .*--deep/,
  })
  expect(silent.verdict).toBe('out-of-step')
}, 120_000)

test('a kube-proxy that fell back for want of a kernel module, and one that does not run', async () => {
  await world(ipvs({ kubeProxy: { mode: 'ipvs', version: 'v1.25.16-minimal-eksbuild.2' } }))
  const modules = 'because the following required kernel modules are not loaded: [ip_vs_lc]'
  await setPodLogs(cluster, { namespace: 'kube-system', container: 'kube-proxy' }, [
    `E0412 10:15:48.739711       1 server_others.go:107] "Can't use the IPVS proxier" err="IPVS proxier will not be used ${modules}"`,
    ...kubeProxyLog('iptables'),
  ])
  const report = await until('the log', async () => {
    const it = await seen(facts())
    return it.verdict === 'in-step' && it
  })
  await expectFinding(report, {
    code: 'MODE_NOT_ROLLED',
    severity: 'warning',
    subject: 'DaemonSet/kube-system/kube-proxy',
    evidence: ['ConfigMap/kube-system/kube-proxy-config', `Node/${first}`],
    commands: 0,
    remedy: 'modprobe -a ip_vs_lc',
  })
  expect(report.plan?.changes).toEqual([])

  const pod = (await items(cluster, kubeProxyPods)).find(({ spec }) => spec.nodeName === first)?.metadata.name ?? ''
  await setPodLogs(cluster, { namespace: 'kube-system', container: 'kube-proxy', pods: [pod] }, [
    'E1126 09:00:02.1 1 run.go:72] "command failed" err="listen tcp 0.0.0.0:10256: bind: address already in use"',
  ])
  const state = { waiting: { reason: 'CrashLoopBackOff' } }
  const container = { name: 'kube-proxy', image: 'i', imageID: '', ready: false, restartCount: 5, state }
  const status = { status: { containerStatuses: [container] } }
  await cluster.request('PATCH', `/api/v1/namespaces/kube-system/pods/${pod}/status`, status, mergePatch)
  const dead = await seen(facts())
  await expectFinding(dead, {
    code: 'MODE_UNPROVEN',
    severity: 'warning',
    subject: `node/${first}`,
    evidence: [`Pod/kube-system/${pod}`],
    commands: 1,
    remedy: ` -n kube-system logs ${pod} --previous`,
  })
  expect(dead.verdict).toBe('unknown')
}, 120_000)

test('a link that was left behind on the way to eBPF', async () => {
  await world(
    ipvs({ felixConfigurations: [felix('default', { spec: { bpfEnabled: true, nftablesMode: 'Disabled' } })] }),
  )
  const nodeSelector = { 'operator.tigera.io/disable-kube-proxy': 'true' }
  const away = { spec: { template: { spec: { nodeSelector } } } }
  await cluster.request('PATCH', '/apis/apps/v1/namespaces/kube-system/daemonsets/kube-proxy', away, mergePatch)
  await setPodLogs(cluster, { namespace: 'calico-system', container: 'calico-node' }, [
    "2026-11-28 20:00:00.002 [INFO][640] felix/driver.go 86: kube-proxy IPVS device found but we're in BPF mode, ignoring.",
    '2026-11-28 20:00:04.003 [WARNING][640] felix/daemon.go 933: Exiting for config change',
  ])
  const left = await until('no kube-proxy, and the log', async () => {
    if ((await items(cluster, kubeProxyPods)).length > 0) return false
    const report = await seen(facts())
    return report.verdict === 'out-of-step' && report
  })
  await expectFinding(left, {
    code: 'IPVS_WITH_BPF',
    severity: 'critical',
    subject: 'cluster',
    evidence: ['FelixConfiguration/default', ...nodeNames.map((name) => `Node/${name}`)],
    commands: 0,
    remedy: 'ip link delete kube-ipvs0',
  })
}, 120_000)

test('an old Felix that missed the mode; its restart fails on the first node and the rollout halts', async () => {
  await world(ipvs({ kubeProxy: { mode: 'iptables' }, calico: calico('v3.21.6', { updateStrategy: 'OnDelete' }) }))
  await aSecond()
  await setKubeProxyMode(cluster, 'ipvs')
  await aSecond()
  await restartKubeProxy(cluster)
  const missed = await seen(facts())
  await expectFinding(missed, {
    code: 'FELIX_MISSED_MODE',
    severity: 'critical',
    subject: 'cluster',
    evidence: [expect.stringContaining('Pod/calico-system/calico-node-') as unknown as string],
    // One pod a node.
    commands: 3,
    remedy: /kubectl -n calico-system delete pod calico-node-\w+/,
  })
  await expectFinding(missed, {
    code: 'UPDATE_STRATEGY',
    severity: 'info',
    subject: 'DaemonSet/calico-system/calico-node',
    evidence: ['DaemonSet/calico-system/calico-node'],
    commands: 1,
    remedy: 'one pod at a time',
  })
  expect(missed.plan?.changes.map(({ action }) => action)).toEqual(['restart', 'restart', 'restart'])

  await breakNode(cluster, first, 'crash')
  // Until the simulated kubelets have heard of it.
  await sleep(1_100)
  expect(await carryOut(facts())).toMatchObject({ end: 'halted' })
  const halted = await seen(facts())
  await expectFinding(halted, {
    code: 'ROLLOUT_HALTED',
    severity: 'warning',
    subject: 'Lease/kube-system/calico-ipvs-sync',
    evidence: ['Lease/kube-system/calico-ipvs-sync'],
    // Describe the pod, read its log, cordon the node.
    commands: 3,
    remedy: 'calico-ipvs-sync rollout resume',
  })
  await expectFinding(halted, {
    code: 'NODES_NOT_READY',
    severity: 'warning',
    subject: `node/${first}`,
    evidence: [expect.stringContaining('Pod/calico-system/calico-node-') as unknown as string],
    commands: 1,
    remedy: 'kubectl get pods',
  })
  expect(halted.plan).toMatchObject({ changes: [], blockedBy: ['ROLLOUT_HALTED'] })
}, 180_000)

test('a range that is written and taken back the same day is not written again', async () => {
  await world(ipvs())
  expect(await carryOut(moved)).toMatchObject({ end: 'done' })
  expect((await seen(moved)).verdict).toBe('in-step')
  const undo = { metadata: { annotations: { [rangeAnnotation]: '30000:32767' } } }
  await cluster.request('PATCH', `${felixPath}/default?fieldManager=somebody`, undo, mergePatch)
  const report = await seen(moved)
  await expectFinding(report, {
    code: 'FLAPPING',
    severity: 'warning',
    subject: 'FelixConfiguration/default',
    evidence: ['Lease/kube-system/calico-ipvs-sync', 'FelixConfiguration/default'],
    commands: 1,
    remedy: '--show-managed-fields',
  })
  expect(report.plan).toMatchObject({ changes: [], blockedBy: ['FLAPPING'] })
}, 180_000)

test('a Lease that somebody wrote over, and a mark of ours on an object that we did not make, are told and left alone', async () => {
  await world(ipvs())
  expect(await carryOut(moved)).toMatchObject({ end: 'done' })
  const forged = { metadata: { annotations: { 'calico-ipvs-sync/state': 'bogus' } } }
  const leasePath = '/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/calico-ipvs-sync'
  await cluster.request('PATCH', leasePath, forged, mergePatch)
  const mark = { metadata: { annotations: { [overrideKey]: 'created' } } }
  await cluster.request('PATCH', `${felixPath}/default`, mark, mergePatch)
  const report = await seen(facts({ serviceNodePortRange: { min: 21000, max: 22767 } }))
  for (const subject of ['Lease/kube-system/calico-ipvs-sync', 'FelixConfiguration/default'])
    await expectFinding(report, {
      code: 'ROLLOUT_STATE_INVALID',
      severity: 'warning',
      subject,
      evidence: [subject],
      commands: 2,
      remedy: 'Look at it: kubectl',
    })
  expect(report.plan).toMatchObject({ changes: [], blockedBy: expect.arrayContaining(['ROLLOUT_STATE_INVALID']) })
}, 180_000)

test('Calico in passage: its API down, installed twice, and a roll under way', async () => {
  await world(ipvs())
  await cluster.request('POST', '/apis/apiregistration.k8s.io/v1/apiservices', {
    apiVersion: 'apiregistration.k8s.io/v1',
    kind: 'APIService',
    metadata: { name: 'v3.projectcalico.org' },
    spec: {
      group: 'projectcalico.org',
      version: 'v3',
      groupPriorityMinimum: 1500,
      versionPriority: 200,
      insecureSkipTLSVerify: true,
      service: { name: 'calico-api', namespace: 'calico-system' },
    },
  })
  const down = await until('the API to be listed', async () => {
    const report = await seen(moved)
    return report.findings.some(({ code }) => code === 'CALICO_API_UNAVAILABLE') && report
  })
  await expectFinding(down, {
    code: 'CALICO_API_UNAVAILABLE',
    severity: 'warning',
    subject: 'APIService/v3.projectcalico.org',
    evidence: ['FelixConfigurations'],
    commands: 2,
    remedy: 'kubectl get apiservice v3.projectcalico.org',
  })
  expect(down.calico?.api).toBe('crd.projectcalico.org/v1')
  expect(down.plan).toMatchObject({ changes: [], blockedBy: ['CALICO_API_UNAVAILABLE'] })

  const other = calicoNode({ version: 'v3.28.4', install: 'manifest' })
  await cluster.request('POST', '/apis/apps/v1/namespaces/kube-system/daemonsets', other)
  await untilSettled(cluster, { namespace: 'kube-system', name: 'calico-node' }, { pods: 3 })
  const slow = { spec: { template: { metadata: { annotations: { [readyDelayAnnotation]: '60s' } } } } }
  await cluster.request('PATCH', '/apis/apps/v1/namespaces/calico-system/daemonsets/calico-node', slow, mergePatch)
  const passing = await until('the roll', async () => {
    const report = await seen(facts({ status: 'UPDATING' }))
    return report.findings.some(({ subject }) => subject === 'DaemonSet/calico-system/calico-node') && report
  })
  const sets = ['DaemonSet/calico-system/calico-node', 'DaemonSet/kube-system/calico-node']
  const migrating = { code: 'CALICO_MIGRATING', severity: 'warning', subject: 'cluster', commands: 0 } as const
  await expectFinding(passing, { ...migrating, evidence: sets })
  const updating = { code: 'CLUSTER_UPDATING', severity: 'info', commands: 0 } as const
  await expectFinding(passing, { ...updating, subject: 'cluster', evidence: ['eks:DescribeCluster'] })
  await expectFinding(passing, { ...updating, subject: sets[0] ?? '', evidence: sets.slice(0, 1) })
  expect(passing.verdict).toBe('changing')
}, 180_000)

test('a server that does not answer, and one that lets nobody in, are never taken for a cluster in step', async () => {
  await world(ipvs())
  const closed = kubeClient({ server: 'https://127.0.0.1:1', token: async () => 'none' })
  const gone = await seen(undefined, closed)
  closed.close()
  const about = { severity: 'warning', subject: 'cluster', commands: 0, remedy: 'calico-ipvs-sync doctor' } as const
  await expectFinding(gone, { code: 'UNREACHABLE', ...about, evidence: ['Nodes', 'FelixConfigurations'] })
  const stranger = clientOf(cluster, 'stranger')
  const denied = await seen(undefined, stranger)
  stranger.close()
  const needed = ['Nodes', 'DaemonSets', 'FelixConfigurations', 'Services']
  const withheld = denied.findings.filter(({ code, severity }) => code === 'ACCESS_DENIED' && severity === 'warning')
  await expectFinding(
    { ...denied, findings: withheld },
    { code: 'ACCESS_DENIED', ...about, commands: 1, evidence: needed },
  )
  expect([gone.verdict, denied.verdict]).toEqual(['unknown', 'unknown'])
  expect([gone.plan?.changes, denied.plan?.changes]).toEqual([[], []])
}, 120_000)

test('a cluster that is not the one EKS describes, at an address that nobody verified', async () => {
  await world(ipvs())
  const endpoint = endpointOf(cluster.server)
  const [ours, theirs] = ['1111', '4444'].map((it) => `arn:aws:eks:eu-west-1:${it}22223333:cluster/findings`)
  const comparison: ClusterComparison = {
    connected: { ...(ours && { arn: ours }), endpoint, unverified: true },
    described: { ...(theirs && { arn: theirs }), endpoint },
  }
  const state = await observe({ kube, identity, now: new Date(), eks: moved, comparison })
  const assessment = assess(state, policy)
  const report = { ...assessment.report, plan: plan(assessment, state, policy) }
  const about = { subject: 'cluster', commands: 0 } as const
  await expectFinding(report, {
    code: 'CLUSTER_IDENTITY',
    severity: 'critical',
    ...about,
    evidence: ['connection', 'eks:DescribeCluster'],
    remedy: 'aws sts get-caller-identity',
  })
  await expectFinding(report, {
    code: 'TLS_NOT_VERIFIED',
    severity: 'warning',
    ...about,
    evidence: ['kubeconfig'],
    remedy: 'certificate-authority-data',
  })
  expect(report).toMatchObject({ verdict: 'unknown', plan: { changes: [], blockedBy: ['CLUSTER_IDENTITY'] } })
}, 120_000)

test('a range that nobody was asked for, and one of the host’s own ports, under an operator that cannot read the spec', async () => {
  const object = 'FelixConfiguration/default'
  const spec = { kubeNodePortRanges: ['20000:22767'] }
  const set = felix('default', { annotations: { [rangeAnnotation]: '20000:22767' }, spec })
  await world(ipvs({ calico: calico('v3.24.5'), felixConfigurations: [set] }))
  const assumed = await seen()
  await expectFinding(assumed, {
    code: 'RANGE_ASSUMED',
    severity: 'warning',
    subject: 'cluster',
    evidence: ['kube-apiserver', object],
    commands: 0,
    remedy: 'calico-ipvs-sync check --probe',
  })
  expect(assumed).toMatchObject({ verdict: 'unknown', plan: { changes: [], blockedBy: ['RANGE_ASSUMED'] } })
  expect(await carryOut()).toMatchObject({ end: 'blocked' })
  await expectFinding(assumed, {
    code: 'OPERATOR_BLIND',
    severity: 'critical',
    subject: object,
    evidence: [object],
    commands: 1,
    remedy: patchOf('default'),
  })
  const told = await seen(facts({ serviceNodePortRange: { min: 179, max: 22767 } }))
  await expectFinding(told, {
    code: 'RANGE_HOST_PORTS',
    severity: 'warning',
    subject: 'cluster',
    evidence: ['kube-apiserver'],
    commands: 0,
    remedy: 'EKS accepts 10260-32767',
  })
  expect(await carryOut(facts({ serviceNodePortRange: { min: 20000, max: 22000 } }))).toMatchObject({ end: 'done' })
  const [stored] = (await items(cluster, felixPath)) as { spec?: { kubeNodePortRanges?: unknown } }[]
  expect(stored?.spec?.kubeNodePortRanges).toBeUndefined()
}, 180_000)

test('every code of the contract was seen', () => {
  expect([...produced].toSorted()).toEqual([...findingCodes].toSorted())
})
