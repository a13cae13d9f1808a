import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { EKSClient, UpdateAddonCommand } from '@aws-sdk/client-eks'
import { PublishCommand, SNSClient } from '@aws-sdk/client-sns'
import { type Cloud, startCloud } from '../../../lab/aws/cloud.ts'
import type { Moment } from '../../../lab/aws/moment.ts'
import { synthesized } from '../../flow/assemble.ts'

const place = { account: '111122223333', region: 'eu-west-1' }
const slackWebhookSecretArn = 'arn:aws:secretsmanager:eu-west-1:111122223333:secret:slack-webhook'
// Port 9 is discard: nothing listens there.
const cluster = {
  name: 'far',
  endpoint: 'https://127.0.0.1:9',
  caData: Buffer.from('no certificate').toString('base64'),
  addons: [{ name: 'kube-proxy', version: 'v1.36.1-eksbuild.1', configurationValues: '{"mode":"iptables"}' }],
}

const folder = mkdtempSync(join(tmpdir(), 'lab-aws-'))
let cloud: Cloud
const moments: Moment[] = []
const ofKind = <K extends Moment['kind']>(kind: K) =>
  moments.filter((moment): moment is Extract<Moment, { kind: K }> => moment.kind === kind)

beforeAll(async () => {
  const assemblyDir = await synthesized(folder, {
    env: place,
    emails: ['ops@example.com'],
    slackWebhookSecretArn,
    events: { gapSeconds: 1 },
    // Each notice at once: each is looked at.
    notices: { digest: false },
  })
  cloud = await startCloud({
    ...place,
    assemblyDir,
    timeScale: 0.01,
    eks: { clusters: [cluster], updateMilliseconds: 50 },
    onMoment: (moment) => void moments.push(moment),
  })
  cloud.secrets.put(slackWebhookSecretArn, cloud.slack.webhookUrl)
})
afterAll(async () => {
  await cloud.stop()
  rmSync(folder, { recursive: true })
})

describe('the stack as synthesized, with its functions as bundled', () => {
  test('a change of an add-on is noticed by its rules, and people hear that the cluster cannot be reached', async () => {
    const client = new EKSClient({
      region: place.region,
      endpoint: cloud.endpoints['AWS_ENDPOINT_URL_EKS'] ?? '',
      credentials: cloud.credentials,
    })
    const configurationValues = '{"mode":"ipvs"}'
    await client.send(new UpdateAddonCommand({ clusterName: 'far', addonName: 'kube-proxy', configurationValues }))
    await cloud.idle()
    expect(cloud.faults).toEqual([])
    expect(new Set(ofKind('routed').map(({ target }) => target))).toEqual(new Set(['OnEvent']))
    expect(ofKind('routed').map(({ event }) => event['detail-type'])).toEqual([
      'AWS API Call via CloudTrail',
      'EKS Addon Update Succeeded',
    ])
    expect(ofKind('batch').map(({ queue }) => queue)).toEqual(expect.arrayContaining(['Evaluations', 'SlackNotices']))
    expect(cloud.deliveries).toMatchObject([
      { protocol: 'email', endpoint: 'ops@example.com', message: expect.stringContaining('UNREACHABLE') },
    ])
    expect(cloud.slack.received).toHaveLength(1)
  })

  test('the sweep looks at the same cluster, and nobody is told the same twice', async () => {
    const looks = () => ofKind('batch').filter(({ queue }) => queue === 'Evaluations').length
    const before = looks()
    cloud.fire()
    await cloud.idle()
    expect(looks()).toBeGreaterThan(before)
    expect(cloud.deliveries).toHaveLength(1)
  })

  test('no function failed and no dead letter is left', async () => {
    expect(cloud.invocations.filter(({ result }) => 'error' in result)).toEqual([])
    const queues = cloud.stack.ofType('AWS::SQS::Queue')
    const left = await Promise.all(queues.map(async ({ label }) => [label, await cloud.messages(label)]))
    expect(left.filter(([, messages]) => messages?.length !== 0)).toEqual([])
  })

  test.each([400, 404, 410])(
    'a notice that Slack refuses with %d is kept as a dead letter, not dropped',
    async (status) => {
      const { arn } = cloud.stack.ofType('AWS::SNS::Topic').find(({ label }) => label === 'Notices') ?? {}
      const sns = new SNSClient({
        region: place.region,
        endpoint: cloud.endpoints['AWS_ENDPOINT_URL_SNS'] ?? '',
        credentials: cloud.credentials,
      })
      const kept = async () => (await cloud.messages('SlackNoticesDeadLetters')) ?? []
      const before = (await kept()).length
      cloud.slack.refuse({ status, times: 1 })
      await sns.send(new PublishCommand({ TopicArn: arn, Subject: `refused with ${status}`, Message: 'out of step' }))
      await cloud.idle()
      const after = await kept()
      expect(after).toHaveLength(before + 1)
      expect(after.join()).toContain(`refused with ${status}`)
    },
  )
})
