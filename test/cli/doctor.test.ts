import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { parse, stringify } from 'yaml'
import { type EksStandIn, startEks } from '../../lab/aws/eks.ts'
import { userOf } from '../../lab/aws/eks-token.ts'
import type { Endpoint } from '../../lab/aws/endpoint.ts'
import { createKeyring } from '../../lab/aws/keyring.ts'
import { startSts } from '../../lab/aws/sts.ts'
import { type EmbeddedCluster, startEmbedded } from '../../lab/embedded/start.ts'
import { populate } from '../../lab/fixtures/populate.ts'
import { run } from './run.ts'

const place = { account: '111122223333', region: 'eu-west-1' }
const arnOf = (role: string) => `arn:aws:iam::${place.account}:role/${role}`
const [admin, viewer, stranger] = [arnOf('Admin'), arnOf('Viewer'), arnOf('Stranger')]
const keyring = createKeyring()
const workdir = mkdtempSync(join(tmpdir(), 'doctor-'))
let eks: EksStandIn
let sts: Endpoint
let cluster: EmbeddedCluster

const rules = (apiGroups: string[], resources: string[], verbs: string[]) => ({ apiGroups, resources, verbs })

beforeAll(async () => {
  cluster = await startEmbedded({
    name: 'prod',
    workdir,
    authenticate: async (token) => {
      const holding = eks.cluster('prod')
      return holding && userOf(token, holding, keyring)
    },
  })
  const calico = { version: 'v3.28.4', install: 'operator' } as const
  await populate(cluster, { nodes: 1, kubernetesVersion: '1.36.3', kubeProxy: { mode: 'ipvs' }, calico })
  const rbac = '/apis/rbac.authorization.k8s.io/v1'
  await cluster.request('POST', `${rbac}/clusterroles`, {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRole',
    metadata: { name: 'viewers' },
    rules: [
      rules([''], ['nodes', 'pods', 'services', 'events'], ['list']),
      rules([''], ['configmaps', 'pods/log'], ['get']),
      rules(['apps'], ['daemonsets'], ['list']),
      rules(['crd.projectcalico.org'], ['felixconfigurations'], ['list']),
      rules(['coordination.k8s.io'], ['leases'], ['get']),
    ],
  })
  await cluster.request('POST', `${rbac}/clusterrolebindings`, {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRoleBinding',
    metadata: { name: 'viewers' },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'viewers' },
    subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'Group', name: 'viewers' }],
  })
  const accessEntries = [
    { principalArn: admin, kubernetesGroups: ['system:masters'] },
    { principalArn: viewer, kubernetesGroups: ['viewers'] },
  ]
  const { server: endpoint, caData } = cluster
  const gone = { name: 'gone', endpoint: 'https://127.0.0.1:1', caData, accessEntries }
  const nameless = { name: 'nameless', endpoint: 'https://no-such-host.invalid', caData, accessEntries }
  const clusters = [{ name: 'prod', endpoint, caData, accessEntries }, gone, nameless]
  ;[eks, sts] = await Promise.all([startEks({ keyring, place, clusters }), startSts({ keyring })])
})
const opened: (() => Promise<void>)[] = []
afterAll(async () => {
  await Promise.all([...opened.map((close) => close()), cluster.stop(), eks.stop(), sts.close()])
  rmSync(workdir, { recursive: true })
})

const as = (role: string): NodeJS.ProcessEnv => {
  const { accessKeyId, secretAccessKey, sessionToken } = keyring.forRole(role, 'alice')
  return {
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    AWS_SESSION_TOKEN: sessionToken,
    AWS_ENDPOINT_URL_EKS: eks.url,
    AWS_ENDPOINT_URL_STS: sts.url,
  }
}
interface Hop {
  hop: string
  state: string
  detail: string
  fix?: string
}
const doctor = async (words: string[], env: NodeJS.ProcessEnv = {}) => {
  const { status, stdout } = await run(['doctor', '-o', 'json', ...words], { env })
  const { ok, hops } = JSON.parse(stdout) as { ok: boolean; hops: Hop[] }
  const failed = hops.filter(({ state }) => state === 'failed')
  return { status, ok, hops, failed, names: hops.map(({ hop, state }) => `${hop}: ${state}`) }
}
const named = (name: string) => ['--cluster', name, '--region', place.region]
const byConfig = (over: (config: { clusters: { cluster: object }[]; users: { user: object }[] }) => void): string[] => {
  const config = parse(readFileSync(cluster.kubeconfig, 'utf8'))
  over(config)
  const path = join(workdir, 'kubeconfig-of-the-test')
  writeFileSync(path, stringify(config))
  return ['--kubeconfig', path]
}

describe('every hop is named', () => {
  test('and fine: exit 0', async () => {
    const { status, ok, names, hops } = await doctor(named('prod'), as(admin))
    expect([status, ok]).toEqual([0, true])
    expect(names.slice(0, 8)).toEqual([
      'credentials: ok',
      'STS: ok',
      'role: left out',
      'EKS API: ok',
      'DNS: left out',
      'TCP: ok',
      'TLS: ok',
      'authentication: ok',
    ])
    expect(hops.filter(({ hop }) => hop.startsWith('may ')).length).toBeGreaterThan(15)
    const secret = String(as(admin)['AWS_SECRET_ACCESS_KEY'])
    expect(JSON.stringify(hops)).not.toContain(secret)
  })

  test('of a kubeconfig that names no EKS cluster as well, in text', async () => {
    const { status, stdout } = await run(['doctor', '--kubeconfig', cluster.kubeconfig])
    expect(status).toBe(0)
    expect(stdout).toMatch(/^ok {9}TLS {2,}TLSv1\.\d, certificate verified/m)
    expect(stdout).toMatch(/^left out {2} EKS API/m)
    expect(stdout).toMatch(/Everything that is needed works\.\n$/)
  })
})

