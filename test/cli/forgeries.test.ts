import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals'
import { type EmbeddedCluster, startEmbedded } from '../../lab/embedded/start.ts'
import { populate } from '../../lab/fixtures/populate.ts'
import type { Report } from '../../shared/domain/report.ts'
import { runHere as run } from './here.ts'

/** What anybody in the cluster may write, at the command line: nothing is harmed by it, and every look ends with a verdict. */
const workdir = mkdtempSync(join(tmpdir(), 'forgeries-'))
const felix = '/apis/crd.projectcalico.org/v1/felixconfigurations'
const leases = '/apis/coordination.k8s.io/v1/namespaces/kube-system/leases'
let cluster: EmbeddedCluster

beforeAll(async () => {
  cluster = await startEmbedded({ name: 'forged', workdir })
  const calico = { version: 'v3.28.4', install: 'operator' } as const
  await populate(cluster, { nodes: 3, kubernetesVersion: '1.36.3', kubeProxy: { mode: 'ipvs' }, calico })
})
afterAll(async () => {
  await cluster.stop()
  rmSync(workdir, { recursive: true })
})
afterEach(async () => {
  await cluster.request('DELETE', `${leases}/calico-ipvs-sync`).catch(() => undefined)
})

const words = () => ['--kubeconfig', cluster.kubeconfig, '--probe', '-o', 'json']
const report = (stdout: string): Report => JSON.parse(stdout) as Report

const lease = async (annotations: Record<string, string>, spec: object = {}): Promise<void> => {
  const keyed = Object.entries({ ...sound, ...annotations }).map(([key, value]) => [`calico-ipvs-sync/${key}`, value])
  const metadata = {
    name: 'calico-ipvs-sync',
    namespace: 'kube-system',
    annotations: Object.fromEntries(keyed) as object,
  }
  await cluster.request('POST', leases, { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata, spec })
}
const sound = {
  rollout: 'r1',
  state: 'running',
  phase: 'range',
  pace: JSON.stringify({
    strategy: 'direct',
    maxUnavailable: 100,
    canarySeconds: 0,
    settleSeconds: 0,
    nodeDeadlineSeconds: 300,
  }),
  where: JSON.stringify({
    api: 'crd.projectcalico.org/v1',
    pods: { namespace: 'kube-system', selector: {} },
  }),
  'started-at': '2026-01-01T00:00:00Z',
}

/** Names and UIDs of everything that could be harmed, and what the FelixConfigurations say. */
const standing = async (): Promise<string> => {
  const { items: pods } = (await cluster.request('GET', '/api/v1/pods')) as { items: Named[] }
  const { items: objects } = (await cluster.request('GET', felix)) as { items: Named[] }
  return JSON.stringify([
    pods.map(({ metadata }) => `${metadata.name} ${metadata.uid}`).toSorted(),
    objects
      .map(({ metadata: { name, uid, annotations }, spec }) => JSON.stringify([name, uid, annotations, spec]))
      .toSorted(),
  ])
}
interface Named {
  metadata: { name: string; namespace?: string; uid: string; annotations?: object }
  spec: object
}

/** What check says, what sync does about it, and that nothing stands there otherwise than before. */
const unharmed = async (): Promise<{ checked: Report; synced: { status: number | null; stderr: string } }> => {
  const before = await standing()
  const checked = await run(['check', ...words()])
  expect(report(checked.stdout).verdict).toBe('in-step')
  const synced = await run(['sync', '--yes', ...words()])
  const again = await run(['sync', '--yes', ...words()])
  expect(report(again.stdout).verdict).toBe('in-step')
  expect(await standing()).toBe(before)
  return { checked: report(checked.stdout), synced }
}
const codes = ({ findings }: Report) => findings.map(({ code }) => code)

