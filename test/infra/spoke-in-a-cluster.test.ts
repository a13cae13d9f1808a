import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { holdingOf } from '../../lab/aws/eks-model.ts'
import { userOf } from '../../lab/aws/eks-token.ts'
import { createKeyring } from '../../lab/aws/keyring.ts'
import type { ControlPlane } from '../../lab/control-plane/start.ts'
import { useControlPlane } from '../control-planes/use.ts'
import { applyManifests } from '../../lab/fixtures/manifests.ts'
import { populate } from '../../lab/fixtures/populate.ts'
import { signToken } from '../../shared/clients/aws/eks-token.ts'
import type { KubeClient } from '../../shared/clients/kube/client.ts'
import { kubeClient } from '../../shared/clients/kube/open.ts'
import { entrance, sessionName } from '../../shared/domain/fleet.ts'
import { type RoleKind, taken, type Traveller } from '../../shared/domain/fleet-names.ts'
import { groups } from '../../shared/domain/grant/groups.ts'
import { failureOf, valueOf } from '../../shared/domain/read.ts'
import { observe } from '../../shared/workflows/observe/observe.ts'

/** A cluster of a spoke, with the real API server and the RBAC that is shipped, entered as the functions of the hub enter it: by the roles of fixed names, with tokens that EKS would read. */
const place = { account: '444455556666', region: 'eu-west-1' }
const fleet = { own: '111122223333', regions: [place.region], accounts: [{ account: place.account }] }
const roleOf = (kind: RoleKind): string => entrance(fleet, place.account, kind)?.roleArn ?? ''
const workdir = mkdtempSync(join(tmpdir(), 'calico-ipvs-sync-spoke-'))
const keyring = createKeyring()
const holding = holdingOf(
  {
    name: 'prod-1',
    endpoint: 'https://127.0.0.1',
    caData: '',
    accessEntries: [
      { principalArn: roleOf('viewer'), kubernetesGroups: [groups.viewers] },
      { principalArn: roleOf('operator'), kubernetesGroups: [groups.operators] },
    ],
  },
  place,
)
let cluster: ControlPlane
const clients: KubeClient[] = []

const as = (name: Traveller): KubeClient => {
  const session = keyring.forRole(roleOf(taken[name]), sessionName(fleet, name))
  const token = () => signToken({ region: place.region, tokenFor: 'prod-1', now: new Date() }, session)
  const ca = Buffer.from(cluster.caData, 'base64').toString('utf8')
  const client = kubeClient({ server: cluster.server, ca, token })
  clients.push(client)
  return client
}

beforeAll(async () => {
  cluster = await useControlPlane({
    name: 'prod-1',
    workdir,
    authenticate: async (token) => userOf(token, holding, keyring),
  })
  const calico = { version: 'v3.28.2', install: 'operator' } as const
  await populate(cluster, { nodes: 2, kubernetesVersion: '1.36.3', kubeProxy: { mode: 'ipvs' }, calico })
  await applyManifests(cluster)
}, 240_000)
afterAll(async () => {
  for (const client of clients) client.close()
  await cluster?.stop()
  rmSync(workdir, { recursive: true })
}, 60_000)

test('who looks reads all that counts in a spoke, and can change nothing there', async () => {
  const kube = as('evaluate')
  const state = await observe({ kube, identity: { ...place, name: 'prod-1' }, now: new Date() })
  expect([state.nodes, state.daemonSets, state.felix, state.pods].map(failureOf)).toEqual(Array(4).fill(undefined))
  const [pod] = (valueOf(state.pods) ?? []).filter(({ role }) => role === 'calico-node')
  if (!pod) throw new Error('no calico-node pod in the lab cluster')
  const api = 'crd.projectcalico.org/v1'
  const writes = [
    kube.putLease({ holder: 'evaluate' }),
    kube.createFelix(api, { name: 'node.somewhere', spec: {} }),
    kube.patchFelix(api, { name: 'default', resourceVersion: '1', metadata: { annotations: { a: 'b' } } }),
    kube.deletePod(pod),
  ]
  const ends = await Promise.allSettled(writes)
  expect(ends.map((it) => (it.status === 'rejected' ? (it.reason as { status?: number }).status : 'done'))).toEqual(
    Array(4).fill(403),
  )
})

test('who changes can, by another role', async () => {
  const { resourceVersion } = await as('rollout-step').putLease({ holder: 'rollout-step' })
  expect(resourceVersion).toBeDefined()
})
