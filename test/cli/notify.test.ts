import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { createKeyring } from '../../lab/aws/keyring.ts'
import { type Queues, startQueues } from '../../lab/aws/queues.ts'
import { type Slack, startSlack } from '../../lab/aws/slack.ts'
import { resolveTemplate } from '../../lab/aws/template.ts'
import type { Delivery } from '../../lab/aws/topics.ts'
import { runHere as run } from './here.ts'

const folder = mkdtempSync(join(tmpdir(), 'notify-'))
const keyring = createKeyring()
const { accessKeyId, secretAccessKey, sessionToken } = keyring.forUser('arn:aws:iam::111122223333:user/operator')
const topic = 'arn:aws:sns:eu-west-1:000000000000:Test-Notices'
const delivered: Delivery[] = []
let queues: Queues
let slack: Slack

beforeAll(async () => {
  slack = await startSlack()
  queues = await startQueues({ region: 'eu-west-1', keyring, onDelivery: (it) => void delivered.push(it) })
  const Subscription = [
    { Protocol: 'email', Endpoint: 'all@example.com' },
    { Protocol: 'email', Endpoint: 'pager@example.com', FilterPolicy: { severity: ['critical'] } },
  ]
  const template = { Resources: { Notices: { Type: 'AWS::SNS::Topic', Properties: { Subscription } } } }
  const at = { account: '111122223333', region: 'eu-west-1', stackName: 'Test', queuesUrl: queues.url }
  await queues.deploy(resolveTemplate({ template, folder: '/tmp', stackName: 'Test' }, at))
})
afterAll(async () => {
  await Promise.all([queues.stop(), slack.stop()])
  rmSync(folder, { recursive: true })
})

const env = () => ({
  AWS_ACCESS_KEY_ID: accessKeyId,
  AWS_SECRET_ACCESS_KEY: secretAccessKey,
  ...(sessionToken && { AWS_SESSION_TOKEN: sessionToken }),
  AWS_ENDPOINT_URL_SNS: queues.url,
})
const fileWith = (text: string): string => {
  const file = join(folder, `${Math.abs(text.length)}.txt`)
  writeFileSync(file, text)
  return file
}

describe('notify --test', () => {
  test('to a topic reaches whoever the conditions let it reach, and says what to check', async () => {
    const { status, stdout, stderr } = await run(['notify', '--test', '--topic', topic], { env: env() })
    expect([status, stderr]).toEqual([0, ''])
    expect(stdout).toContain(`A test notice of severity info was sent to the topic ${topic}`)
    expect(stdout).toContain(
      `1. Subscriptions: aws sns list-subscriptions-by-topic --topic-arn ${topic} --region eu-west-1`,
    )
    expect(delivered.splice(0)).toMatchObject([
      {
        endpoint: 'all@example.com',
        subject: '[info] calico-ipvs-sync: test notice',
        message: expect.stringContaining('Nobody has to act'),
      },
    ])
  })

  test('with a severity tries the routes of that severity, and in the form of Amazon Q its schema', async () => {
    const words = ['notify', '--test', '--topic', topic, '--severity', 'critical', '--format', 'chat', '-o', 'json']
    const { status, stdout } = await run(words, { env: env() })
    expect([status, JSON.parse(stdout)]).toMatchObject([0, { check: expect.any(Array) }])
    const sent = delivered.splice(0)
    expect(sent.map(({ endpoint }) => endpoint).toSorted()).toEqual(['all@example.com', 'pager@example.com'])
    expect(JSON.parse(sent[0]?.message ?? '')).toMatchObject({ version: '1.0', source: 'custom' })
  })

  test('to a webhook posts there and prints nothing of it', async () => {
    const words = ['notify', '--test', '--slack-webhook-file', fileWith(`${slack.webhookUrl}\n`)]
    const { status, stdout, stderr } = await run(words)
    expect(status).toBe(0)
    expect(slack.received).toHaveLength(1)
    expect(`${stdout}${stderr}`).not.toMatch(/T00000000|services/)
  })

  test('with a bot that is not taken says why, exits 2, and prints no token', async () => {
    const secret = JSON.stringify({ botToken: 'xoxb-wrong', apiUrl: slack.bot.apiUrl, channel: 'C024BE91L' })
    const { status, stdout, stderr } = await run(['notify', '--test', '--slack-webhook-file', fileWith(secret)])
    expect([status, stdout]).toEqual([2, ''])
    expect(stderr).toContain('invalid_auth')
    expect(stderr).not.toContain('xoxb')
  })

  test.each([
    [['--topic', topic], /Give --test/],
    [['--test'], /either --topic ARN or --slack-webhook-file FILE/],
    [['--test', '--topic', 'pager'], /not the ARN of a topic/],
    [['--test', '--topic', topic, '--region', 'us-east-1'], /is in eu-west-1, and --region is us-east-1/],
  ])('%j is a wrong command line', async (words, message) => {
    const { status, stderr } = await run(['notify', ...words], { env: env() })
    expect(status).toBe(64)
    expect(stderr).toMatch(message)
  })
})
