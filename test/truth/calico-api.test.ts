import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { requireBinary } from '../../lab/binaries.ts'
import { type Configuration, type Oracle, type RawObject, startOracle } from '../verify/conformance/oracle.ts'
import { type CalicoApi, serveCalicoApi } from '../../lab/control-plane/calico-api.ts'
import type { ControlPlane } from '../../lab/control-plane/start.ts'
import { useControlPlane } from '../control-planes/use.ts'
import { populate } from '../../lab/fixtures/populate.ts'
import { type Watch, watch, type WatchedObject, type WatchEvent } from '../../lab/watch.ts'
import { changedAtKey, overrideKey } from '../../shared/domain/rollout/annotations.ts'
import { reportSchema } from '../../shared/report/schema.ts'
import { runHere as run } from '../cli/here.ts'
import { run as runProcess } from '../cli/run.ts'
import { clientOf, felixPath, mergePatch, nodeNames, rangeAnnotation } from './world.ts'
import { until } from '../until.ts'

/** Calico's own API server, the real Kubernetes, and Calico's own code to say what its Felix would make of every object stored. */

const v1 = 'crd.projectcalico.org/v1'
const v3 = 'projectcalico.org/v3'
const v3Path = `/apis/${v3}/felixconfigurations`
const copyKey = 'projectcalico.org/metadata'
const leasePath = '/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/calico-ipvs-sync'
const workdir = mkdtempSync(join(tmpdir(), 'calico-api-'))
const [first, second, third] = nodeNames
let cluster: ControlPlane
let api: CalicoApi
let oracle: Oracle
let felix: Watch
/** Every change of a FelixConfiguration, with all of them as they stood after it. */
let heard: { what: string; objects: WatchedObject[] }[] = []

beforeAll(async () => {
  const nodePortRange = { min: 20_000, max: 22_767 }
  cluster = await useControlPlane({ name: 'calico-api', workdir, nodePortRange })
  const calico = { version: 'v3.28.4', install: 'operator' } as const
  // All that Calico's API server has a default for, and none of it as the default would be.
  const spec = {
    bpfConnectTimeLoadBalancing: 'Disabled',
    bpfHostNetworkedNATWithoutCTLB: 'Disabled',
    bpfLogLevel: 'Debug',
    floatingIPs: 'Enabled',
  }
  const felixConfigurations = [{ metadata: { name: 'default' }, spec }]
  const kubeProxy = { mode: 'ipvs' } as const
  await populate(cluster, { nodes: 3, kubernetesVersion: '1.36.3', kubeProxy, calico, felixConfigurations })
  api = await serveCalicoApi(cluster)
  oracle = startOracle(requireBinary('oracle'))
  const listen = ({ type, object }: WatchEvent): void => {
    heard.push({ what: `${type} ${object.metadata.name}`, objects: [...felix.objects.values()] })
  }
  felix = await watch(cluster, { path: felixPath }, listen)
}, 240_000)
afterAll(async () => {
  felix?.stop()
  oracle?.stop()
  await api?.stop()
  await cluster?.stop()
  rmSync(workdir, { recursive: true })
}, 60_000)

const ask = async (command: string, ...words: string[]) => {
  const context = ['--kubeconfig', cluster.kubeconfig, '--context', 'calico-api', '-o', 'json']
  const ended = await run([command, ...context, '--probe', ...words])
  return { ...ended, report: reportSchema.parse(JSON.parse(ended.stdout)) }
}
const sync = () => ask('sync', '--yes', '--canary-seconds', '0', '--settle-seconds', '0')

const stored = async (): Promise<WatchedObject[]> =>
  ((await cluster.request('GET', felixPath)) as { items: WatchedObject[] }).items

const rawOf = ({ metadata: { name, annotations = {} }, spec = {} }: WatchedObject): RawObject => ({
  metadata: { name, annotations },
  spec,
})
const on = (nodeName: string, objects: WatchedObject[]): Configuration => ({
  nodeName,
  objects: objects.map(rawOf),
  env: [],
  file: {},
  v3: false,
})
const rangesNow = async () => {
  const objects = await stored()
  const answers = await Promise.all(nodeNames.map((node) => oracle.resolve(on(node, objects))))
  return answers.map(({ values }) => values['KubeNodePortRanges'])
}

