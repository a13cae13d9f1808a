import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { type EksStandIn, startEks } from '../../lab/aws/eks.ts'
import type { Endpoint } from '../../lab/aws/endpoint.ts'
import { createKeyring } from '../../lab/aws/keyring.ts'
import { startSts } from '../../lab/aws/sts.ts'
import { type EmbeddedCluster, startEmbedded } from '../../lab/embedded/start.ts'
import { populate } from '../../lab/fixtures/populate.ts'
import { createAuthority } from '../../lab/pki.ts'
import type { Report, Sweep } from '../../shared/domain/report.ts'
import { reportSchema, sweepSchema } from '../../shared/report/schema.ts'
import { runHere as run } from './here.ts'
import { run as runProcess } from './run.ts'
import { sessions } from './session.ts'

/** From a kubeconfig to the EKS cluster behind it: as whom EKS is asked, and that it is that cluster. */

const region = 'eu-west-1'
const [ours, theirs] = ['111122223333', '444455556666'] as const
const roleIn = (account: string, name: string) => `arn:aws:iam::${account}:role/${name}`
const [work, admin, other] = [roleIn(ours, 'Work'), roleIn(ours, 'Admin'), roleIn(theirs, 'Other')] as const
const arn = `arn:aws:eks:${region}:${ours}:cluster/prod`
const eksName = 'abc.gr7.eu-west-1.eks.amazonaws.com'
const workdir = mkdtempSync(join(tmpdir(), 'kubeconfig-eks-'))
const file = (name: string) => join(workdir, name)
const keyring = createKeyring()
/** What EKS and STS were asked, and by which role. */
let asked: string[] = []
let eks: EksStandIn
let sts: Endpoint
let cluster: EmbeddedCluster

beforeAll(async () => {
  cluster = await startEmbedded({ name: 'prod', workdir, nodePortRange: { min: 20000, max: 22767 } })
  const calico = { version: 'v3.28.4', install: 'operator' } as const
  await populate(cluster, { nodes: 3, kubernetesVersion: '1.36.3', kubeProxy: { mode: 'ipvs' }, calico })
  const { server: endpoint, caData } = cluster
  const strange = Buffer.from((await createAuthority('theirs')).certPem).toString('base64')
  const nodePortRange = { min: 20000, max: 22767 }
  const clusters = [
    { name: 'prod', endpoint, caData, nodePortRange },
    { name: 'by-endpoint', endpoint: `https://${eksName}:${new URL(endpoint).port}`, caData, nodePortRange },
    { name: 'elsewhere', endpoint: 'https://def.gr7.eu-west-1.eks.amazonaws.com', caData: strange },
    { name: 'made-again', endpoint, caData: strange, nodePortRange: { min: 15000, max: 15999 } },
    { name: 'odd', endpoint, caData: Buffer.from('garbage').toString('base64') },
    {
      name: 'prod',
      account: theirs,
      endpoint: 'https://other.example',
      caData: strange,
      nodePortRange: { min: 15000, max: 15999 },
    },
  ]
  const onCall = (operation: string, by: string) => void asked.push(`${operation} ${by.split('/')[1]}`)
  const place = { account: ours, region }
  ;[eks, sts] = await Promise.all([startEks({ keyring, place, clusters, onCall }), startSts({ keyring, onCall })])
  mkdirSync(file('bin'))
  const answer = { kind: 'ExecCredential', status: { token: cluster.adminToken } }
  writeFileSync(file('bin/answer'), JSON.stringify(answer))
  for (const tool of ['aws', 'aws-iam-authenticator'])
    writeFileSync(file(`bin/${tool}`), `#!/bin/sh\ncat '${file('bin/answer')}'\n`, { mode: 0o755 })
  const lines = Object.entries({ work, other }).flatMap(([profile, role]) => {
    const { accessKeyId, secretAccessKey, sessionToken } = keyring.forRole(role, profile)
    return [
      `[${profile}]`,
      `aws_access_key_id=${accessKeyId}`,
      `aws_secret_access_key=${secretAccessKey}`,
      `aws_session_token=${sessionToken}`,
    ]
  })
  writeFileSync(file('credentials'), `${lines.join('\n')}\n`)
  writeFileSync(file('aws-config'), `[profile chained]\nrole_arn=${admin}\nsource_profile=work\n`)
  // Names of EKS lead to the cluster of this machine.
  writeFileSync(
    file('names.mjs'),
    `import dns from 'node:dns'
     const { lookup } = dns
     dns.lookup = (host, ...more) => lookup(host.endsWith('.amazonaws.com') ? '127.0.0.1' : host, ...more)`,
  )
})
afterAll(async () => {
  await Promise.all([cluster.stop(), eks.stop(), sts.close()])
  rmSync(workdir, { recursive: true })
})
beforeEach(() => void (asked = []))

