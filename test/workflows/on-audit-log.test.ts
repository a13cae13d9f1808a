import { gzipSync } from 'node:zlib'
import { beforeEach, describe, expect, test } from '@jest/globals'
import { logLines } from '../../shared/clients/aws/log-lines.ts'
import type { Evaluation } from '../../shared/messages.ts'
import { onAuditLog } from '../../shared/workflows/fleet/on-audit-log.ts'
import { auditLine } from '../infra/audit-lines.ts'

const own = '111122223333'
const write = JSON.stringify(auditLine('patch', 'configmaps', 'kube-proxy-config', { namespace: 'kube-system' }))
const other = JSON.stringify(auditLine('patch', 'configmaps', 'coredns', { namespace: 'kube-system' }))

let sent: Evaluation[]
let logged: [string, object][]
let pending: boolean
beforeEach(() => {
  sent = []
  logged = []
  pending = false
})

const tools = {
  own,
  region: 'eu-west-1',
  fleet: { own, regions: ['eu-west-1'], accounts: [{ account: own }] },
  queues: { sendEvaluation: async (message: Evaluation) => void sent.push(message) },
  looks: { ask: async () => (pending ? undefined : { delaySeconds: 0 }) },
  now: () => new Date('2026-11-29T10:00:00Z'),
  log: (event: string, facts: object) => void logged.push([event, facts]),
}

const content = (more: object = {}) => ({
  messageType: 'DATA_MESSAGE',
  owner: own,
  logGroup: '/aws/eks/prod-1/cluster',
  logStream: 'kube-apiserver-audit-1a2b3c4d',
  subscriptionFilters: ['CalicoIpvsSync'],
  logEvents: [{ id: '1', timestamp: 1, message: write }],
  ...more,
})
const packed = (it: unknown) => ({ awslogs: { data: gzipSync(JSON.stringify(it)).toString('base64') } })
const heard = (it: unknown) => onAuditLog(tools, logLines(it), 'request-1')
const lines = (...messages: string[]) => content({ logEvents: messages.map((message) => ({ message })) })

describe('lines of an audit log', () => {
  test('are one look at their cluster, however many there are', async () => {
    await heard(packed(lines(other, ...Array.from({ length: 500 }, () => write))))
    expect(sent).toEqual([
      {
        schemaVersion: 1,
        cluster: { account: own, region: 'eu-west-1', name: 'prod-1' },
        reason: 'event',
        cause: 'audit log: patch configmaps kube-proxy-config (and 499 more)',
        heard: { at: '2026-11-29T10:00:00.000Z', by: 'request-1' },
      },
    ])
  })

  test('are no look where one is pending, and none where nothing of it is told', async () => {
    pending = true
    await heard(packed(content()))
    pending = false
    await heard(packed(lines(other, 'oops')))
    await heard(packed(content({ messageType: 'CONTROL_MESSAGE', logEvents: [{ message: write }] })))
    expect(sent).toEqual([])
    expect(logged.map(([event]) => event)).toEqual(['a look is pending', 'lines ignored', 'lines ignored'])
  })

  test.each([
    ['of another account', { owner: '999999999999' }],
    ['of another log group', { logGroup: '/aws/lambda/x' }],
    ['of a cluster that cannot be one', { logGroup: '/aws/eks/../cluster' }],
    ['of another log of the cluster', { logStream: 'kube-scheduler-1' }],
  ])('%s are counted and dropped', async (_, more) => {
    await heard(packed(content(more)))
    expect(sent).toEqual([])
    expect(logged.map(([event]) => event)).toEqual(['not in the fleet'])
  })

  test('of a cluster that is none of the fleet are counted and dropped', async () => {
    await onAuditLog({ ...tools, region: 'us-east-1' }, logLines(packed(content())), 'request-1')
    expect(sent).toEqual([])
    expect(logged.map(([event]) => event)).toEqual(['not in the fleet'])
  })
})

describe('what is no lines of a log is refused', () => {
  test.each<[string, unknown]>([
    ['nothing', undefined],
    ['an event', { detail: {} }],
    ['no base64', { awslogs: { data: '***' } }],
    ['not compressed', { awslogs: { data: Buffer.from(JSON.stringify(content())).toString('base64') } }],
    ['no JSON', { awslogs: { data: gzipSync('oops').toString('base64') } }],
    ['another type', packed(content({ messageType: 'OTHER' }))],
    [
      'more lines than are ever sent',
      packed(content({ logEvents: Array.from({ length: 20_001 }, () => ({ message: '' })) })),
    ],
  ])('%s', (_, it) => expect(() => logLines(it)).toThrow())

  test('what unpacks to far more than it was, without taking that memory', () => {
    const bomb = gzipSync(Buffer.alloc(512 * 2 ** 20)).toString('base64')
    expect(bomb.length).toBeLessThan(1_000_000)
    const before = process.memoryUsage().arrayBuffers
    expect(() => logLines({ awslogs: { data: bomb } })).toThrow('cannot be unpacked')
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(128 * 2 ** 20)
  })
})