/** What happened while `act` ran: each write, and which parameters a Felix found changed by it, on which node. */
const writesOf = async <T>(act: () => Promise<T>) => {
  await felix.caughtUp()
  let before = await stored()
  heard = []
  const result = await act()
  await felix.caughtUp()
  const writes: string[][] = []
  for (const { what, objects } of heard) {
    const felt: string[] = []
    for (const node of nodeNames) {
      const parameters = await oracle.changes(on(node, before), on(node, objects))
      if (parameters.length > 0) felt.push(`${node}: ${parameters.join(' ')}`)
    }
    writes.push([what, ...felt])
    before = objects
  }
  return { result, writes }
}

/** An override for each node, of which its Felix alone feels anything, and then nothing that any Felix feels. */
const stagedWrites = [
  ...nodeNames.map((node) => [`ADDED node.${node}`, `${node}: KubeNodePortRanges`]),
  ['MODIFIED default'],
  ...nodeNames.map((node) => [`DELETED node.${node}`]),
]
const inOrder = (writes: string[][]) => writes.map((it) => it.join('\n')).sort()

test('through Calico’s API a staged change restarts each Felix once, and no Felix finds anything but the range changed', async () => {
  const seen = await ask('check')
  expect([seen.report.verdict, seen.report.calico?.api]).toEqual(['out-of-step', v3])
  const planned = await ask('plan')
  expect(planned.report.plan?.forecast).toMatchObject({ felixRestarts: 3, felixRestartsAtOnce: 1 })

  const { result, writes } = await writesOf(sync)
  expect([result.report.verdict, result.status]).toEqual(['in-step', 0])
  expect(inOrder(writes)).toEqual(inOrder(stagedWrites))
  expect(writes[3]).toEqual(['MODIFIED default'])
  const ranges = [['20000:22767'], ['20000:22767'], ['20000:22767']]
  expect(await rangesNow()).toEqual(ranges)
})

test('after a write through Calico’s API a change without it counts all the same, in the copy of the metadata too', async () => {
  await api.stop()
  await api.unregister()
  await cluster.setNodePortRange({ min: 21_000, max: 22_767 })
  expect((await ask('check')).report.calico?.api).toBe(v1)

  const { result, writes } = await writesOf(sync)
  expect([result.report.verdict, result.status]).toEqual(['in-step', 0])
  expect(inOrder(writes)).toEqual(inOrder(stagedWrites))
  const [base] = await stored()
  const { annotations = {} } = base?.metadata ?? {}
  const copy = JSON.parse(annotations[copyKey] ?? '{}') as { annotations?: Record<string, string> }
  expect(annotations[rangeAnnotation]).toBe('21000:22767')
  expect(copy.annotations?.[rangeAnnotation]).toBe('21000:22767')
  expect(await rangesNow()).toEqual([['21000:22767'], ['21000:22767'], ['21000:22767']])

  await api.start()
  const again = await ask('check')
  expect([again.report.verdict, again.report.calico?.api]).toEqual(['in-step', v3])
  const shown = (await cluster.request('GET', `${v3Path}/default`)) as WatchedObject
  expect(shown.metadata.annotations?.[changedAtKey]).toBe(annotations[changedAtKey])
})

test('while Calico’s API is down the stored objects are judged and nothing is written; what it refuses is told as a conflict', async () => {
  await cluster.setNodePortRange({ min: 20_000, max: 22_767 })
  await api.stop()
  const lease = await cluster.request('GET', leasePath)
  const { result, writes } = await writesOf(async () => [await ask('check'), await ask('plan'), await sync()] as const)
  for (const { report } of result) {
    expect([report.verdict, report.calico?.api]).toEqual(['out-of-step', v1])
    expect(report.findings.map(({ code }) => code)).toContain('CALICO_API_UNAVAILABLE')
  }
  expect(result[1].report.plan).toMatchObject({ changes: [], blockedBy: ['CALICO_API_UNAVAILABLE'] })
  expect(result[2].status).not.toBe(0)
  expect(writes).toEqual([])
  expect(await cluster.request('GET', leasePath)).toEqual(lease)

  await api.start()
  const kube = clientOf(cluster)
  const { uid } = ((await cluster.request('GET', `${v3Path}/default`)) as WatchedObject).metadata
  const stale = { name: 'default', resourceVersion: '1', uid }
  await expect(kube.patchFelix(v3, { ...stale, metadata: {} })).rejects.toMatchObject({ kind: 'conflict', status: 409 })
  await expect(kube.deleteFelix(v3, stale)).rejects.toMatchObject({ kind: 'conflict', status: 409 })
  await expect(kube.createFelix(v3, { name: 'default', spec: {} })).rejects.toMatchObject({ kind: 'conflict' })
  kube.close()
})