interface Shell {
  /** Whose credentials are in the environment; absent: none. */
  as?: string
}
const endpoints = () => ({ AWS_ENDPOINT_URL_EKS: eks.url, AWS_ENDPOINT_URL_STS: sts.url })
const inSession = sessions(keyring, endpoints)
const shell = ({ as }: Shell = {}): NodeJS.ProcessEnv => ({
  PATH: `${file('bin')}:${process.env['PATH']}`,
  AWS_SHARED_CREDENTIALS_FILE: file('credentials'),
  AWS_CONFIG_FILE: file('aws-config'),
  ...(as === undefined ? endpoints() : inSession(as)),
})

interface Written {
  context?: string
  name?: string
  cluster?: object
  /** `aws …` as one would type it. */
  exec?: string
  env?: Record<string, string>
}

let written = 0
/** A kubeconfig with one context, `prod`. */
const kubeconfig = ({ context = 'prod', name, cluster: more = {}, exec, env = {} }: Written): string => {
  const path = file(`config-${(written += 1)}`)
  const [known, user] = [name ?? `cluster-${written}`, `user-${written}`]
  const [command, ...args] = exec?.split(' ') ?? []
  const plugin = {
    apiVersion: 'client.authentication.k8s.io/v1beta1',
    command,
    args,
    env: Object.entries(env).map(([key, value]) => ({ name: key, value })),
  }
  const document = {
    'current-context': context,
    contexts: [{ name: context, context: { cluster: known, user } }],
    clusters: [
      { name: known, cluster: { server: cluster.server, 'certificate-authority-data': cluster.caData, ...more } },
    ],
    users: [{ name: user, user: exec === undefined ? { token: cluster.adminToken } : { exec: plugin } }],
  }
  writeFileSync(path, JSON.stringify(document))
  return path
}

const json = async (words: string[], env: NodeJS.ProcessEnv, nodeArguments: string[] = []) => {
  const options = { env, nodeArguments }
  const ended = await (nodeArguments.length === 0 ? run : runProcess)([...words, '-o', 'json'], options)
  const report: Report = reportSchema.parse(JSON.parse(ended.stdout))
  return { ...ended, report, codes: report.findings.map(({ code }) => code) }
}
const check = (config: string, env: NodeJS.ProcessEnv, ...more: string[]) =>
  json(['check', '--kubeconfig', config, ...more], env)

const writes = async (act: () => Promise<unknown>): Promise<string[]> => {
  cluster.faults.forget()
  await act()
  return cluster.faults
    .requests()
    .filter(({ method }) => method !== 'GET')
    .map(({ method, path }) => `${method} ${path}`)
}
const fromEks = { min: 20000, max: 22767, source: 'eks-api' }
const token = 'aws --region eu-west-1 eks get-token --cluster-name prod'

