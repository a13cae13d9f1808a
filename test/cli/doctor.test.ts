import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { parse, stringify } from 'yaml'
import { type EksStandIn, startEks } from '../../lab/aws/eks.ts'
import { newAccessEntry } from '../../lab/aws/eks-model.ts'
import { userOf } from '../../lab/aws/eks-token.ts'
import type { Endpoint } from '../../lab/aws/endpoint.ts'
import { createKeyring } from '../../lab/aws/keyring.ts'
import { startSts } from '../../lab/aws/sts.ts'
import { type EmbeddedCluster, startEmbedded } from '../../lab/embedded/start.ts'
import { collectionOf, type Manifest } from '../../lab/fixtures/manifests.ts'
import { populate } from '../../lab/fixtures/populate.ts'
import { runHere as run } from './here.ts'
import { sessions } from './session.ts'

const place = { account: '111122223333', region: 'eu-west-1' }
const arnOf = (role: string) => `arn:aws:iam::${place.account}:role/${role}`
const [admin, viewer, stranger] = [arnOf('Admin'), arnOf('Viewer'), arnOf('Stranger')]
const keyring = createKeyring()
const workdir = mkdtempSync(join(tmpdir(), 'doctor-'))
let eks: EksStandIn
let sts: Endpoint
let cluster: EmbeddedCluster
/** Whom the cluster does not let in, whatever EKS says. */
let refused: string | undefined

const rules = (apiGroups: string[], resources: string[], verbs: string[]) => ({ apiGroups, resources, verbs })

