import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals'
import type { Cluster } from '../../lab/aws/eks-model.ts'
import { type EksStandIn, startEks } from '../../lab/aws/eks.ts'
import { userIn } from '../../lab/aws/eks-token.ts'
import type { Endpoint } from '../../lab/aws/endpoint.ts'
import { createKeyring } from '../../lab/aws/keyring.ts'
import { startSts } from '../../lab/aws/sts.ts'
import { type EmbeddedCluster, startEmbedded } from '../../lab/embedded/start.ts'
import { populate } from '../../lab/fixtures/populate.ts'
import { reportSchema } from '../../shared/report/schema.ts'
import { type Ended, run } from './run.ts'
import { sessions } from './session.ts'

/** What EKS says while `sync` is under way. */
const place = { account: '111122223333', region: 'eu-west-1' }
const admin = `arn:aws:iam::${place.account}:role/Admin`
const keyring = createKeyring()
const workdir = mkdtempSync(join(tmpdir(), 'sync-eks-'))
let eks: EksStandIn
let sts: Endpoint
let cluster: EmbeddedCluster

beforeAll(async () => {
  const authenticate = (token: string) => userIn(eks.cluster('prod'), token, keyring)
  cluster = await startEmbedded({ name: 'prod', workdir, authenticate })
  const calico = { version: 'v3.28.4', install: 'operator' } as const
  await populate(cluster, { nodes: 4, kubernetesVersion: '1.36.3', kubeProxy: { mode: 'ipvs' }, calico })
  const accessEntries = [{ principalArn: admin, kubernetesGroups: ['system:masters'] }]
  const { server: endpoint, caData } = cluster
  ;[eks, sts] = await Promise.all([
    startEks({ keyring, place, clusters: [{ name: 'prod', endpoint, caData, accessEntries }] }),
    startSts({ keyring }),
  ])
})
afterAll(async () => {
  await Promise.all([cluster.stop(), eks.stop(), sts.close()])
  rmSync(workdir, { recursive: true })
})

const as = sessions(keyring, () => ({ AWS_ENDPOINT_URL_EKS: eks.url, AWS_ENDPOINT_URL_STS: sts.url }))
const described = (): Cluster => eks.cluster('prod')!.cluster
const says = (minPort: number, maxPort: number): void =>
  void (described().kubeApiServerConfig = { serviceNodePortRange: { minPort, maxPort } })

const felix = '/apis/crd.projectcalico.org/v1/felixconfigurations'
const leasePath = '/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/calico-ipvs-sync'
const rangeKey = 'config.projectcalico.org/KubeNodePortRanges'
interface Felix {
  metadata: { name: string; annotations?: Record<string, string> }
}
const objects = async (): Promise<[string, string | undefined][]> => {
  const { items } = (await cluster.request('GET', felix)) as { items: Felix[] }
  return items.map(({ metadata: { name, annotations } }) => [name, annotations?.[rangeKey]])
}

beforeEach(async () => {
  await cluster.request('DELETE', leasePath).catch(() => undefined)
  const patch = { metadata: { annotations: { [rangeKey]: null } }, spec: { kubeNodePortRanges: null } }
  await cluster.request('PATCH', `${felix}/default`, patch, 'application/merge-patch+json')
  described().status = 'ACTIVE'
  says(20_000, 22_767)
})

/** `heard`: called with what it said so far, each time it says more. */
const synced = async (heard: (said: string) => void): Promise<Ended> => {
  let said = ''
  const pace = ['--canary-seconds', '2', '--settle-seconds', '2']
  return run(['sync', '--cluster', 'prod', '--region', place.region, '--yes', '-o', 'json', ...pace], {
    env: as(admin),
    running: (child) => void child.stderr?.on('data', (text) => heard((said += String(text)))),
  })
}
const overrides = (said: string): number => said.split('override written').length - 1

/** On a busy machine a look takes longer, and is made less often: one more node may be changed before it. */
const nodesAtMost = 3

test('a range that EKS takes back in the middle is written nowhere any more, and the overrides are taken off', async () => {
  const announced = 'nothing more is written; our overrides are taken off'
  let before = 0
  const ended = await synced((said) => {
    if (overrides(said) === 2) says(30_000, 32_767)
    if (said.includes(announced)) before ||= overrides(said)
  })
  expect(ended.stderr).toContain(announced)
  expect(overrides(ended.stderr)).toBe(before)
  expect(before).toBeLessThanOrEqual(nodesAtMost)
  expect(await objects()).toEqual([['default', undefined]])
  expect([reportSchema.parse(JSON.parse(ended.stdout)).verdict, ended.status]).toEqual(['in-step', 0])
}, 60_000)

test('an update by EKS stops it at its next wait, it says so, and goes on when the update is over', async () => {
  const announced = 'the rollout waits, and touches no further node (EKS reports the cluster as UPDATING.)'
  let latest = ''
  let [isUpdated, isHeld] = [false, false]
  const counts: number[] = []
  const ended = await synced((said) => {
    latest = said
    if (!isUpdated && overrides(said) === 1) {
      isUpdated = true
      described().status = 'UPDATING'
    }
    if (isHeld || !said.includes(announced)) return
    isHeld = true
    counts.push(overrides(said))
    // Longer than a rollout that is not held would wait for a node.
    setTimeout(() => {
      counts.push(overrides(latest))
      described().status = 'ACTIVE'
    }, 4_000)
  })
  const [before = 0, after] = counts
  expect(after).toBe(before)
  expect(before).toBeLessThanOrEqual(nodesAtMost)
  expect(await objects()).toEqual([['default', '20000:22767']])
  expect([reportSchema.parse(JSON.parse(ended.stdout)).verdict, ended.status]).toEqual(['in-step', 0])
}, 60_000)