describe('the plugin’s arguments and environment lead to EKS', () => {
  test.each<[string, Written, string[]]>([
    ['its profile', { exec: `${token} --profile work` }, ['DescribeCluster Work']],
    [
      'its role, assumed by its profile',
      { exec: `${token} --profile work --role-arn ${admin}` },
      ['AssumeRole Work', 'DescribeCluster Admin'],
    ],
    [
      'a profile that assumes a role',
      { exec: `${token} --profile chained` },
      ['AssumeRole Work', 'DescribeCluster Admin'],
    ],
    ['the profile in its environment', { exec: token, env: { AWS_PROFILE: 'work' } }, ['DescribeCluster Work']],
    [
      'eksctl’s kubeconfig',
      {
        context: 'me@prod.eu-west-1.eksctl.io',
        name: 'prod.eu-west-1.eksctl.io',
        exec: 'aws-iam-authenticator token -i prod',
        env: { AWS_STS_REGIONAL_ENDPOINTS: 'regional', AWS_PROFILE: 'work', AWS_DEFAULT_REGION: region },
      },
      ['DescribeCluster Work'],
    ],
    ['the cluster’s ARN beside the profile', { name: arn, exec: `${token} --profile work` }, ['DescribeCluster Work']],
  ])('%s', async (_, how, expected) => {
    // The shell is somebody else, whose account has a cluster of that name too.
    const config = kubeconfig(how)
    const { report, status } = await check(config, shell({ as: other }))
    expect(report.cluster).toMatchObject({ name: 'prod', arn, account: ours, region, context: how.context ?? 'prod' })
    expect(report).toMatchObject({ serviceRange: fromEks, verdict: 'out-of-step' })
    expect(status).toBe(1)
    expect(asked.filter((it) => !it.startsWith('DescribeAddon')).toSorted()).toEqual(expected)
  })

  test('without profile or role EKS is asked as the shell', async () => {
    const { report } = await check(kubeconfig({ exec: token }), shell({ as: work }))
    expect(report.serviceRange).toEqual(fromEks)
    expect(new Set(asked.map((it) => it.split(' ')[1]))).toEqual(new Set(['Work']))
  })

  test('--role stands above the kubeconfig’s', async () => {
    const config = kubeconfig({ exec: `${token} --profile work --role-arn ${other}` })
    const { report } = await check(config, shell(), '--role', admin)
    expect(report.serviceRange).toEqual(fromEks)
    expect(asked.toSorted()).toEqual(['AssumeRole Work', 'DescribeAddon Admin', 'DescribeCluster Admin'])
  })

  test('keys and files of its own are taken before the shell’s', async () => {
    const { accessKeyId, secretAccessKey, sessionToken } = keyring.forRole(work, 'plugin')
    const keys = {
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: secretAccessKey,
      AWS_SESSION_TOKEN: sessionToken,
    }
    await check(kubeconfig({ exec: token, env: keys }), shell({ as: other }))
    const files = { ...shell({ as: other }), AWS_SHARED_CREDENTIALS_FILE: file('no-credentials') }
    const env = { AWS_SHARED_CREDENTIALS_FILE: file('credentials'), AWS_PROFILE: 'work' }
    expect((await check(kubeconfig({ exec: token, env }), files)).report.serviceRange).toEqual(fromEks)
    expect(new Set(asked)).toEqual(new Set(['DescribeCluster Work', 'DescribeAddon Work']))
  })

  test('a sweep of contexts asks for each as its own profile', async () => {
    const [mine, hers] = ['work', 'other'].map((profile) =>
      kubeconfig({ context: profile, exec: `${token} --profile ${profile}` }),
    )
    const env = { ...shell(), KUBECONFIG: `${mine}:${hers}` }
    const { stdout } = await run(['sweep', '--context', 'work', '--context', 'other', '-o', 'json'], { env })
    const { clusters } = sweepSchema.parse(JSON.parse(stdout))
    const found = clusters.map((it) => [
      it.cluster.context,
      it.findings.some(({ code }) => code === 'CLUSTER_IDENTITY'),
    ])
    expect(Object.fromEntries(found)).toEqual({ work: false, other: true })
    expect(asked).toEqual(expect.arrayContaining(['DescribeCluster Work', 'DescribeCluster Other']))
  })

  test('a profile that is not there is a failure: EKS is not asked as anybody else, and nothing is written', async () => {
    const config = kubeconfig({ exec: `${token} --profile gone` })
    const done = await writes(async () => {
      const { codes, report } = await json(['sync', '--yes', '--kubeconfig', config], shell({ as: work }))
      expect(codes).toContain('ACCESS_DENIED')
      expect(JSON.stringify(report.findings)).toContain('profile: [gone]')
    })
    expect([done, asked]).toEqual([[], []])
  })

  test('a range that was given needs no EKS that may not be asked, unless the kubeconfig names it by ARN', async () => {
    const config = kubeconfig({ exec: `${token} --profile gone` })
    const { report, stderr } = await check(config, shell({ as: work }), '--probe')
    expect(report.serviceRange).toEqual({ min: 20000, max: 22767, source: 'probe' })
    expect(stderr).toContain('EKS is not used')
    const named = await check(
      kubeconfig({ name: arn, exec: `${token} --profile gone` }),
      shell({ as: work }),
      '--probe',
    )
    expect(named.codes).toContain('ACCESS_DENIED')
    expect(asked).toEqual([])
  })

  test('RANGE_ASSUMED’s remedy works where EKS refuses: with --probe the plan is not blocked', async () => {
    const config = kubeconfig({ name: arn, exec: `${token} --profile gone` })
    const checked = await check(config, shell())
    const { remedy } = checked.report.findings.find(({ code }) => code === 'RANGE_ASSUMED') ?? {}
    expect(remedy).toContain(`calico-ipvs-sync check --context prod --kubeconfig ${config} --probe`)
    const { report } = await json(['plan', '--kubeconfig', config, '--probe'], shell())
    expect(report.plan?.blockedBy).toEqual([])
    expect(report.plan?.changes.length).toBeGreaterThan(0)
  })

  test('EKS’s answer stands above a probe and above what was given', async () => {
    const config = kubeconfig({ exec: `${token} --profile work` })
    const words = ['--service-node-port-range', '30000-31000']
    const given = await check(config, shell(), ...words)
    expect(given.report.serviceRange).toEqual(fromEks)
    expect(given.stderr).toContain('--service-node-port-range is not used: EKS returns the range.')
    expect((await check(config, shell(), '--probe')).report.serviceRange).toEqual(fromEks)
  })

  test('where EKS answers the API server is not asked as well, which may refuse it', async () => {
    const config = kubeconfig({ exec: `${token} --profile work` })
    const done = await writes(async () => {
      expect((await check(config, shell(), '--probe')).status).toBe(1)
    })
    expect(done.filter((it) => it.includes('/services'))).toEqual([])
  })

  test('a name that only the authenticator knows may be another cluster’s in EKS', async () => {
    const config = kubeconfig({ exec: 'aws-iam-authenticator token -i prod' })
    const env = { ...shell({ as: other }), AWS_REGION: region }
    expect((await check(config, env)).codes).toContain('CLUSTER_IDENTITY')
    const { report, codes } = await check(config, env, '--probe')
    expect(report.serviceRange?.source).toBe('probe')
    expect(codes).not.toContain('CLUSTER_IDENTITY')
  })

  test('a region that nothing tells is said, and EKS is not asked', async () => {
    const config = kubeconfig({ exec: 'aws eks get-token --cluster-name prod --profile work' })
    expect((await check(config, shell())).stderr).toContain('EKS is not called for prod: its region is not known')
    expect(asked).toEqual([])
    expect((await check(config, { ...shell(), AWS_REGION: region })).report.serviceRange).toEqual(fromEks)
  })

  test('a name that only the authenticator knows need not be EKS’s: then the range is what was given', async () => {
    const config = kubeconfig({ exec: 'aws-iam-authenticator token -i self-made', env: { AWS_REGION: region } })
    const { report, codes } = await check(config, shell({ as: work }), '--service-node-port-range', '20000-22767')
    expect(report.serviceRange?.source).toBe('flag')
    expect(codes).not.toContain('UNREACHABLE')
  })
})

