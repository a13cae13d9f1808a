import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { groups } from '../../shared/domain/grant/groups.ts'
import { type EmbeddedCluster, startEmbedded } from '../../lab/embedded/start.ts'
import { applyManifests } from '../../lab/fixtures/manifests.ts'
import { populate } from '../../lab/fixtures/populate.ts'
import { kubeClient } from '../../shared/clients/kube/open.ts'
import type { KubeClient } from '../../shared/clients/kube/client.ts'
import { failureOf, valueOf } from '../../shared/domain/read.ts'
import { observe } from '../../shared/workflows/observe/observe.ts'

const workdir = mkdtempSync(join(tmpdir(), 'calico-ipvs-sync-rbac-'))
const users: Record<string, string> = { viewer: groups.viewers, operator: groups.operators, stranger: 'other' }

let cluster: EmbeddedCluster
const clients = new Map<string, KubeClient>()
const as = (user: string): KubeClient => {
  const { server, caData } = cluster
  const ca = Buffer.from(caData, 'base64').toString('utf8')
  const client = clients.get(user) ?? kubeClient({ server, ca, token: async () => user })
  clients.set(user, client)
  return client
}
const look = (user: string) => observe({ kube: as(user), identity: { name: 'rbac' }, now: new Date(), deep: true })

beforeAll(async () => {
  const authenticate = async (token: string) => {
    const group = users[token]
    return group === undefined
      ? undefined
      : { username: `arn:aws:sts::111122223333:assumed-role/${token}`, groups: [group] }
  }
  cluster = await startEmbedded({ name: 'rbac', workdir, authenticate })
  await populate(cluster, {
    nodes: 2,
    kubernetesVersion: '1.36.3',
    kubeProxy: { mode: 'ipvs' },
    calico: { version: 'v3.28.2', install: 'operator' },
  })
  await applyManifests(cluster)
})
afterAll(async () => {
  for (const client of clients.values()) client.close()
  await cluster.stop()
  rmSync(workdir, { recursive: true })
})

describe('with the manifests applied', () => {
  test.each([['viewer'], ['operator']])('a %s can read all that a look needs', async (user) => {
    const state = await look(user)
    const { kubernetesVersion, nodes, daemonSets, pods, felix, clusterInformation, installation, nodePorts, rollout } =
      state
    const reads = [
      kubernetesVersion,
      nodes,
      daemonSets,
      pods,
      felix,
      clusterInformation,
      installation,
      nodePorts,
      rollout,
    ]
    const failures = [...reads, ...Object.values(state.configMaps), ...Object.values(state.logs)].map(failureOf)
    expect(failures.filter((failure) => failure !== undefined)).toEqual([])
    expect(valueOf(nodes)).toHaveLength(2)
    expect(Object.keys(state.configMaps)).toContain('kube-system/kube-proxy-config')
    expect(Object.keys(state.logs)).not.toEqual([])
  })

  test('a stranger can read nothing that counts', async () => {
    const { nodes, felix, pods } = await look('stranger')
    expect([nodes, felix, pods].map((it) => failureOf(it)?.kind)).toEqual(['denied', 'denied', 'denied'])
  })

  test('a viewer can write nothing; an operator can take the lock, try a value on a node, and take it back', async () => {
    const api = 'crd.projectcalico.org/v1'
    const draft = { name: 'node.somewhere', spec: {} }
    await expect(as('viewer').putLease({ holder: 'viewer' })).rejects.toMatchObject({ status: 403 })
    await expect(as('viewer').createFelix(api, draft)).rejects.toMatchObject({ status: 403 })
    const { resourceVersion } = await as('operator').putLease({ holder: 'operator' })
    await as('operator').putLease({ resourceVersion, holder: null })
    const created = await as('operator').createFelix(api, draft)
    const changed = await as('operator').patchFelix(api, {
      name: created.name,
      resourceVersion: created.resourceVersion,
      metadata: { annotations: { 'calico-ipvs-sync/override': 'created' } },
    })
    expect(await as('operator').deleteFelix(api, changed)).toBe(true)
  })

  test('only an operator can restart calico-node', async () => {
    const [pod] = (valueOf((await look('operator')).pods) ?? []).filter(({ role }) => role === 'calico-node')
    if (!pod) throw new Error('no calico-node pod in the lab cluster')
    await expect(as('viewer').deletePod(pod)).rejects.toMatchObject({ status: 403 })
    expect(await as('operator').deletePod(pod)).toBe(true)
  })
})
