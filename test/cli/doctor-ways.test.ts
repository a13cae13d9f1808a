import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { request as plainRequest } from 'node:http'
import { createServer } from 'node:https'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { parse, stringify } from 'yaml'
import { AwsError } from '../../lab/aws/aws-error.ts'
import { type EksStandIn, startEks } from '../../lab/aws/eks.ts'
import { userOf } from '../../lab/aws/eks-token.ts'
import type { Endpoint } from '../../lab/aws/endpoint.ts'
import { createKeyring } from '../../lab/aws/keyring.ts'
import { startSts } from '../../lab/aws/sts.ts'
import { type EmbeddedCluster, startEmbedded } from '../../lab/embedded/start.ts'
import { populate } from '../../lab/fixtures/populate.ts'
import { listenLocally } from '../../lab/loopback.ts'
import { createAuthority } from '../../lab/pki.ts'
import { type ConnectProxy, startProxy } from '../clients/connect-proxy.ts'
import { parsed, printedIn } from '../commands/printed.ts'
import { remedyParts } from '../../shared/domain/remedy-parts.ts'
import { run } from './run.ts'

const place = { account: '111122223333', region: 'eu-west-1' }
const arn = `arn:aws:eks:${place.region}:${place.account}:cluster/prod`
const roleOf = (role: string) => `arn:aws:iam::${place.account}:role/${role}`
const keyring = createKeyring()
const workdir = mkdtempSync(join(tmpdir(), 'doctor-ways-'))
const opened: (() => unknown)[] = []
let eks: EksStandIn
let sts: Endpoint
let cluster: EmbeddedCluster
let naked: EmbeddedCluster
let silent: number
let refusing: ConnectProxy
let passing: ConnectProxy
let stub: string
let expired: Record<string, string>

beforeAll(async () => {
  const authenticate = async (token: string) => {
    const holding = eks.cluster('prod')
    return holding && userOf(token, holding, keyring)
  }
  ;[cluster, naked] = await Promise.all([
    startEmbedded({ name: 'prod', workdir, authenticate }),
    startEmbedded({ name: 'naked', workdir }),
  ])
  const calico = { version: 'v3.28.4', install: 'manifest' } as const
  for (const it of [cluster, naked])
    await populate(it, { nodes: 1, kubernetesVersion: '1.36.3', kubeProxy: { mode: 'ipvs' }, calico })
  const definitions = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'
  for (const kind of ['felixconfigurations', 'clusterinformations'])
    await naked.request('DELETE', `${definitions}/${kind}.crd.projectcalico.org`)
  const accessEntries = [
    { principalArn: roleOf('Admin'), kubernetesGroups: ['system:masters'] },
    { principalArn: roleOf('Nobody'), kubernetesGroups: ['calico-ipvs-sync-viewers'] },
  ]
  const { server: endpoint, caData } = cluster
  ;[eks, sts] = await Promise.all([
    startEks({ keyring, place, clusters: [{ name: 'prod', endpoint, caData, accessEntries }] }),
    startSts({ keyring, onCall: refuseIfOver }),
  ])
  const authority = await createAuthority('ca')
  const client = await authority.issue({
    commonName: 'alice',
    usage: 'client',
    until: new Date('2026-01-02T03:04:05Z'),
  })
  expired = {
    'client-certificate-data': Buffer.from(client.certPem).toString('base64'),
    'client-key-data': Buffer.from(client.keyPem).toString('base64'),
  }
  ;[silent, refusing, passing] = await Promise.all([
    neverAccepting(),
    startProxy(1, 'HTTP/1.1 407 Proxy Authentication Required\r\n\r\n'),
    awsBehindProxy(),
  ])
  stub = await noImpersonation()
})
afterAll(async () => {
  await Promise.all([cluster.stop(), naked.stop(), eks.stop(), sts.close(), ...opened.map((close) => close())])
  rmSync(workdir, { recursive: true })
})

let sessionIsOver = false
const refuseIfOver = () => {
  if (sessionIsOver) throw new AwsError('ExpiredToken', 403, 'The security token included in the request is expired')
}