describe('an endpoint of EKS, without any name', () => {
  const named = ['--import', file('names.mjs')]
  const server = () => `https://${eksName}:${new URL(cluster.server).port}`
  const config = () => kubeconfig({ cluster: { server: server(), 'tls-server-name': 'localhost' } })

  test('is searched for among the clusters of its region', async () => {
    const { report } = await json(['check', '--kubeconfig', config()], shell({ as: work }), named)
    expect(report.cluster).toMatchObject({ name: 'by-endpoint', account: ours, region, context: 'prod' })
    expect(report.serviceRange).toEqual(fromEks)
    expect(asked.filter((it) => it.startsWith('ListClusters'))).toEqual(['ListClusters Work'])
  })

  test('of an account that has none with it is not EKS’s word', async () => {
    const { report } = await json(['check', '--kubeconfig', config()], shell({ as: other }), named)
    expect(JSON.stringify(report.findings)).toContain(
      `None of the 1 EKS clusters in eu-west-1 has the endpoint ${eksName}`,
    )
    expect(report.serviceRange?.source).toBe('default')
  })

  test('with a range that was given needs no EKS', async () => {
    const words = ['check', '--kubeconfig', config(), '--service-node-port-range', '20000-22767']
    const { report, codes, stderr } = await json(words, shell(), named)
    expect(report.serviceRange?.source).toBe('flag')
    expect(codes).not.toContain('ACCESS_DENIED')
    expect(stderr).toContain('EKS is not used')
  })
})

