import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager'
import { mockClient } from 'aws-sdk-client-mock'
import { type Slack as Webhook, startSlack } from '../../lab/aws/slack.ts'
import { slack, slackBody, slackText } from '../../shared/clients/slack.ts'

const secrets = mockClient(SecretsManagerClient)
const secretArn = 'arn:aws:secretsmanager:eu-west-1:111122223333:secret:slack'
const options = { secrets: new SecretsManagerClient({ region: 'eu-west-1' }), secretArn }
const message = { title: 'prod is out of step', text: 'why' }
let webhook: Webhook

beforeEach(async () => {
  webhook = await startSlack()
  secrets.reset()
  secrets.on(GetSecretValueCommand).resolves({ SecretString: webhook.webhookUrl })
})
afterEach(() => webhook.stop())

const failureOf = async (posted: Promise<void>): Promise<Error> => {
  const failure: unknown = await posted.then(
    () => undefined,
    (error: unknown) => error,
  )
  if (failure instanceof Error) return failure
  throw new Error('it was posted')
}

describe('the webhook', () => {
  test('is read once and posted to', async () => {
    const client = slack(options)
    await client.post(message)
    await client.post(message)
    expect(webhook.received).toHaveLength(2)
    expect(webhook.received[0]?.body).toMatchObject({ text: 'prod is out of step' })
    expect(secrets.commandCalls(GetSecretValueCommand)).toHaveLength(1)
  })

  test.each([
    ['with line ends around it', (url: string) => `\n${url}\n`],
    ['as url in JSON', (url: string) => JSON.stringify({ url })],
    ['as webhookUrl in JSON', (url: string) => JSON.stringify({ webhookUrl: url })],
  ])('may stand in the secret %s', async (_, secret) => {
    secrets.on(GetSecretValueCommand).resolves({ SecretString: secret(webhook.webhookUrl) })
    await slack(options).post(message)
    expect(webhook.received).toHaveLength(1)
  })

  test.each(['', '{}', 'not an address', '{"url":"file:///etc/passwd"}'])(
    'that the secret does not hold (%j) is for people to fix',
    async (secret) => {
      secrets.on(GetSecretValueCommand).resolves({ SecretString: secret })
      expect(await failureOf(slack(options).post(message))).toMatchObject({ name: 'PermanentError' })
    },
  )
})

describe('Slack', () => {
  test('asking to wait is waited for as long as it says', async () => {
    webhook.refuse({ status: 429, retryAfter: 17, times: 1 })
    expect(await failureOf(slack(options).post(message))).toMatchObject({
      name: 'RetryLaterError',
      retryAfterSeconds: 17,
    })
  })

  test('being down is tried again later', async () => {
    webhook.refuse({ status: 503, times: 1 })
    expect(await failureOf(slack(options).post(message))).toMatchObject({
      name: 'RetryLaterError',
      retryAfterSeconds: 30,
    })
  })

  test('refusing for good is told once, and the secret read again for the next message', async () => {
    webhook.refuse({ status: 404, times: 1 })
    const client = slack(options)
    expect(await failureOf(client.post(message))).toMatchObject({ name: 'PermanentError' })
    await client.post(message)
    expect(secrets.commandCalls(GetSecretValueCommand)).toHaveLength(2)
  })

  test('that cannot be reached is tried again, and its secret address is in no error', async () => {
    await webhook.stop()
    const failure = await failureOf(slack(options).post(message))
    expect(failure).toMatchObject({ name: 'RetryLaterError' })
    expect(`${failure.message} ${failure.stack} ${JSON.stringify(failure)} ${String(failure.cause)}`).not.toContain(
      'T00000000',
    )
  })
})

describe('a message', () => {
  const texts = (body: ReturnType<typeof slackBody>) => body.blocks.map(({ text }) => text.text)

  test('stays within Slack’s limits: 150 characters of header, 3000 a section, 50 blocks', () => {
    const long = Array.from({ length: 4_000 }, (_, index) => `line ${index} ${'x'.repeat(60)}`).join('\n')
    const body = slackBody({ title: 't'.repeat(200), text: long })
    expect(body.blocks).toHaveLength(50)
    expect(texts(body)[0]).toHaveLength(150)
    for (const text of texts(body).slice(1)) expect(text.length).toBeLessThanOrEqual(3_000)
    expect(texts(body).at(-1)).toContain('shortened')
  })

  test('of several lines keeps them whole and in order', () => {
    const lines = Array.from({ length: 100 }, (_, index) => `${index}: ${'y'.repeat(90)}`)
    const sections = texts(slackBody({ title: 't', text: lines.join('\n') })).slice(1)
    expect(sections.length).toBeGreaterThan(1)
    expect(sections.join('\n').split('\n')).toEqual(lines)
  })

  test('of one endless line is cut into sections', () => {
    expect(
      texts(slackBody({ title: 't', text: 'z'.repeat(7_000) }))
        .slice(1)
        .map(({ length }) => length),
    ).toEqual([3_000, 3_000, 1_000])
  })

  test('calls nobody by a name from outside', () => {
    expect(slackText('<!channel> & co')).toBe('&lt;!channel&gt; &amp; co')
    expect(slackBody({ title: '<!channel>', text: '' }).text).toBe('&lt;!channel&gt;')
  })
})