/** A listener that sleeps, with its queue full: the kernel drops what would connect further. */
const neverAccepting = async (): Promise<number> => {
  const script = `const s=require('net').createServer().listen({port:0,host:'127.0.0.1',backlog:1},()=>console.log(s.address().port))`
  const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [said] = (await once(child.stdout, 'data')) as [Buffer]
  child.kill('SIGSTOP')
  const port = Number(said.toString())
  const waiting: Socket[] = Array.from({ length: 8 }, () => connect(port, '127.0.0.1').on('error', () => undefined))
  opened.push(() => {
    for (const it of waiting) it.destroy()
    child.kill('SIGKILL')
  })
  return port
}

/** AWS by its real names, as it is reached through a proxy: TLS with a certificate of an authority of the company's. */
const awsBehindProxy = async (): Promise<ConnectProxy> => {
  const authority = await createAuthority('company')
  const dnsNames = ['sts', 'eks'].map((it) => `${it}.${place.region}.amazonaws.com`)
  const { certPem, keyPem } = await authority.issue({ commonName: 'aws', dnsNames, usage: 'server' })
  writeFileSync(join(workdir, 'company.pem'), authority.certPem)
  const front = createServer({ cert: certPem, key: keyPem }, (request, response) => {
    const to = request.headers.host?.startsWith('sts') ? sts.url : eks.url
    const { method, url, headers } = request
    const passed = plainRequest(new URL(url ?? '/', to), { method, headers, agent: false }, (answer) => {
      response.writeHead(answer.statusCode ?? 500, answer.headers)
      answer.pipe(response)
    })
    request.pipe(passed)
  })
  const proxy = await startProxy(await listenLocally(front))
  opened.push(
    () => front.close(),
    proxy.close,
    () => refusing.close(),
  )
  return proxy
}

/** An API server that lets nobody act as another. */
const noImpersonation = async (): Promise<string> => {
  const authority = await createAuthority('ca')
  const { certPem, keyPem } = await authority.issue({ commonName: 'api', usage: 'server' })
  const server = createServer({ cert: certPem, key: keyPem }, ({ headers }, response) => {
    const message = `users "${String(headers['impersonate-user'])}" is forbidden: User "bob" cannot impersonate resource "users"`
    response.writeHead(403).end(JSON.stringify({ kind: 'Status', message, reason: 'Forbidden' }))
  })
  const port = await listenLocally(server)
  opened.push(() => server.close())
  writeFileSync(join(workdir, 'stub.pem'), authority.certPem)
  return `https://127.0.0.1:${port}`
}

const endpoints = () => ({ AWS_ENDPOINT_URL_EKS: eks.url, AWS_ENDPOINT_URL_STS: sts.url, HOME: workdir })
const keysOf = (role: string): NodeJS.ProcessEnv => {
  const { accessKeyId, secretAccessKey, sessionToken } = keyring.forRole(role, 'alice')
  return { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey, AWS_SESSION_TOKEN: sessionToken }
}
const as = (role: string): NodeJS.ProcessEnv => ({ ...keysOf(roleOf(role)), ...endpoints() })

interface Config {
  contexts: { name: string }[]
  clusters: { cluster: Record<string, unknown> }[]
  users: { user: Record<string, unknown> }[]
}
let written = 0
const kubeconfig = (over: { cluster?: object; user?: object; of?: EmbeddedCluster; eks?: boolean }): string[] => {
  const config = parse(readFileSync((over.of ?? cluster).kubeconfig, 'utf8')) as Config
  Object.assign(config.clusters[0]?.cluster ?? {}, over.cluster)
  if (over.user && config.users[0]) config.users[0].user = { ...over.user }
  if (over.eks && config.contexts[0]) {
    config.contexts[0].name = arn
    Object.assign(config, { 'current-context': arn })
  }
  const file = join(workdir, `config-${(written += 1)}`)
  writeFileSync(file, stringify(config))
  return ['--kubeconfig', file]
}
const plugin = (lines: string): object => {
  const command = join(workdir, `plugin-${(written += 1)}`)
  writeFileSync(command, `#!/bin/sh\n${lines}\n`)
  chmodSync(command, 0o755)
  return { exec: { apiVersion: 'client.authentication.k8s.io/v1', interactiveMode: 'Never', command } }
}
const named = (name: string) => ['--cluster', name, '--region', place.region]