describe('a kubeconfig of one account, credentials of another with a cluster of the same name', () => {
  const named = (): Written => ({ name: arn, exec: token })

  test.each<[string, () => Written]>([
    ['by ARN', named],
    ['by the plugin’s arguments', () => ({ exec: token })],
    ['by eksctl’s names', () => ({ context: 'me@prod.eu-west-1.eksctl.io' })],
  ])('%s: critical, unknown, exit 2, and nothing of the other is used', async (_, how) => {
    const { report, codes, status } = await check(kubeconfig(how()), shell({ as: other }))
    expect([report.verdict, status]).toEqual(['unknown', 2])
    expect(codes).toContain('CLUSTER_IDENTITY')
    expect(codes).not.toContain('RANGE_DIFFERS')
    expect(report.serviceRange).toEqual({ min: 30000, max: 32767, source: 'default' })
    const found = report.findings.find(({ code }) => code === 'CLUSTER_IDENTITY')
    expect(found).toMatchObject({ severity: 'critical' })
    expect(found?.message).toContain(`arn:aws:eks:${region}:${theirs}:cluster/prod at other.example:443`)
    expect(found?.message).toContain(new URL(cluster.server).host)
    // What is to be pasted first must not lead the kubeconfig to the other cluster.
    expect(found?.remedy).not.toMatch(/^aws eks update-kubeconfig/)
    expect(found?.remedy).toContain('AWS_PROFILE')
    expect(new Set(asked)).toEqual(new Set(['DescribeCluster Other', 'DescribeAddon Other']))
  })

  test('plan has nothing to do, sync writes nothing', async () => {
    const words = ['--kubeconfig', kubeconfig(named())]
    const planned = await json(['plan', ...words], shell({ as: other }))
    expect(planned.report.plan).toMatchObject({ changes: [], blockedBy: ['CLUSTER_IDENTITY'] })
    const done = await writes(async () => {
      const synced = await json(['sync', '--yes', ...words], shell({ as: other }))
      expect(synced.status).toBe(2)
      expect(synced.report.plan).toMatchObject({ changes: [], blockedBy: ['CLUSTER_IDENTITY'] })
    })
    expect(done).toEqual([])
  })

  test('sweep has it as a row, doctor as the hop that fails', async () => {
    const words = ['--kubeconfig', kubeconfig(named())]
    const { stdout } = await run(['sweep', '--context', 'prod', ...words, '-o', 'json'], { env: shell({ as: other }) })
    const {
      clusters: [row],
    }: Sweep = sweepSchema.parse(JSON.parse(stdout))
    expect(row?.findings.map(({ code }) => code)).toContain('CLUSTER_IDENTITY')
    const doctor = await run(['doctor', ...words, '-o', 'json'], { env: shell({ as: other }) })
    const { hops } = JSON.parse(doctor.stdout) as { hops: { hop: string; state: string; detail: string }[] }
    expect(hops.find(({ state }) => state === 'failed')).toMatchObject({
      hop: 'identity',
      detail: expect.stringContaining(`EKS says arn:aws:eks:${region}:${theirs}:cluster/prod`),
    })
    expect(doctor.status).toBe(2)
  })
})

