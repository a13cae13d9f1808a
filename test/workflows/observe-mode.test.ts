import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals'
import { type EmbeddedCluster, startEmbedded } from '../../lab/embedded/start.ts'
import { configText } from '../../lab/fixtures/kube-proxy.ts'
import { setPodLogs } from '../../lab/fixtures/pod-logs.ts'
import { populate } from '../../lab/fixtures/populate.ts'
import { kubeClient } from '../../shared/clients/kube/open.ts'
import { metricsPort } from '../../shared/domain/proxy-mode/port.ts'
import { runningModes } from '../../shared/domain/proxy-mode/running.ts'
import { valueOf } from '../../shared/domain/read.ts'
import { observe } from '../../shared/workflows/observe/observe.ts'

const workdir = mkdtempSync(join(tmpdir(), 'observe-mode-'))
const configMap = '/api/v1/namespaces/kube-system/configmaps/kube-proxy-config'
const merge = 'application/merge-patch+json'
const asked = { events: /\/events\?/, proxies: /\/proxy\/proxyMode/, logs: /\/log\?/ }

let cluster: EmbeddedCluster
beforeAll(async () => {
  // Pods start, so that a change of the ConfigMap a minute later is certainly after them.
  let clock = Date.parse('2026-11-23T04:00:00Z')
  cluster = await startEmbedded({ name: 'evidence', workdir, now: () => new Date(clock) })
  const calico = { version: 'v3.28.2', install: 'operator' } as const
  await populate(cluster, { nodes: 3, kubernetesVersion: '1.36.3', kubeProxy: { mode: 'iptables' }, calico })
  await setPodLogs(cluster, { namespace: 'kube-system', container: 'kube-proxy' }, ['rotated away'])
  clock += 60_000
})
afterEach(() => cluster.faults.clear())
afterAll(async () => {
  await cluster.stop()
  rmSync(workdir, { recursive: true })
})

/** kube-proxy is told something new, and no pod has taken it up: nothing but the pods themselves knows what they run. */
const configure = (bindAddress: string): Promise<unknown> => {
  const config = configText('ipvs').replace('127.0.0.1:10249', bindAddress)
  return cluster.request('PATCH', configMap, { data: { config } }, merge)
}

const look = async ({ deep = false } = {}) => {
  const { server, caData, adminToken } = cluster
  const ca = Buffer.from(caData, 'base64').toString('utf8')
  const kube = kubeClient({ server, ca, token: async () => adminToken })
  cluster.faults.forget()
  try {
    const state = await observe({ kube, identity: { name: 'evidence' }, now: new Date(), deep })
    const modes = [...runningModes(state).values()].map(({ mode, confidence }) => `${mode} ${confidence}`)
    return { state, modes }
  } finally {
    kube.close()
  }
}

const event = (node: string, times: object) => ({
  apiVersion: 'v1',
  kind: 'Event',
  metadata: { name: `${node}.1`, namespace: 'default' },
  involvedObject: { kind: 'Node', name: node, uid: node },
  reason: 'IPVSDeprecation',
  type: 'Warning',
  reportingComponent: 'kube-proxy',
  firstTimestamp: null,
  lastTimestamp: null,
  ...times,
})

describe('where times and logs leave a doubt', () => {
  test('one request asks for Events, and their absence proves nothing', async () => {
    await configure('127.0.0.1:10249')
    const { state, modes } = await look()
    expect(cluster.faults.count({ path: asked.events })).toBe(1)
    expect(modes).toEqual(Array(3).fill('unknown none'))
    expect(state).not.toHaveProperty('modeEvidence')
  })

  test('denied Events are no evidence and no failure', async () => {
    cluster.faults.inject({ path: asked.events, answer: { status: 403, body: { kind: 'Status', message: 'no' } } })
    const { state, modes } = await look()
    expect(modes).toEqual(Array(3).fill('unknown none'))
    expect(state).not.toHaveProperty('modeEvidence')
  })

  test('an Event of the running process makes its node’s mode likely, one from before it started does not', async () => {
    const { state } = await look()
    const [first = '', second = ''] = (valueOf(state.nodes) ?? []).map(({ name }) => name)
    await cluster.request(
      'POST',
      '/api/v1/namespaces/default/events',
      event(first, { eventTime: '2026-11-23T04:00:30.000000Z' }),
    )
    await cluster.request(
      'POST',
      '/api/v1/namespaces/default/events',
      event(second, { eventTime: '2026-11-23T03:00:00.000000Z' }),
    )
    const { modes } = await look()
    expect(modes.toSorted()).toEqual(['ipvs likely', 'unknown none', 'unknown none'])
  })

  test('before Kubernetes 1.35, which knows no such Event, none is asked for', async () => {
    cluster.faults.inject({ path: /^\/version/, answer: { status: 200, body: { gitVersion: 'v1.34.1-eks-1' } } })
    await look()
    expect(cluster.faults.count({ path: asked.events })).toBe(0)
  })
})

describe('/proxyMode', () => {
  const answers = (answer: { status: number; body: string }) => cluster.faults.inject({ path: asked.proxies, answer })

  test('is not asked for on a loopback address, nor without --deep', async () => {
    await look({ deep: true })
    await configure('0.0.0.0:10249')
    await look()
    expect(cluster.faults.count({ path: asked.proxies })).toBe(0)
  })

  test('answered through the API server proves every node’s mode', async () => {
    answers({ status: 200, body: 'iptables' })
    const { modes } = await look({ deep: true })
    expect(modes).toEqual(Array(3).fill('iptables proven'))
    expect(cluster.faults.requests({ path: asked.proxies })[0]?.path).toMatch(
      /^\/api\/v1\/namespaces\/kube-system\/pods\/kube-proxy-\w+:10249\/proxy\/proxyMode$/,
    )
  })

  test.each([
    ['403', { status: 403, body: 'forbidden' }],
    ['another server’s page', { status: 200, body: '<html>'.repeat(10_000) }],
    ['an unknown mode', { status: 200, body: 'userspace' }],
  ])('%s is no evidence', async (_, answer) => {
    answers(answer)
    const { state, modes } = await look({ deep: true })
    expect(modes.filter((it) => it === 'unknown none')).toHaveLength(2)
    expect(JSON.stringify(state.modeEvidence)).not.toContain('proxyMode')
  })
})

test.each([
  ['0.0.0.0:10249', 10249],
  ['0.0.0.0', 10249],
  ['0.0.0.0:9000', 9000],
  ['[::]:10249', 10249],
  ['::', 10249],
  [':10250', 10250],
  ['127.0.0.1:10249', undefined],
  ['127.0.0.1', undefined],
  ['[::1]:10249', undefined],
  ['::1', undefined],
  ['localhost:10249', undefined],
  ['0.0.0.0:99999', undefined],
  ['', undefined],
  [undefined, undefined],
  [17, undefined],
])('metricsBindAddress %p is reached from outside at %p', (address, port) => expect(metricsPort(address)).toBe(port))