describe('a forged Lease', () => {
  test('with a list of pods and an empty selector has none of them deleted', async () => {
    const pods = ((await cluster.request('GET', '/api/v1/pods')) as { items: Named[] }).items
    await lease({ phase: 'restarts', restart: pods.map(({ metadata }) => metadata.name).join(' ') })
    await unharmed()
  })

  test('with another range has it written nowhere', async () => {
    await lease({ target: '1:65535', defaulted: 'bpfEnabled' })
    await unharmed()
  })

  test('that joins what is to be done anyway has nothing else done', async () => {
    const { items } = (await cluster.request('GET', '/api/v1/pods')) as { items: Named[] }
    const theirs = items.filter(({ metadata }) => metadata.namespace === 'kube-system').map(({ metadata }) => metadata)
    const target = '20000:32767'
    await lease({ target, phase: 'restarts', restart: theirs.map(({ name }) => name).join(' ') })
    const paces = ['canary', 'settle'].flatMap((name) => [`--${name}-seconds`, '1'])
    const range = ['--service-node-port-range', '20000-32767', '--kubeconfig', cluster.kubeconfig, '-o', 'json']
    const synced = await run(['sync', '--yes', ...range, ...paces])
    const left = ((await cluster.request('GET', '/api/v1/pods')) as { items: Named[] }).items
    expect(left.map(({ metadata }) => metadata.uid).toSorted()).toEqual(
      items.map(({ metadata }) => metadata.uid).toSorted(),
    )
    expect({ status: synced.status, verdict: report(synced.stdout).verdict }).toEqual({ status: 0, verdict: 'in-step' })
    await cluster.request(
      'PATCH',
      `${felix}/default`,
      {
        metadata: { annotations: { 'config.projectcalico.org/KubeNodePortRanges': null } },
        spec: { kubeNodePortRanges: null },
      },
      'application/merge-patch+json',
    )
  })

  test.each<[string, () => Promise<void>]>([
    ['of no known state', () => lease({ state: 'bogus' })],
    ['with a pace beyond all measure', () => lease({ pace: '{"maxUnavailable":1e99}' })],
    [
      'that is held in the year 2099',
      () => lease({}, { holderIdentity: 'x', renewTime: '2099-01-01T00:00:00.000000Z', leaseDurationSeconds: 60 }),
    ],
  ])('%s is told, with what to do', async (_, forge) => {
    await forge()
    const { checked } = await unharmed()
    const told = checked.findings.find(({ code }) => code === 'ROLLOUT_STATE_INVALID')
    expect(told?.remedy).toMatch(/kubectl .*--context forged -n kube-system delete lease calico-ipvs-sync\n/)
    const status = await run(['rollout', 'status', '--kubeconfig', cluster.kubeconfig])
    expect([status.status, status.stderr]).toEqual([2, expect.stringContaining('cannot be parsed')])
  })

  test('with a journal of thousands of lines slows nothing down and is told up to its bound', async () => {
    const line = '2026-01-01T00:00:00Z r1 restart Pod/kube-system/x - -> - by mallory'
    await lease({ state: 'done', journal: Array.from({ length: 3_000 }, () => line).join('\n') })
    await unharmed()
    const log = await run(['rollout', 'log', '--kubeconfig', cluster.kubeconfig])
    expect(log.stdout.split('\n').length).toBeLessThan(220)
  })
})

describe('our mark on what we did not make', () => {
  const mark = {
    'calico-ipvs-sync/override': 'created',
    'calico-ipvs-sync/changed-at': '2026-01-01T00:00:00Z',
    'calico-ipvs-sync/change': '{"by":"x","rollout":"r1","seal":"0000000000000000"}',
  }

  test('has neither default, nor a selector, nor a node’s own object deleted, and begins nothing', async () => {
    const mergePatch = 'application/merge-patch+json'
    const settings = { metadata: { annotations: mark }, spec: { logSeverityScreen: 'Debug' } }
    await cluster.request('PATCH', `${felix}/default`, settings, mergePatch)
    for (const [name, spec] of [
      ['workers', { nodeSelector: 'all()', logSeverityScreen: 'Info' }],
      ['node.ip-10-1-0-1.ec2.internal', { logSeverityScreen: 'Info' }],
    ] as const) {
      const metadata = { name, annotations: mark }
      await cluster.request('POST', felix, {
        apiVersion: 'crd.projectcalico.org/v1',
        kind: 'FelixConfiguration',
        metadata,
        spec,
      })
    }
    const { checked, synced } = await unharmed()
    expect(codes(checked)).toContain('ROLLOUT_STATE_INVALID')
    expect(synced.stderr).not.toContain('rollout begins')
  })
})