describe('the hop that fails is the one that is told, with what to paste; those behind it are not tried', () => {
  test('credentials', async () => {
    const env = { AWS_ENDPOINT_URL_EKS: eks.url, AWS_ENDPOINT_URL_STS: sts.url, HOME: workdir }
    const { status, failed, names } = await doctor(named('prod'), env)
    expect(status).toBe(2)
    expect(failed).toMatchObject([{ hop: 'credentials', fix: expect.stringContaining('aws sso login') }])
    expect(names).toEqual(expect.arrayContaining(['STS: not tried', 'EKS API: not tried', 'TLS: not tried']))
  })

  test('STS', async () => {
    const env = { ...as(admin), AWS_ACCESS_KEY_ID: 'ASIAOFSOMEBODYELSE00' }
    const { status, failed } = await doctor(named('prod'), env)
    expect(status).toBe(2)
    expect(failed).toMatchObject([{ hop: 'STS', fix: expect.stringContaining('aws sts get-caller-identity') }])
  })

  test('the EKS API: refused, and no such cluster', async () => {
    const undo = eks.inject({ operation: 'DescribeCluster', error: 'AccessDeniedException' })
    const refused = await doctor(named('prod'), as(admin))
    undo()
    expect(refused.failed).toMatchObject([{ hop: 'EKS API', fix: expect.stringContaining('eks:DescribeCluster') }])
    const wrong = await doctor(named('prodd'), as(admin))
    expect(wrong.failed).toMatchObject([
      { hop: 'EKS API', fix: expect.stringContaining('aws eks list-clusters --region eu-west-1') },
    ])
  })

  test('DNS', async () => {
    const { failed } = await doctor(named('nameless'), as(admin))
    expect(failed).toMatchObject([
      {
        hop: 'DNS',
        detail: expect.stringContaining('no-such-host.invalid'),
        fix: expect.stringContaining('resourcesVpcConfig'),
      },
    ])
  })

  test('TCP', async () => {
    const { failed, names } = await doctor(named('gone'), as(admin))
    expect(failed).toMatchObject([
      {
        hop: 'TCP',
        detail: expect.stringContaining('ECONNREFUSED'),
        fix: expect.stringContaining('publicAccessCidrs'),
      },
    ])
    expect(names.slice(-3)).toEqual(['TLS: not tried', 'authentication: not tried', 'permissions: not tried'])
  })

  test('TLS: a certificate of another authority, and something that speaks no TLS', async () => {
    const authority = { 'certificate-authority-data': undefined, 'certificate-authority': undefined }
    const wrong = byConfig(({ clusters: [it] }) => Object.assign(it?.cluster ?? {}, authority))
    expect((await doctor(wrong)).failed).toMatchObject([
      { hop: 'TLS', fix: expect.stringContaining('openssl s_client') },
    ])
    const plainServer = createServer((socket) => {
      socket.on('error', () => socket.destroy()).resume()
      socket.write('hello\n', () => socket.destroySoon())
    })
    await new Promise<void>((resolve) => plainServer.listen(0, '127.0.0.1', resolve))
    opened.push(async () => void plainServer.close())
    const { port } = plainServer.address() as { port: number }
    const speaksNone = byConfig(({ clusters: [it] }) =>
      Object.assign(it?.cluster ?? {}, { server: `https://127.0.0.1:${port}` }),
    )
    expect((await doctor(speaksNone)).failed).toMatchObject([{ hop: 'TLS' }])
  })

  test('authentication: a token that is refused, and a role without an access entry', async () => {
    const wrong = byConfig(({ users: [it] }) => it && (it.user = { token: 'wrong' }))
    expect((await doctor(wrong)).failed).toMatchObject([
      { hop: 'authentication', detail: expect.stringContaining('401') },
    ])
    const { failed } = await doctor(named('prod'), as(stranger))
    expect(failed).toMatchObject([
      { hop: 'authentication', fix: expect.stringContaining('aws eks create-access-entry') },
    ])
    expect(failed[0]?.fix).toContain(`--cluster-name prod --region eu-west-1 --principal-arn ${stranger}`)
  })

  test('permissions, each verb by name; with --look-only those of a viewer are enough', async () => {
    const { status, failed } = await doctor(named('prod'), as(viewer))
    expect(status).toBe(2)
    expect(failed.map(({ hop }) => hop)).toEqual([
      'may create felixconfigurations.crd.projectcalico.org',
      'may patch felixconfigurations.crd.projectcalico.org',
      'may delete felixconfigurations.crd.projectcalico.org',
      'may delete pods in calico-system',
      'may create leases.coordination.k8s.io in kube-system',
      'may patch leases.coordination.k8s.io calico-ipvs-sync in kube-system',
    ])
    expect(failed[3]?.fix).toContain(
      '\nkubectl --context arn:aws:eks:eu-west-1:111122223333:cluster/prod create role calico-ipvs-sync-delete-pods -n calico-system --verb=delete --resource=pods',
    )
    const looking = await doctor([...named('prod'), '--look-only'], as(viewer))
    expect([looking.status, looking.failed]).toEqual([0, []])
  })

  test('the kubeconfig itself', async () => {
    const { status, failed } = await doctor(['--kubeconfig', cluster.kubeconfig, '--context', 'nobody'])
    expect(status).toBe(2)
    expect(failed).toMatchObject([{ hop: 'kubeconfig', fix: expect.stringContaining('kubectl config get-contexts') }])
  })
})
