import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import type { LabCluster } from '../../lab/cluster.ts'
import { useControlPlane } from '../control-planes/use.ts'
import { nodeSpecs } from '../../lab/fixtures/nodes.ts'
import { populate } from '../../lab/fixtures/populate.ts'
import { untilSettled } from '../../lab/fixtures/settle.ts'
import { reportSchema } from '../../shared/report/schema.ts'
import { run } from './run.ts'

const workdir = mkdtempSync(join(tmpdir(), 'cli-real-'))
const autoNode = 'ip-10-1-9-9.ec2.internal'
let cluster: LabCluster

beforeAll(async () => {
  const nodePortRange = { min: 20000, max: 22767 }
  cluster = await useControlPlane({ name: 'real', workdir, nodePortRange })
  const calico = { version: 'v3.28.4', install: 'operator' } as const
  // On the fourth neither kube-proxy nor calico-node runs.
  const nodes = [...nodeSpecs(3), { name: autoNode, computeType: 'auto' as const }]
  await populate(cluster, { nodes, kubernetesVersion: '1.36.3', kubeProxy: { mode: 'ipvs' }, calico })
}, 120_000)
afterAll(async () => {
  await cluster.stop()
  rmSync(workdir, { recursive: true })
}, 60_000)

const ask = async (command: string, ...words: string[]) => {
  const ended = await run([command, '--kubeconfig', cluster.kubeconfig, '--context', 'real', '-o', 'json', ...words])
  return { ...ended, report: reportSchema.parse(JSON.parse(ended.stdout)) }
}
const pods = async (): Promise<string[]> => {
  const path = '/api/v1/namespaces/calico-system/pods'
  const { items } = (await cluster.request('GET', path)) as { items: { metadata: { uid: string } }[] }
  return items.map(({ metadata }) => metadata.uid)
}

test('against the real Kubernetes: out of step, brought in step node by node, then in step', async () => {
  const before = await pods()
  const seen = await ask('check', '--probe')
  expect([seen.report.verdict, seen.status]).toEqual(['out-of-step', 1])
  expect(seen.report.serviceRange).toEqual({ min: 20000, max: 22767, source: 'probe' })

  const planned = await ask('plan', '--probe')
  expect(planned.report.plan?.forecast).toMatchObject({ felixRestarts: 3, felixRestartsAtOnce: 1, podRestarts: 0 })

  const done = await ask('sync', '--probe', '--yes', '--canary-seconds', '0', '--settle-seconds', '0')
  expect(done.stderr.match(/override written/g)).toHaveLength(3)
  expect([done.report.verdict, done.status]).toEqual(['in-step', 0])

  const objects = '/apis/crd.projectcalico.org/v1/felixconfigurations'
  expect(await cluster.request('GET', objects)).toMatchObject({
    items: [
      {
        metadata: { name: 'default', annotations: { 'config.projectcalico.org/KubeNodePortRanges': '20000:22767' } },
        spec: { kubeNodePortRanges: ['20000:22767'] },
      },
    ],
  })
  expect(await pods()).toEqual(before)
  expect((await ask('check', '--probe')).status).toBe(0)
})

test('a node of Auto Mode on which calico-node runs takes its turn in the plan, and sync does exactly the plan', async () => {
  const calicoNode = { namespace: 'calico-system', name: 'calico-node' }
  const tolerant = { spec: { template: { spec: { affinity: null } } } }
  const daemonSet = '/apis/apps/v1/namespaces/calico-system/daemonsets/calico-node'
  await cluster.request('PATCH', daemonSet, tolerant, 'application/merge-patch+json')
  await untilSettled(cluster, calicoNode, { pods: 4 })

  const range = ['--service-node-port-range', '20000-22000']
  const planned = await ask('plan', ...range, '--canary-seconds', '0', '--settle-seconds', '0')
  const file = join(workdir, 'plan.json')
  writeFileSync(file, planned.stdout)
  const done = await ask('sync', '--yes', '--plan', file, ...range)
  const written = [...done.stderr.matchAll(/(\S+): override written/g)].map(([, node]) => node)
  const changed = planned.report.plan?.changes
    .filter(({ action }) => action === 'create')
    .flatMap(({ name }) => /^node\.(.*)/.exec(name)?.[1] ?? [])
  expect(changed).toContain(autoNode)
  expect(new Set(written)).toEqual(new Set(changed))
  expect([done.report.verdict, done.status]).toEqual(['in-step', 0])
}, 60_000)