test('a cluster made again under its name has another authority: it is another one', async () => {
  const config = kubeconfig({ exec: 'aws eks get-token --region eu-west-1 --cluster-name made-again' })
  const { report, codes } = await check(config, shell({ as: work }))
  expect(codes).toContain('CLUSTER_IDENTITY')
  const found = report.findings.find(({ code }) => code === 'CLUSTER_IDENTITY')
  expect(found?.remedy).toContain('aws eks update-kubeconfig --name made-again --region eu-west-1')
  expect(found?.remedy).toContain(`account ${ours}`)
})

test('an authority of EKS that is none is refused, and the system’s are not believed instead', async () => {
  const byName = await json(['check', '--cluster', 'odd', '--region', region], shell({ as: work }))
  expect([byName.report.verdict, byName.status]).toEqual(['unknown', 2])
  expect(byName.report.findings[0]?.message).toContain('certificateAuthority.data cannot be used')
})

test('an authority in the kubeconfig that is none is refused before anything is sent', async () => {
  cluster.faults.forget()
  const config = kubeconfig({ cluster: { 'certificate-authority-data': Buffer.from('garbage').toString('base64') } })
  const { report, status } = await check(config, shell())
  expect([report.verdict, status]).toEqual(['unknown', 2])
  expect(report.findings[0]?.message).toContain('certificate-authority-data in the kubeconfig cannot be used')
  expect(cluster.faults.requests()).toEqual([])
})

describe('insecure-skip-tls-verify', () => {
  const insecure = { 'insecure-skip-tls-verify': true, 'certificate-authority-data': undefined }

  test('is said in every form', async () => {
    const config = kubeconfig({ cluster: insecure, exec: `${token} --profile work` })
    const { report, codes } = await check(config, shell())
    expect(codes).toContain('TLS_NOT_VERIFIED')
    expect(report.serviceRange).toEqual(fromEks)
    for (const form of ['text', 'junit', 'sarif', 'html']) {
      const { stdout } = await run(['check', '--kubeconfig', config, '-o', form], { env: shell() })
      expect([form, stdout]).toEqual([form, expect.stringMatching(/insecure-skip-tls-verify|TLS_NOT_VERIFIED/)])
    }
  })

  test('leaves only the address to compare', async () => {
    const server = cluster.server.replace('127.0.0.1', 'localhost')
    const config = kubeconfig({ cluster: { ...insecure, server }, exec: `${token} --profile work` })
    expect((await check(config, shell())).codes).toContain('CLUSTER_IDENTITY')
  })
})

test('by another address the same authority is the same cluster', async () => {
  const server = cluster.server.replace('127.0.0.1', 'localhost')
  const { report, codes } = await check(kubeconfig({ cluster: { server }, exec: `${token} --profile work` }), shell())
  expect(codes).not.toContain('CLUSTER_IDENTITY')
  expect(report.serviceRange).toEqual(fromEks)
})

test('what was captured is judged as it was seen', async () => {
  const config = kubeconfig({ name: arn, exec: token })
  const captured = file('state.json')
  await run(['capture', captured, '--kubeconfig', config], { env: shell({ as: other }) })
  const { codes, status } = await json(['check', '--state', captured], shell())
  expect([codes.includes('CLUSTER_IDENTITY'), status]).toEqual([true, 2])
})

test('eksctl’s kubeconfig: sync --yes takes the range that its profile’s EKS tells', async () => {
  const names = { context: 'me@prod.eu-west-1.eksctl.io', name: 'prod.eu-west-1.eksctl.io' }
  const config = kubeconfig({ ...names, exec: 'aws-iam-authenticator token -i prod', env: { AWS_PROFILE: 'work' } })
  const words = ['--kubeconfig', config]
  const planned = await json(['plan', ...words], shell({ as: other }))
  expect(planned.report.plan?.changes.length).toBeGreaterThan(0)
  const fast = ['--yes', '--canary-seconds', '0', '--settle-seconds', '0']
  const { report, status } = await json(['sync', ...words, ...fast], shell({ as: other }))
  expect([report.verdict, status]).toEqual(['in-step', 0])
  expect(report.desiredRange).toEqual(['20000:22767'])
  expect(new Set(asked.map((it) => it.split(' ')[1]))).toEqual(new Set(['Work']))
})
