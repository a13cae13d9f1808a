import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { type EksStandIn, startEks } from '../../lab/aws/eks.ts'
import { userIn } from '../../lab/aws/eks-token.ts'
import type { Endpoint } from '../../lab/aws/endpoint.ts'
import { createKeyring } from '../../lab/aws/keyring.ts'
import { startSts } from '../../lab/aws/sts.ts'
import { type EmbeddedCluster, startEmbedded } from '../../lab/embedded/start.ts'
import { populate } from '../../lab/fixtures/populate.ts'
import { run } from '../cli/run.ts'
import { dripping, refusing, silent, unwell } from './endpoints.ts'

/** Commands in front of an AWS that is not well: each ends with a verdict or a row, and says which call it was, within so many seconds. */
const seconds = 15
const place = { account: '111122223333', region: 'eu-west-1' }
const roleArn = `arn:aws:iam::${place.account}:role/Reader`
const keyring = createKeyring()
const { serve, dropping, close } = unwell()
const workdir = mkdtempSync(join(tmpdir(), 'unwell-'))
let eks: EksStandIn
let sts: Endpoint
let cluster: EmbeddedCluster
/** By way: an endpoint that is not well in this way. */
const ill: Record<string, string> = {}

const ways: Record<string, () => Promise<string>> = {
  'drops every SYN': dropping,
  'answers 429': () => serve(refusing(429, 'ThrottlingException')),
  'answers 503 with Retry-After': () => serve(refusing(503, 'ServiceUnavailableException', { 'retry-after': '600' })),
  'drips a byte a second': () => serve(dripping),
  'never answers': () => serve(silent),
}

beforeAll(async () => {
  cluster = await startEmbedded({
    name: 'prod',
    workdir,
    authenticate: (token) => userIn(eks.cluster('prod'), token, keyring),
  })
  const calico = { version: 'v3.28.4', install: 'operator' } as const
  await populate(cluster, { nodes: 1, kubernetesVersion: '1.36.3', kubeProxy: { mode: 'ipvs' }, calico })
  const accessEntries = [{ principalArn: roleArn, kubernetesGroups: ['system:masters'] }]
  const { server: endpoint, caData } = cluster
  ;[eks, sts] = await Promise.all([
    startEks({ keyring, place, clusters: [{ name: 'prod', endpoint, caData, accessEntries }] }),
    startSts({ keyring }),
  ])
  for (const [way, start] of Object.entries(ways)) ill[way] = await start()
}, 60_000)
afterAll(async () => {
  close()
  await Promise.all([cluster.stop(), eks.stop(), sts.close()])
  rmSync(workdir, { recursive: true })
})

const named = ['--cluster', 'prod', '--region', place.region]
const commands: Record<string, string[]> = {
  check: ['check', '-o', 'json', ...named],
  doctor: ['doctor', '-o', 'json', ...named],
  sweep: ['sweep', '-o', 'json', '--region', place.region],
  sync: ['sync', '--yes', '-o', 'json', ...named],
}
const services = ['EKS', 'STS'] as const

const started = async (words: string[], service: string, url: string) => {
  const { accessKeyId, secretAccessKey, sessionToken } = keyring.forRole(roleArn, 'alice')
  const env = {
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    AWS_SESSION_TOKEN: sessionToken,
    AWS_ENDPOINT_URL_EKS: eks.url,
    AWS_ENDPOINT_URL_STS: sts.url,
    [`AWS_ENDPOINT_URL_${service}`]: url,
  }
  const began = performance.now()
  const limit: { timer?: NodeJS.Timeout } = {}
  const running = (child: { kill: (signal: 'SIGKILL') => void }) => {
    limit.timer = setTimeout(() => child.kill('SIGKILL'), 3 * seconds * 1_000)
  }
  const role = service === 'STS' ? ['--role', roleArn] : []
  const ended = await run([...words, ...role], { env, running })
  clearTimeout(limit.timer)
  return { ...ended, took: (performance.now() - began) / 1_000 }
}

/** What each way may be called where it is not silence. */
const says: Record<string, RegExp> = {
  'answers 429': /Throttling/,
  'answers 503 with Retry-After': /ServiceUnavailable/,
}

const wayNames = Object.keys(ways)
const tried = (service: string, way: string) =>
  Promise.all(
    Object.entries(commands).map(
      async ([name, words]) => [name, await started(words, service, ill[way] ?? '')] as const,
    ),
  )
const seen = new Map<string, ReturnType<typeof tried>>()

// Nearly all of it is waiting for time-outs. Four commands start at one time, and the next four when these have begun to wait: more
// would measure this machine.
beforeAll(async () => {
  for (const service of services)
    for (const way of wayNames) {
      const trying = tried(service, way)
      seen.set(`${service} ${way}`, trying)
      await Promise.race([Promise.allSettled([trying]), sleep(6_000)])
    }
  await Promise.allSettled(seen.values())
}, 300_000)

describe.each(services)('where %s', (service) => {
  test.each(wayNames)(`%s, every command says so within ${seconds} s`, async (way) => {
    for (const [name, { status, stdout, stderr, took }] of await seen.get(`${service} ${way}`)!) {
      const said = `${name}: ${took.toFixed(1)} s\n${stdout}\n${stderr}`
      process.stdout.write(`${service} ${way}, ${name}: ${took.toFixed(1)} s\n`)
      expect([name, status, took < seconds, said]).toEqual([name, 2, true, said])
      expect(said).toMatch(hopOf(name, service))
      expect(said).toMatch(says[way] ?? /did not answer|TimeoutError/)
    }
  })
})

const hopOf = (name: string, service: (typeof services)[number]): RegExp => {
  if (name === 'doctor') return service === 'EKS' ? /"EKS API"[^}]*"failed"/ : /"STS"[^}]*"failed"/
  if (service === 'STS') return /sts:AssumeRole/
  return name === 'sweep' ? /eks:ListClusters/ : /eks:DescribeCluster/
}