test('an object that a node had before and an old way to say a field come through a change as they were', async () => {
  // Calico's API server makes two fields out of the old one, whatever is written through it.
  const old = { bpfConnectTimeLoadBalancingEnabled: true, bpfConnectTimeLoadBalancing: null }
  const spec = { ...old, bpfHostNetworkedNATWithoutCTLB: null }
  await cluster.request('PATCH', `${felixPath}/default`, { spec }, mergePatch)
  const metadata = { name: `node.${second}` }
  const before = { apiVersion: v1, kind: 'FelixConfiguration', metadata, spec: { logSeverityScreen: 'Debug' } }
  await cluster.request('POST', felixPath, before)

  const { result, writes } = await writesOf(sync)
  expect([result.report.verdict, result.status]).toEqual(['in-step', 0])
  const three = 'BPFConnectTimeLoadBalancing BPFHostNetworkedNATWithoutCTLB KubeNodePortRanges'
  expect(inOrder(writes)).toEqual(
    inOrder([
      [`ADDED node.${first}`, `${first}: ${three}`],
      [`ADDED node.${third}`, `${third}: ${three}`],
      [`MODIFIED node.${second}`, `${second}: KubeNodePortRanges`],
      ['MODIFIED default'],
      [`DELETED node.${first}`],
      [`DELETED node.${third}`],
      [`MODIFIED node.${second}`],
    ]),
  )
  expect((await stored()).map((it) => it.metadata.name)).toEqual(['default', `node.${second}`])
})

test('a rollout whose API is taken away in the middle goes on with the stored objects and leaves nothing behind', async () => {
  await cluster.setNodePortRange({ min: 21_000, max: 22_767 })
  await until('Calico’s API', () => cluster.request('GET', v3Path).catch(() => false))
  const words = ['--kubeconfig', cluster.kubeconfig, '--context', 'calico-api', '--probe', '--yes']
  const interrupted = await runProcess(['sync', ...words, '--canary-seconds', '600'], {
    running: (child) => {
      child.stderr?.on('data', (text: string) => void (text.includes('override written') && child.kill('SIGINT')))
    },
  })
  expect(interrupted.stderr).toContain('No process is applying it now. To continue it here:')
  const ours = (await stored()).find((it) => it.metadata.name === `node.${first}`)
  // Where Calico's API server puts annotations that are not Calico's.
  expect(ours?.metadata.annotations?.[overrideKey]).toBeUndefined()
  expect(ours?.metadata.annotations?.[copyKey]).toContain(overrideKey)
  await api.stop()
  await api.unregister()

  const { result, writes } = await writesOf(sync)
  expect([result.report.verdict, result.status]).toEqual(['in-step', 0])
  // A look before it goes on finds which API is served now.
  expect(result.stderr).toContain('rollout continues at another pace')
  expect(inOrder(writes)).toEqual(
    inOrder([
      [`MODIFIED node.${second}`, `${second}: KubeNodePortRanges`],
      [`ADDED node.${third}`, `${third}: KubeNodePortRanges`],
      ['MODIFIED default'],
      [`DELETED node.${first}`],
      [`MODIFIED node.${second}`],
      [`DELETED node.${third}`],
    ]),
  )
  const left = await stored()
  expect(left.map((it) => it.metadata.name)).toEqual(['default', `node.${second}`])
  expect(JSON.stringify(left[1])).not.toContain(overrideKey)
})
