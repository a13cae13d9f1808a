import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { type EmbeddedCluster, startEmbedded } from '../../lab/embedded/start.ts'
import { populate } from '../../lab/fixtures/populate.ts'

const run = promisify(execFile)

describe('kubectl against the embedded API server', () => {
  const workdir = mkdtempSync(join(tmpdir(), 'kubectl-'))
  let cluster: EmbeddedCluster
  const kubectl = async (...args: string[]): Promise<string> =>
    (await run('kubectl', ['--kubeconfig', cluster.kubeconfig, '--cache-dir', join(workdir, 'cache'), ...args])).stdout

  beforeAll(async () => {
    cluster = await startEmbedded({ name: 'kubectl', workdir })
    const calico = { version: 'v3.28.2', install: 'operator' as const }
    await populate(cluster, { nodes: 3, kubernetesVersion: '1.36.3', kubeProxy: { mode: 'ipvs' }, calico })
  })
  afterAll(async () => {
    await cluster.stop()
    rmSync(workdir, { recursive: true, force: true })
  })

  it('reads objects by kind, short name and field', async () => {
    expect(await kubectl('get', 'nodes', '-o', 'name')).toMatch(/^(node\/ip-10-1-0-\d\.ec2\.internal\n){3}$/)
    const path = '{.spec.template.spec.containers[0].name}'
    expect(await kubectl('get', 'ds', '-n', 'calico-system', 'calico-node', '-o', `jsonpath=${path}`)).toBe(
      'calico-node',
    )
    const mine = ['--field-selector', 'spec.nodeName=ip-10-1-0-1.ec2.internal']
    expect((await kubectl('get', 'pods', '-A', '-o', 'name', ...mine)).trim().split('\n')).toHaveLength(2)
  })

  it('patches and annotates a FelixConfiguration', async () => {
    const felix = 'felixconfigurations.crd.projectcalico.org'
    await kubectl('patch', felix, 'default', '--type=merge', '-p', '{"spec":{"kubeNodePortRanges":["20000:22767"]}}')
    await kubectl('annotate', felix, 'default', 'config.projectcalico.org/KubeNodePortRanges=20000:22767')
    const stored = JSON.parse(await kubectl('get', felix, 'default', '-o', 'json', '--show-managed-fields'))
    expect(stored.spec.kubeNodePortRanges).toEqual(['20000:22767'])
    expect(stored.metadata.annotations['config.projectcalico.org/KubeNodePortRanges']).toBe('20000:22767')
    const managers = stored.metadata.managedFields.map(({ manager }: { manager: string }) => manager)
    expect(managers).toEqual(expect.arrayContaining(['kubectl-patch', 'kubectl-annotate']))
  })

  it('restarts a rollout and waits for its end', async () => {
    const target = ['-n', 'calico-system', 'ds/calico-node']
    const before = await kubectl('get', 'pods', '-n', 'calico-system', '-o', 'name')
    await kubectl('rollout', 'restart', ...target)
    expect(await kubectl('rollout', 'status', ...target, '--timeout=20s')).toMatch(/successfully rolled out/)
    const after = await kubectl('get', 'pods', '-n', 'calico-system', '-o', 'name')
    expect(after.split('\n').filter((pod) => pod !== '' && before.includes(pod))).toEqual([])
  })

  it('reads logs and deletes pods', async () => {
    const [pod = ''] = (await kubectl('get', 'pods', '-n', 'kube-system', '-o', 'name')).split('\n')
    expect(await kubectl('logs', '-n', 'kube-system', pod)).toMatch(/Using ipvs Proxier/)
    expect((await kubectl('logs', '-n', 'kube-system', pod, '--tail=1')).split('\n')).toHaveLength(2)
    expect(await kubectl('delete', '-n', 'kube-system', pod)).toMatch(/deleted/)
  })

  it('applies a manifest, in its own way and by the server', async () => {
    const file = join(workdir, 'config.yaml')
    const manifest = (value: string) =>
      `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: applied}\ndata: {key: ${value}}\n`
    writeFileSync(file, manifest('one'))
    expect(await kubectl('apply', '-f', file)).toMatch(/created/)
    writeFileSync(file, manifest('two'))
    expect(await kubectl('apply', '-f', file)).toMatch(/configured/)
    writeFileSync(file, manifest('three'))
    expect(await kubectl('apply', '--server-side', '--force-conflicts', '-f', file)).toMatch(/serverside-applied/)
    expect(await kubectl('get', 'configmap', 'applied', '-o', 'jsonpath={.data.key}')).toBe('three')
  })
})