beforeAll(async () => {
  cluster = await startEmbedded({
    name: 'prod',
    workdir,
    authenticate: async (token) => {
      const holding = eks.cluster('prod')
      const user = holding && userOf(token, holding, keyring)
      return user?.username === refused ? undefined : user
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
  ;[eks, sts] = await Promise.all([
    startEks({ keyring, place, clusters }),
    startSts({ keyring, mayAssume: (_, role) => role !== stranger }),
  ])
})
const opened: (() => Promise<void>)[] = []
afterAll(async () => {
  await Promise.all([...opened.map((close) => close()), cluster.stop(), eks.stop(), sts.close()])
  rmSync(workdir, { recursive: true })
})

const as = sessions(keyring, () => ({ AWS_ENDPOINT_URL_EKS: eks.url, AWS_ENDPOINT_URL_STS: sts.url }))
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

describe('the hop that fails is the one that is told, with what to paste; those that need it are not tried', () => {
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

  test('a role: others who may assume it stay in its trust policy, and the caller is a role, not its session', async () => {
    const { failed } = await doctor([...named('prod'), '--role', stranger], as(admin))
    expect(failed.map(({ hop }) => hop)).toEqual(['role'])
    const [look = '', change = '', statement = ''] = failed[0]?.fix?.split('\n') ?? []
    expect([look, change]).toEqual([
      expect.stringMatching(/^aws iam get-role --role-name Stranger /),
      expect.stringMatching(/^aws iam update-assume-role-policy --role-name Stranger /),
    ])
    expect(JSON.parse(statement)).toMatchObject({ Principal: { AWS: admin } })
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
        // Whoever is in the list that is replaced must stay in it.
        fix: expect.stringMatching(/describe-cluster .*\n.*update-cluster-config .* publicAccessCidrs=THOSE,/),
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
    const [apply, ...others] = failed.map(({ fix }) => fix?.split('\n').at(-1))
    expect(others).toEqual(others.map(() => undefined))
    expect(apply).toBe(
      `calico-ipvs-sync rbac --changes --user ${viewer} | kubectl --context arn:aws:eks:eu-west-1:111122223333:cluster/prod apply -f -   # all that is missing`,
    )
    const looking = await doctor([...named('prod'), '--look-only'], as(viewer))
    expect([looking.status, looking.failed]).toEqual([0, []])
  })

  test('permissions: what is to be pasted grants all of them', async () => {
    const { stdout } = await run(['rbac', '--changes', '--user', viewer, '-o', 'json'])
    const { items } = JSON.parse(stdout) as { items: Manifest[] }
    const rights = items.filter(({ kind }) => !kind.startsWith('Validating'))
    for (const it of rights) await cluster.request('POST', collectionOf(it), it)
    const { status, failed } = await doctor(named('prod'), as(viewer))
    for (const it of rights) await cluster.request('DELETE', `${collectionOf(it)}/${it.metadata.name}`)
    expect([status, failed]).toEqual([0, []])
  })

  test('the kubeconfig itself', async () => {
    const { status, failed } = await doctor(['--kubeconfig', cluster.kubeconfig, '--context', 'nobody'])
    expect(status).toBe(2)
    expect(failed).toMatchObject([{ hop: 'kubeconfig', fix: expect.stringContaining('kubectl config get-contexts') }])
  })
})

describe('a hop that fails keeps from being tried only those that need it', () => {
  const arn = `arn:aws:eks:${place.region}:${place.account}:cluster/prod`
  /** As `aws eks update-kubeconfig` names it, but with the administrator's own token. */
  const ofEks = () =>
    byConfig((config) => {
      const { contexts } = config as unknown as { contexts: { name: string }[] }
      for (const it of contexts) it.name = arn
      Object.assign(config, { 'current-context': arn })
    })
  const endpoints = () => ({ AWS_ENDPOINT_URL_EKS: eks.url, AWS_ENDPOINT_URL_STS: sts.url, HOME: workdir })

  test('without AWS credentials the cluster itself is still tried, with those of the kubeconfig', async () => {
    const { status, failed, names, hops } = await doctor(ofEks(), endpoints())
    expect([status, failed.map(({ hop }) => hop)]).toEqual([2, ['credentials']])
    expect(names).toEqual(expect.arrayContaining(['EKS API: not tried', 'TLS: ok', 'authentication: ok']))
    expect(hops.find(({ hop }) => hop === 'EKS API')?.detail).toBe('it needs credentials')
  })

  test('an STS that cannot be reached keeps nobody from asking EKS', async () => {
    const env = { ...as(admin), AWS_ENDPOINT_URL_STS: 'http://127.0.0.1:1' }
    const { failed, names } = await doctor(named('prod'), env)
    expect(failed.map(({ hop }) => hop)).toEqual(['STS'])
    expect(names).toEqual(expect.arrayContaining(['EKS API: ok', 'authentication: ok']))
  })

  test('EKS that refuses does not keep a kubeconfig from being tried', async () => {
    const undo = eks.inject({ operation: 'DescribeCluster', error: 'AccessDeniedException' })
    const { failed, names } = await doctor(ofEks(), as(admin))
    undo()
    expect(failed.map(({ hop }) => hop)).toEqual(['EKS API'])
    expect(names).toContain('authentication: ok')
  })
})

describe('how EKS lets in is told', () => {
  const holding = () => eks.cluster('prod')
  const hopNamed = (hops: Hop[], name: string) => hops.find(({ hop }) => hop === name)

  test('the authentication mode, and what the access entry of the identity gives', async () => {
    const { hops } = await doctor(named('prod'), as(viewer))
    expect(hopNamed(hops, 'EKS API')?.detail).toContain(
      `authentication mode API_AND_CONFIG_MAP, the access entry of ${viewer} gives viewers`,
    )
    const none = await doctor(named('prod'), as(stranger))
    expect(hopNamed(none.hops, 'EKS API')?.detail).toContain(`no access entry of ${stranger}`)
  })

  test('CONFIG_MAP: no access entry is advised, which EKS would refuse; the mode or aws-auth', async () => {
    const config = holding()?.cluster.accessConfig
    if (config) config.authenticationMode = 'CONFIG_MAP'
    const { failed, hops } = await doctor(named('prod'), as(stranger))
    if (config) config.authenticationMode = 'API_AND_CONFIG_MAP'
    expect(hopNamed(hops, 'EKS API')?.detail).toContain('authentication mode CONFIG_MAP: the ConfigMap aws-auth alone')
    expect(failed.map(({ hop }) => hop)).toEqual(['authentication'])
    const [fix = ''] = failed.map((it) => it.fix)
    expect(fix).not.toContain('create-access-entry')
    expect(fix).toContain('--access-config authenticationMode=API_AND_CONFIG_MAP --region eu-west-1   # one way')
    expect(fix).toContain(
      `edit configmap aws-auth   # or so, by who is let in already: add to mapRoles\n- rolearn: ${stranger}`,
    )
  })

  test('an entry of a role that was made again: it lets nobody in until it is made again too', async () => {
    const it = holding()
    it?.accessEntries.set(stranger, newAccessEntry(it, stranger, { kubernetesGroups: ['a'] }))
    refused = stranger
    const { failed } = await doctor(named('prod'), as(stranger))
    refused = undefined
    it?.accessEntries.delete(stranger)
    expect(failed.map(({ hop }) => hop)).toEqual(['authentication'])
    expect(failed[0]?.fix).toMatch(
      /list-associated-access-policies .*\n.*delete-access-entry .*\n.*create-access-entry .*--kubernetes-groups a$/,
    )
  })

  test('a group that is nearly ours: the entry is put right, and no object is made twice', async () => {
    const it = holding()
    it?.accessEntries.set(
      stranger,
      newAccessEntry(it, stranger, { kubernetesGroups: ['x', 'calico-ipvs-sync-viewer'] }),
    )
    const { failed } = await doctor([...named('prod'), '--look-only'], as(stranger))
    it?.accessEntries.delete(stranger)
    expect(failed[0]).toMatchObject({
      hop: 'access entry',
      fix: `aws eks update-access-entry --cluster-name prod --region eu-west-1 --principal-arn ${stranger} --kubernetes-groups x calico-ipvs-sync-viewers`,
    })
    const fixes = failed.flatMap(({ fix = '' }) => fix.split('\n')).filter((line) => / rbac /.test(line))
    expect(fixes).toEqual([expect.stringContaining('calico-ipvs-sync rbac | kubectl')])
  })

  const awsAuth = '/api/v1/namespaces/kube-system/configmaps'
  const mapped = async (mapRoles: string, mode = 'API_AND_CONFIG_MAP') => {
    const metadata = { name: 'aws-auth', namespace: 'kube-system' }
    await cluster.request('POST', awsAuth, { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { mapRoles } })
    const config = holding()?.cluster.accessConfig
    if (config) config.authenticationMode = mode
    const { hops } = await doctor(named('prod'), as(admin))
    if (config) config.authenticationMode = 'API_AND_CONFIG_MAP'
    await cluster.request('DELETE', `${awsAuth}/aws-auth`)
    return hopNamed(hops, 'aws-auth')
  }

  test('a line in aws-auth: beside an entry, in a mode that does not read it, with a path, in no YAML', async () => {
    const line = `- rolearn: ${admin}\n  groups: [a]\n`
    expect(await mapped(line)).toMatchObject({ state: 'ok', detail: expect.stringContaining('EKS goes by that') })
    expect(await mapped(line, 'API')).toMatchObject({ detail: expect.stringContaining('which does nothing') })
    expect(await mapped(`- rolearn: ${arnOf('deep/Looks')}\n  groups: [calico-ipvs-sync-viewers]\n`)).toMatchObject({
      state: 'failed',
      fix: expect.stringContaining(`edit configmap aws-auth   # rolearn: ${arnOf('Looks')}`),
    })
    expect(await mapped('- {')).toMatchObject({ state: 'failed', detail: expect.stringContaining('no YAML') })
    expect(await mapped('[]')).toMatchObject({ state: 'left out' })
  })
})