interface Hop {
  hop: string
  state: 'ok' | 'failed' | 'left out' | 'not tried'
  detail: string
  fix?: string
}

interface Way {
  words: () => string[]
  env?: () => NodeJS.ProcessEnv
  /** The hop that is told, what it says, and what is pasted. */
  fails: string
  says: RegExp
  paste: RegExp
  /** Hops that were tried all the same. */
  tried?: string[]
  notTried?: string[]
}

const unlike = async (): Promise<string> => Buffer.from((await createAuthority('other')).certPem).toString('base64')
const otherAuthority = await unlike()

const ways: [string, Way][] = [
  [
    'a host that is not there',
    {
      words: () => kubeconfig({ cluster: { server: 'https://api.no-such-host.invalid:6443' } }),
      fails: 'DNS',
      says: /no-such-host\.invalid/,
      paste: /^getent hosts api\.no-such-host\.invalid /,
      tried: ['kubeconfig', 'user'],
      notTried: ['TCP', 'TLS', 'authentication'],
    },
  ],
  [
    'a host of another name',
    {
      words: () => kubeconfig({ cluster: { 'tls-server-name': 'other.example' } }),
      fails: 'TLS',
      says: /other\.example.*altnames/,
      paste: /^kubectl config set clusters\.prod\.server https:\/\/HOST:PORT /,
      tried: ['TCP'],
      notTried: ['authentication'],
    },
  ],
  [
    'an address without https://',
    {
      words: () => kubeconfig({ cluster: { server: 'http://127.0.0.1:8080' } }),
      fails: 'address',
      says: /must begin with https:/,
      paste: /^kubectl config set clusters\.prod\.server /,
      notTried: ['TLS', 'authentication'],
    },
  ],
  [
    'a port that is closed',
    {
      words: () => kubeconfig({ cluster: { server: 'https://127.0.0.1:1' } }),
      fails: 'TCP',
      says: /ECONNREFUSED/,
      paste: /^nc -vz 127\.0\.0\.1 1 /,
      notTried: ['TLS'],
    },
  ],
  [
    'packets that are dropped',
    {
      words: () => kubeconfig({ cluster: { server: `https://127.0.0.1:${silent}` } }),
      fails: 'TCP',
      says: /does not answer in 5 s/,
      paste: /^nc -vz 127\.0\.0\.1 \d+ .*firewall/,
      notTried: ['TLS'],
    },
  ],
  [
    'an authority that is not the cluster’s',
    {
      words: () => kubeconfig({ cluster: { 'certificate-authority-data': otherAuthority } }),
      fails: 'TLS',
      says: /SELF_SIGNED|certificate/,
      paste: /^openssl s_client /,
      tried: ['TCP', 'user'],
      notTried: ['authentication'],
    },
  ],
  [
    'a client certificate that has expired',
    {
      words: () => kubeconfig({ user: expired }),
      fails: 'user',
      says: /client certificate expired on 2026-01-02T03:04:05/,
      paste: /^kubectl config view --raw --minify --kubeconfig .* --context prod -o jsonpath=/,
      tried: ['TCP', 'TLS'],
      notTried: ['authentication'],
    },
  ],
  [
    'a token that is refused (401)',
    {
      words: () => kubeconfig({ user: { token: 'wrong' } }),
      fails: 'authentication',
      says: /401/,
      paste: /^kubectl --kubeconfig .* --context prod auth whoami /,
      tried: ['TLS'],
    },
  ],
  [
    'a user who may do nothing (403)',
    {
      words: () => named('prod'),
      env: () => as('Nobody'),
      fails: 'may list nodes',
      says: /refused: needed for which nodes/,
      paste: /\ncalico-ipvs-sync rbac --changes --user \S+ \| kubectl --context \S+ apply -f - /,
      tried: ['authentication', 'may list felixconfigurations.crd.projectcalico.org'],
    },
  ],
  [
    'acting as another is refused',
    {
      words: () =>
        kubeconfig({
          cluster: {
            server: stub,
            'certificate-authority-data': readFileSync(join(workdir, 'stub.pem')).toString('base64'),
          },
          user: { token: 'bob', as: 'jane' },
        }),
      fails: 'authentication',
      says: /User "bob" cannot impersonate/,
      paste: /^kubectl create clusterrole act-as --verb=impersonate --resource=users --resource-name=jane /,
      tried: ['TLS'],
    },
  ],
  [
    'definitions of Calico that are gone',
    {
      words: () => kubeconfig({ of: naked }),
      fails: 'Calico API',
      says: /calico-node runs \(kube-system\/calico-node\), but Calico's definitions are gone/,
      paste: /^kubectl --kubeconfig .* get crd felixconfigurations\.crd\.projectcalico\.org /,
      tried: ['authentication', 'may list nodes'],
    },
  ],
  [
    'a proxy that wants a login (407)',
    {
      words: () => kubeconfig({ cluster: { 'proxy-url': refusing.url } }),
      fails: 'proxy',
      says: /^The proxy 127\.0\.0\.1:\d+ \(proxy-url\) wants to know who asks \(407 /,
      paste:
        /^read -rsp 'USER:PASSWORD ' LOGIN; kubectl config set clusters\.prod\.proxy-url http:\/\/"\$LOGIN"@127\.0\.0\.1:\d+ /,
      tried: ['user'],
      notTried: ['TLS', 'authentication'],
    },
  ],
  [
    'a proxy before AWS that wants a login (407)',
    {
      words: () => kubeconfig({ eks: true }),
      env: () => ({ ...keysOf(roleOf('Admin')), HTTPS_PROXY: refusing.url }),
      fails: 'AWS proxy',
      says: /\(HTTPS_PROXY\) wants to know who asks/,
      paste: /^read -rsp 'USER:PASSWORD ' LOGIN; export HTTPS_PROXY=http:\/\/"\$LOGIN"@127\.0\.0\.1:\d+ /,
      tried: ['TLS', 'authentication', 'may list nodes'],
      notTried: ['STS', 'EKS API'],
    },
  ],
  [
    'a proxy that is gone',
    {
      words: () => kubeconfig({ cluster: { 'proxy-url': 'http://127.0.0.1:1' } }),
      fails: 'proxy',
      says: /cannot be reached \(ECONNREFUSED\)/,
      paste: /^nc -vz 127\.0\.0\.1 1 .*kubectl config unset clusters\.prod\.proxy-url/,
    },
  ],
  [
    'a plugin that is not installed',
    {
      words: () => kubeconfig({ eks: true, user: { exec: { command: 'no-such-plugin' } } }),
      env: () => as('Admin'),
      fails: 'credential plugin',
      says: /no-such-plugin failed: there is no such program/,
      paste: /^command -v no-such-plugin .*\ncalico-ipvs-sync doctor --cluster prod --region eu-west-1 /,
      tried: ['EKS API', 'TLS'],
      notTried: ['authentication'],
    },
  ],
  [
    'a plugin that fails',
    {
      words: () => kubeconfig({ user: plugin('echo "the SSO session has expired" >&2; exit 255') }),
      fails: 'credential plugin',
      says: /failed: the SSO session has expired/,
      paste: /^kubectl --kubeconfig \S+ --context prod auth whoami .*the same plugin/,
      tried: ['TCP', 'TLS'],
      notTried: ['authentication'],
    },
  ],
  [
    'a context that is not there',
    {
      words: () => [...kubeconfig({}), '--context', 'prodd'],
      fails: 'kubeconfig',
      says: /no context prodd\. Did you mean prod\?/,
      paste: /^kubectl config get-contexts --kubeconfig /,
      notTried: ['TLS', 'authentication'],
    },
  ],
  [
    'a cluster that is not in the region',
    {
      words: () => named('prodd'),
      env: () => as('Admin'),
      fails: 'EKS API',
      says: /There is no EKS cluster prodd in eu-west-1/,
      paste: /^aws eks list-clusters --region eu-west-1$/,
      tried: ['STS'],
    },
  ],
  [
    'no AWS credentials',
    {
      words: () => kubeconfig({ eks: true }),
      env: endpoints,
      fails: 'credentials',
      says: /credentials/i,
      paste: /^aws sso login /,
      tried: ['TLS', 'authentication', 'may list nodes'],
      notTried: ['STS', 'EKS API'],
    },
  ],
  [
    'AWS credentials that have expired',
    {
      words: () => {
        sessionIsOver = true
        return kubeconfig({ eks: true })
      },
      env: () => as('Admin'),
      fails: 'STS',
      says: /expired/i,
      paste: /^aws sso login /,
      tried: ['credentials', 'TLS', 'authentication'],
      notTried: ['EKS API'],
    },
  ],
  [
    'authentication mode CONFIG_MAP, and nobody mapped',
    {
      words: () => {
        const config = eks.cluster('prod')?.cluster.accessConfig
        if (config) config.authenticationMode = 'CONFIG_MAP'
        return named('prod')
      },
      env: () => as('Stranger'),
      fails: 'authentication',
      says: /401/,
      paste: /authenticationMode=API_AND_CONFIG_MAP .*\n[\s\S]*edit configmap aws-auth .*add to mapRoles\n- rolearn: /,
      tried: ['EKS API', 'TLS'],
    },
  ],
]

describe('a way in that is broken: the hop is named, what is to be pasted mends it, and what can be tried still is', () => {
  test.each(ways)('%s', async (_, { words, env = () => ({}), fails, says, paste, tried = [], notTried = [] }) => {
    const { status, stdout, stderr } = await run(['doctor', '-o', 'json', '-q', ...words()], { env: env() })
    sessionIsOver = false
    expect([status, stderr]).toEqual([2, ''])
    const { ok, hops } = JSON.parse(stdout) as { ok: boolean; hops: Hop[] }
    expect(ok).toBe(false)
    const failed = hops.filter(({ state }) => state === 'failed')
    expect(failed[0]).toMatchObject({
      hop: fails,
      detail: expect.stringMatching(says),
      fix: expect.stringMatching(paste),
    })
    const rest = failed.slice(1).filter(({ hop }) => !hop.startsWith('may '))
    expect(rest).toEqual([])
    const stateOf = (name: string) => `${name}: ${hops.find(({ hop }) => hop === name)?.state}`
    for (const name of tried) expect([`${name}: ok`, `${name}: left out`, `${name}: failed`]).toContain(stateOf(name))
    for (const name of notTried) expect(stateOf(name)).toBe(`${name}: not tried`)
    const fixes = failed.flatMap(({ fix }) => fix ?? [])
    expect(fixes.map((fix) => remedyParts(fix)[0]?.kind)).toEqual(fixes.map(() => 'command'))
    expectPastes(fixes)
  })

  test('all is well through a proxy: AWS by its own names, the cluster spared by NO_PROXY', async () => {
    const env = {
      ...keysOf(roleOf('Admin')),
      https_proxy: passing.url,
      NODE_EXTRA_CA_CERTS: join(workdir, 'company.pem'),
    }
    const config = eks.cluster('prod')?.cluster.accessConfig
    if (config) config.authenticationMode = 'API_AND_CONFIG_MAP'
    const { status, stdout } = await run(['doctor', '-q', ...named('prod')], {
      env: { ...env, no_proxy: '127.0.0.0/8' },
    })
    expect(stdout).toMatch(/^ok {9}AWS proxy .*\(https_proxy\) connects to eks\.eu-west-1\.amazonaws\.com$/m)
    expect(stdout).toMatch(/^ok {9}EKS API/m)
    expect([status, passing.asked.map(({ to }) => to)]).toEqual([
      0,
      expect.arrayContaining(['sts.eu-west-1.amazonaws.com:443', 'eks.eu-west-1.amazonaws.com:443']),
    ])
  })
})

/** Each can be pasted, and no object is made twice. */
const expectPastes = (fixes: string[]): void => {
  const commands = printedIn(fixes)
  for (const { words } of commands) {
    expect(words).not.toEqual(['not for a shell'])
    if (words[0] === 'calico-ipvs-sync') expect(parsed(words.slice(1)).command).toMatch(/^(?:rbac|doctor)$/)
  }
  const making = commands.map(({ text }) => text).filter((it) => / (?:apply|create|create-access-entry|rbac) /.test(it))
  expect(making).toEqual([...new Set(making)])
}
