import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { BatchWriteItemCommand, DeleteItemCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { type Cloud, startCloud } from '../../lab/aws/cloud.ts'
import type { Moment } from '../../lab/aws/moment.ts'
import { placeRecords } from '../../shared/clients/aws/places.ts'
import { records } from '../../shared/clients/aws/records.ts'
import { packed } from '../../shared/clients/aws/records-body.ts'
import type { Report, Verdict } from '../../shared/domain/report.ts'
import { sweepSchema } from '../../shared/report/schema.ts'
import { synthesized } from '../flow/assemble.ts'

const place = { account: '111122223333', region: 'eu-west-1' }
const folder = mkdtempSync(join(tmpdir(), 'calico-ipvs-sync-seen-'))
const moments: Moment[] = []
let cloud: Cloud
let dynamo: DynamoDBClient

const reportOf = (name: string, verdict: Verdict, nodes = 2, over: Partial<Report> = {}): Report => ({
  schemaVersion: 1,
  cluster: { name, ...place },
  observedAt: new Date().toISOString(),
  verdict,
  nodes: Array.from({ length: nodes }, (_, at) => ({
    name: `ip-10-0-${Math.floor(at / 250)}-${at % 250}.${place.region}.compute.internal`,
    verdict,
    runningMode: 'ipvs',
    confidence: 'proven',
    effectiveRange: ['30000:32767'],
  })),
  findings:
    verdict === 'out-of-step'
      ? [{ code: 'RANGE_DIFFERS', severity: 'critical', subject: 'cluster', message: 'differs', evidence: [] }]
      : [],
  ...over,
})
const keyOf = (name: string, region = place.region) => `${place.account}/${region}/${name}`

const store = async (reports: Report[], region = place.region) => {
  const table = cloud.stack.ofType('AWS::DynamoDB::Table')[0]?.name ?? ''
  const kept = records(dynamo, table)
  for (const report of reports) await kept.putReport(keyOf(report.cluster.name, region), report)
}
/** One is listed, one is denied, and one is being tried again. */
const storePlaces = async () => {
  const kept = placeRecords(dynamo, cloud.stack.ofType('AWS::DynamoDB::Table')[0]?.name ?? '')
  const [sweep, earlier] = ['2026-11-30T04:00:00.000Z', '2026-11-30T03:00:00.000Z']
  const unlisted = {
    since: earlier,
    sweep,
    sweeps: 1,
    cause: 'sts-denied',
    message: 'AccessDenied',
    told: false,
  } as const
  for (const row of [
    { ...place, sweep, clusters: ['in', 'out'] },
    { account: '444455556666', region: 'eu-west-1', sweep, clusters: [], unlisted },
    { account: '555566667777', region: 'eu-west-1', sweep: earlier, clusters: [], unlisted },
  ])
    await kept.put(row, { after: '' })
}
const linesOf = (message: string) =>
  moments
    .flatMap((it) =>
      it.kind === 'log' && it.line.startsWith('{') ? [JSON.parse(it.line) as Record<string, unknown>] : [],
    )
    .filter((line) => line['message'] === message)
const invocationsOf = (name: string) => cloud.invocations.filter((it) => it.name === name)

beforeAll(async () => {
  const assemblyDir = await synthesized(folder, { env: place, configRule: true })
  const onMoment = (moment: Moment) => void moments.push(moment)
  cloud = await startCloud({ ...place, assemblyDir, timeScale: 0.01, onMoment })
  dynamo = new DynamoDBClient({
    region: place.region,
    endpoint: cloud.endpoints['AWS_ENDPOINT_URL_DYNAMODB'] ?? '',
    credentials: cloud.credentials,
  })
  await store([
    reportOf('in', 'in-step'),
    reportOf('out', 'out-of-step'),
    reportOf('dark', 'unknown', 0),
    reportOf('bare', 'not-applicable'),
    reportOf('old', 'in-step', 2, { observedAt: '2026-11-01T00:00:00.000Z' }),
  ])
  await store([reportOf('far', 'in-step')], 'us-east-1')
  await storePlaces()
}, 300_000)
afterAll(async () => {
  dynamo?.destroy()
  await cloud?.stop()
  rmSync(folder, { recursive: true })
})

describe('the report of the fleet', () => {
  const object = async (key: string) => {
    const found = await cloud.object('Reports', key)
    return found && { ...found, text: gunzipSync(found.body).toString() }
  }

  test('is written once a day from the records: the page and the document, by date and as the latest', async () => {
    cloud.fire('FleetReportDaily')
    await cloud.idle()
    expect(invocationsOf('FleetReport').at(-1)?.result).not.toHaveProperty('error')
    const date = new Date().toISOString().slice(0, 10).replaceAll('-', '/')
    const document = await object(`reports/${date}/fleet.json`)
    expect([document?.type, document?.encoding]).toEqual(['application/json', 'gzip'])
    const sweep = sweepSchema.parse(JSON.parse(document?.text ?? ''))
    expect(sweep.clusters.map(({ cluster, verdict, nodes }) => [cluster.name, verdict, nodes.length])).toEqual([
      ['out', 'out-of-step', 2],
      ['all clusters of eu-west-1', 'unknown', 0],
      ['dark', 'unknown', 0],
      ['far', 'in-step', 2],
      ['in', 'in-step', 2],
      ['old', 'in-step', 2],
      ['bare', 'not-applicable', 2],
    ])
    const page = await object(`reports/${date}/fleet.html`)
    expect(page?.type).toBe('text/html; charset=utf-8')
    // An account that cannot be listed must not look like one without clusters.
    const [denied] = sweep.clusters.filter(({ cluster }) => cluster.account === '444455556666')
    expect(denied?.findings).toMatchObject([
      { code: 'ACCESS_DENIED', message: expect.stringMatching(/STS does not allow/) },
    ])
    expect(page?.text).toContain('STS does not allow')
    expect(page?.text).toContain('1 of 7 clusters out of step')
    expect(page?.text).toContain('ip-10-0-0-1.eu-west-1.compute.internal')
    expect((await object('reports/latest/fleet.html'))?.text).toBe(page?.text)
    expect((await object('reports/latest/fleet.json'))?.text).toBe(document?.text)
  }, 60_000)

  test('written twice is the same objects: nothing is added', async () => {
    const before = linesOf('fleet report').length
    cloud.fire('FleetReportDaily')
    await cloud.idle()
    expect(linesOf('fleet report')).toHaveLength(before + 1)
    expect(await cloud.messages('FleetReportDeadLetters')).toEqual([])
  }, 60_000)

  test('the fleet is counted every hour, on a line that CloudWatch reads as metrics', async () => {
    cloud.fire('FleetReportHourly')
    await cloud.idle()
    const [line] = linesOf('fleet').slice(-1)
    expect(line).toMatchObject({
      service: 'fleet-report',
      Clusters: 6,
      ClustersInStep: 3,
      ClustersOutOfStep: 1,
      ClustersUnknown: 1,
      ClustersNotApplicable: 1,
      ClustersChanging: 0,
      _aws: { CloudWatchMetrics: [{ Namespace: 'CalicoIpvsSync', Dimensions: [['service']] }] },
    })
    expect(Number(line?.['OldestVerdictSeconds'])).toBeGreaterThan(86_400)
  }, 60_000)

  test('an order that is none is kept as a dead letter', async () => {
    const { result } = await cloud.invoke('FleetReport', { what: 'everything' })
    expect(result).toHaveProperty('error')
  }, 60_000)

  test('a thousand clusters of a hundred nodes have room in its memory and its time', async () => {
    const table = cloud.stack.ofType('AWS::DynamoDB::Table')[0]?.name ?? ''
    for (let from = 0; from < 1_000; from += 25) {
      const puts = Array.from({ length: 25 }, (_, at) => {
        const report = reportOf(`fleet-${from + at}`, at % 9 === 0 ? 'out-of-step' : 'in-step', 100)
        const { observedAt, verdict } = report
        const facts = { observedAt: { S: observedAt }, verdict: { S: verdict }, latest: { S: 'report' } }
        const Key = { cluster: { S: keyOf(report.cluster.name) }, record: { S: 'assessment' } }
        return { PutRequest: { Item: { ...Key, ...facts, ...packed(report) } } }
      })
      await dynamo.send(new BatchWriteItemCommand({ RequestItems: { [table]: puts } }))
    }
    cloud.fire('FleetReportDaily')
    await cloud.idle({ timeoutMilliseconds: 300_000 })
    const { result, peak = 0, duration } = invocationsOf('FleetReport').at(-1) ?? { result: {}, duration: 0 }
    process.stdout.write(`Fleet report of 1,006 clusters: ${Math.round(duration)} ms, ${Math.round(peak)} MB at most\n`)
    expect(result).not.toHaveProperty('error')
    expect(peak).toBeLessThan(1_024)
    expect(linesOf('fleet report').at(-1)).toMatchObject({ clusters: 1_006 })
  }, 600_000)
})

describe('the rule of AWS Config', () => {
  const ask = async (invokingEvent: object, more: object = {}) => {
    const event = {
      resultToken: 'token',
      configRuleName: 'InStep',
      accountId: place.account,
      eventLeftScope: false,
      ...more,
    }
    const { result } = await cloud.invoke('ConfigRule', { ...event, invokingEvent: JSON.stringify(invokingEvent) })
    return result
  }
  const periodic = (notificationCreationTime: string) => ({
    messageType: 'ScheduledNotification',
    notificationCreationTime,
  })
  const item = (name: string, over: object = {}) => ({
    messageType: 'ConfigurationItemChangeNotification',
    configurationItem: {
      configurationItemCaptureTime: '2026-11-29T10:00:00.000Z',
      configurationItemStatus: 'OK',
      resourceType: 'AWS::EKS::Cluster',
      resourceId: name,
      resourceName: name,
      ARN: `arn:aws:eks:eu-west-1:${place.account}:cluster/${name}`,
      ...over,
    },
  })
  const answer = (name: string) => cloud.config.evaluations().find(({ resourceId }) => resourceId === name)

  test.each([
    ['in', 'COMPLIANT', /^Calico is in step/],
    ['out', 'NON_COMPLIANT', /^Calico is out of step with kube-proxy\. RANGE_DIFFERS\./],
    ['dark', 'NON_COMPLIANT', /^It is not known/],
    ['bare', 'NOT_APPLICABLE', /^calico-ipvs-sync is not applicable/],
    ['old', 'NON_COMPLIANT', /^The last evaluation was at 2026-11-01/],
    ['never-seen', 'NOT_APPLICABLE', /has not evaluated this cluster/],
  ])('a change of %s is answered from the records: %s', async (name, compliance, annotation) => {
    expect(await ask(item(name))).not.toHaveProperty('error')
    expect(answer(name)).toMatchObject({ compliance, annotation: expect.stringMatching(annotation) })
    expect(answer(name)?.orderedAt).toBe(Date.parse('2026-11-29T10:00:00.000Z') / 1000)
  })

  test('what was deleted, or has left the scope, is not applicable', async () => {
    await ask(
      item('in', { configurationItemStatus: 'ResourceDeleted', configurationItemCaptureTime: '2026-11-29T10:01:00Z' }),
    )
    expect(answer('in')?.compliance).toBe('NOT_APPLICABLE')
    await ask(item('out', { configurationItemCaptureTime: '2026-11-29T10:01:00Z' }), { eventLeftScope: true })
    expect(answer('out')?.compliance).toBe('NOT_APPLICABLE')
  })

  test('an item too large to be sent is answered by its summary', async () => {
    const { configurationItem } = item('dark', {
      configurationItemCaptureTime: '2026-11-29T10:02:00Z',
      resourceName: null,
    })
    await ask({
      messageType: 'OversizedConfigurationItemChangeNotification',
      configurationItemSummary: configurationItem,
    })
    expect(answer('dark')?.orderedAt).toBe(Date.parse('2026-11-29T10:02:00Z') / 1000)
  })

  test('every period all clusters of its own account and region are answered, a hundred a call; what is no more is not applicable', async () => {
    await ask(item('gone', { configurationItemCaptureTime: '2026-11-29T09:00:00Z' }))
    await store([reportOf('gone', 'in-step')])
    await ask(item('gone', { configurationItemCaptureTime: '2026-11-29T09:30:00Z' }))
    expect(answer('gone')?.compliance).toBe('COMPLIANT')
    const table = cloud.stack.ofType('AWS::DynamoDB::Table')[0]?.name ?? ''
    const Key = { cluster: { S: keyOf('gone') }, record: { S: 'assessment' } }
    await dynamo.send(new DeleteItemCommand({ TableName: table, Key }))
    const before = cloud.config.calls().length
    expect(await ask(periodic('2026-11-29T12:00:00.000Z'))).not.toHaveProperty('error')
    expect(answer('gone')).toMatchObject({
      compliance: 'NOT_APPLICABLE',
      annotation: expect.stringContaining('no longer'),
    })
    expect(answer('in')?.compliance).toBe('COMPLIANT')
    expect(answer('far')).toBeUndefined()
    const calls = cloud.config.calls().slice(before)
    expect(calls.slice(0, -1)).toEqual(Array(calls.length - 1).fill(100))
    expect(calls.reduce((sum, it) => sum + it, 0)).toBe(1_006)
  }, 120_000)

  test('an answer to an earlier event does not replace a later one', async () => {
    await ask(
      item('in', { configurationItemStatus: 'ResourceDeleted', configurationItemCaptureTime: '2026-11-29T11:00:00Z' }),
    )
    expect(answer('in')?.compliance).toBe('COMPLIANT')
  })

  test('what is no event of a rule is an error that says what is missing', async () => {
    const { result } = await cloud.invoke('ConfigRule', { invokingEvent: '{}', resultToken: 't' })
    expect(JSON.stringify(result)).toContain('no event of an AWS Config rule')
  })
})
