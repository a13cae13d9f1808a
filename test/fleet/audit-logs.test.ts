import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { type Cloud, startCloud } from '../../lab/aws/cloud.ts'
import { fieldsOf, parseFields } from '../../lab/aws/json.ts'
import type { Moment } from '../../lab/aws/moment.ts'
import type { LabCluster } from '../../lab/cluster.ts'
import { startEmbedded } from '../../lab/embedded/start.ts'
import { assemble } from '../flow/assemble.ts'
import { auditLine } from '../infra/audit-lines.ts'

/** Lines of audit logs through the synthesized template. No cluster lets us in: what is shown is that it is looked at. */
const folder = mkdtempSync(join(tmpdir(), 'calico-ipvs-sync-audit-'))
const moments: Moment[] = []
let cloud: Cloud
let shut: LabCluster

beforeAll(async () => {
  shut = await startEmbedded({
    name: 'shut',
    workdir: folder,
    kubernetesVersion: 'v1.35.2',
    authenticate: async () => undefined,
  })
  cloud = await startCloud({
    assemblyDir: await assemble(folder, { auditLogs: ['prod-1', 'prod-2'], policy: { action: 'report' } }),
    timeScale: 1 / 200,
    onMoment: (moment) => void moments.push(moment),
    eks: {
      clusters: ['prod-1', 'prod-2', 'prod-3'].map((name) => ({
        name,
        version: '1.35',
        endpoint: shut.server,
        caData: shut.caData,
      })),
    },
  })
}, 300_000)
afterAll(async () => {
  await cloud?.stop()
  await shut?.stop()
  rmSync(folder, { recursive: true, force: true })
}, 60_000)

const kubeProxy = auditLine('patch', 'configmaps', 'kube-proxy-config', { namespace: 'kube-system' })
const felix = auditLine('update', 'felixconfigurations', 'default', { apiGroup: 'crd.projectcalico.org' })
const noise = auditLine('update', 'configmaps', 'coredns', { namespace: 'kube-system' })

/** Clusters that were asked for, by the log of who heard it, and looks that followed. */
const heard = async (act: () => void) => {
  const from = moments.length
  act()
  await cloud.idle({ timeoutMilliseconds: 100_000 })
  const lines = moments.slice(from).map((it) => (it.kind === 'log' ? fieldsOf(parseFields(it.line)) : {}))
  const of = (service: string, message: string) =>
    lines.filter((line) => line['service'] === service && line['message'] === message).map((line) => line['cluster'])
  return { asked: of('on-audit-log', 'event'), looks: new Set(of('evaluate', 'assessed')) }
}
const key = (name: string) => `111122223333/eu-west-1/${name}`

test('a thousand writes are one look at exactly that cluster', async () => {
  const { asked, looks } = await heard(() => {
    expect(
      cloud.auditLog(
        'prod-1',
        Array.from({ length: 1_000 }, () => kubeProxy),
      ),
    ).toBe(1_000)
  })
  expect({ asked, looks }).toEqual({ asked: [key('prod-1')], looks: new Set([key('prod-1')]) })
}, 150_000)

test('lines about anything else do not even arrive, nor those of a cluster that is not named', async () => {
  const { asked } = await heard(() => {
    expect(cloud.auditLog('prod-2', [noise, noise])).toBe(0)
    expect(cloud.auditLog('prod-3', [kubeProxy])).toBe(0)
  })
  expect(asked).toEqual([])
}, 150_000)

test('our own write leads to no look, somebody else’s beside it to one', async () => {
  const own = {
    ...felix,
    userAgent: 'calico-ipvs-sync/0.1.0',
    user: { username: 'arn:aws:sts::111122223333:assumed-role/x', groups: ['calico-ipvs-sync-operators'] },
  }
  expect((await heard(() => void cloud.auditLog('prod-2', [own]))).asked).toEqual([])
  expect((await heard(() => void cloud.auditLog('prod-2', [own, felix]))).asked).toEqual([key('prod-2')])
}, 150_000)

test('no message was lost, and nothing in the lab went wrong', async () => {
  for (const queue of ['EventsDeadLetters', 'EvaluationsDeadLetters']) expect(await cloud.messages(queue)).toEqual([])
  expect(cloud.faults).toEqual([])
})
