import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { LabCluster } from '../../lab/cluster.ts'
import { type Ended, run } from '../cli/run.ts'
import { assemble, type GuardedStage, place, raise, target, wanted } from './guards-stage.ts'
import { shortDelays } from './place.ts'
import { inTurn, mostWithin, trespassers, witness, type Witness } from './witness.ts'

/**
 * Two rollouts at once in one cluster: the deployed one, woken by many messages that each come twice, and a process of
 * the command line. In the first cluster, of the real API server, both start at one moment; in the second the command
 * line comes when the other has just begun. Judged by what the API servers' watch showed.
 */
const settleSeconds = 3
const nodeCount = 4
const names = ['one', 'two'] as const
const folder = mkdtempSync(join(tmpdir(), 'calico-ipvs-sync-two-'))

let stage: GuardedStage
const seen = new Map<string, Witness>()
const lines = new Map<string, Ended>()

beforeAll(async () => {
  stage = await raise(await assemble(folder), [...names], nodeCount, { real: ['one'], delays: shortDelays, copies: 2 })
  for (const cluster of stage.clusters) seen.set(cluster.name, await witness(cluster, nodeCount))
  stage.deploy({ canarySeconds: settleSeconds, settleSeconds, nodeDeadlineSeconds: 60, clustersAtOnce: 2 })
  const [one, two] = stage.clusters as [LabCluster, LabCluster]
  const commandLines = [commandLine(one), begun(two).then(() => commandLine(two))]
  await everybodyCalls(stage)
  await Promise.all(commandLines)
  // The schedule comes again; whoever waited for the Lease finds the work done.
  stage.cloud.fire()
  await stage.cloud.idle({ timeoutMilliseconds: 150_000 })
  await Promise.all([...seen.values()].map((it) => it.caughtUp()))
}, 300_000)
afterAll(async () => {
  for (const it of seen.values()) it.stop()
  await stage?.stop()
  rmSync(folder, { recursive: true, force: true })
}, 60_000)

describe.each(names)('two rollouts started at once through the queues and bundles, in cluster %s', (name) => {
  test('each node is touched once, one at a time, and each takes the value', () => {
    const { touches, nodes, ranges } = seen.get(name)!
    expect(touches.map(({ node }) => node).toSorted()).toEqual(nodes)
    expect(new Set(touches.map(({ range }) => range))).toEqual(new Set([target]))
    // A second for what the watch is late.
    expect(mostWithin(touches, (settleSeconds - 1) * 1000)).toBe(1)
    expect(ranges()).toEqual([['default', target]])
  })

  test('one of them holds the Lease from beginning to end, and nobody else writes', () => {
    const { leases, writes } = seen.get(name)!
    expect(writes.length).toBeGreaterThan(nodeCount)
    expect(trespassers({ leases, writes })).toEqual([])
    expect(inTurn(leases.map(({ holder }) => (holder ? 'held' : 'free')))).toEqual(['held', 'free'])
    expect(new Set(leases.flatMap(({ holder }) => holder ?? [])).size).toBe(1)
    expect(inTurn(leases.map(({ state }) => state))).toEqual(['running', 'done'])
    expect(new Set(leases.map(({ startedAt }) => startedAt)).size).toBe(1)
  })

  test('people hear of it once, and of its end once', () => {
    const subjects = stage.cloud.deliveries.map(({ subject }) => subject)
    expect(subjects.filter((it) => it?.includes(`] ${name} (`))).toEqual([
      `[critical] ${name} (111122223333 eu-west-1): Calico is out of step with kube-proxy`,
      `[info] ${name} (111122223333 eu-west-1): Calico is in step again`,
    ])
  })

  test('the command line ends with the cluster in step, or says that another began at the same moment', () => {
    const { status, stdout, stderr } = lines.get(name)!
    if (status === 0) expect(JSON.parse(stdout)).toMatchObject({ verdict: 'in-step' })
    else expect([status, stderr]).toEqual([1, expect.stringContaining('at the same time')])
  })
})

test('in the second cluster it was the deployed one that held the Lease', () => {
  expect(seen.get('two')?.leases[0]?.holder).toBe('calico-ipvs-sync (AWS Lambda)')
})

test('every message came twice, and none was given up', async () => {
  const records = stage.cloud.invocations.flatMap(
    ({ event }) => (event as { Records?: { messageId: string }[] }).Records ?? [],
  )
  const times = Object.values(Object.groupBy(records, ({ messageId }) => messageId)).map((them) => them?.length ?? 0)
  expect(times.length).toBeGreaterThan(2 * nodeCount)
  expect(Math.min(...times)).toBeGreaterThanOrEqual(2)
  expect(await stage.cloud.messages('EvaluationsDeadLetters')).toEqual([])
  expect(await stage.cloud.messages('RolloutStepsDeadLetters')).toEqual([])
})

const begun = async ({ name }: LabCluster): Promise<void> => {
  for (const end = Date.now() + 60_000; seen.get(name)?.leases.length === 0; await sleep(20))
    if (Date.now() > end) throw new Error('The deployed rollout did not begin within a minute')
}

const commandLine = async ({ name, kubeconfig }: LabCluster): Promise<void> => {
  const pace = ['--canary-seconds', `${settleSeconds}`, '--settle-seconds', `${settleSeconds}`]
  const range = ['--service-node-port-range', `${wanted.min}-${wanted.max}`]
  lines.set(name, await run(['sync', '--yes', '-o', 'json', '--kubeconfig', kubeconfig, ...range, ...pace]))
}

/** Events, the schedule twice over, and looks as other parts of the stack send them: all at one moment. */
const everybodyCalls = async ({ cloud }: GuardedStage): Promise<void> => {
  for (const name of names.flatMap((it) => Array.from({ length: 4 }, () => it))) {
    const about = { eventSource: 'eks.amazonaws.com', eventName: 'UpdateClusterConfig', readOnly: false }
    const detail = { ...about, requestParameters: { name } }
    cloud.putEvent({ source: 'aws.eks', 'detail-type': 'AWS API Call via CloudTrail', detail })
  }
  cloud.fire()
  cloud.fire()
  const { credentials, environment } = cloud
  const endpoint = environment['AWS_ENDPOINT_URL_SQS'] ?? ''
  const sqs = new SQSClient({ ...place, credentials, endpoint })
  const queue = cloud.stack.ofType('AWS::SQS::Queue').find(({ label }) => label === 'Evaluations')
  const QueueUrl = `${endpoint}/000000000000/${queue?.name}`
  const send = (name: string, reason: string) => {
    const body = { schemaVersion: 1, cluster: { ...place, name }, reason }
    return sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: JSON.stringify(body) }))
  }
  const reasons = ['event', 'sweep', 'follow', 'rollout']
  await Promise.all(names.flatMap((name) => reasons.map((reason) => send(name, reason))))
  sqs.destroy()
}
