import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager'
import { mockClient } from 'aws-sdk-client-mock'
import { type Slack as Webhook, startSlack } from '../../lab/aws/slack.ts'
import { slackBody } from '../../shared/clients/slack-blocks.ts'
import { slackNoticeIn } from '../../shared/clients/slack-notice.ts'
import { secretIn, slack, type Threads } from '../../shared/clients/slack.ts'
import type { SlackNotice } from '../../shared/domain/notice/slack-form.ts'

const secrets = mockClient(SecretsManagerClient)
const secretArn = 'arn:aws:secretsmanager:eu-west-1:111122223333:secret:slack'
const options = {
  secret: secretIn(new SecretsManagerClient({ region: 'eu-west-1' }), secretArn),
  secretName: secretArn,
}
const message: SlackNotice = {
  schemaVersion: 1,
  subject: 'prod is out of step',
  text: 'why',
  severity: 'critical',
  kind: 'trouble',
  links: [],
}
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

  test.each([
    '',
    '{}',
    'not an address',
    '{"url":"file:///etc/passwd"}',
    '{"botToken":"xoxb-1"}',
    '{"botToken":"a\\nb","channel":"C1"}',
  ])('that the secret does not hold (%j) is for people to fix', async (secret) => {
    secrets.on(GetSecretValueCommand).resolves({ SecretString: secret })
    expect(await failureOf(slack(options).post(message))).toMatchObject({ name: 'PermanentError' })
  })
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

  test.each([
    [{ status: 408 }, 'RetryLaterError'],
    [{ status: 200, error: 'no_service' }, 'PermanentError'],
    [{ status: 200, error: 'rate_limited' }, 'RetryLaterError'],
  ])('saying no in any form (%j) is not taken for yes', async (answer, name) => {
    webhook.refuse({ ...answer, times: 1 })
    expect(await failureOf(slack(options).post(message))).toMatchObject({ name })
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

describe('a bot', () => {
  /** Threads in memory, as the records keep them. */
  const memory = (): Threads & { known: Map<string, string> } => {
    const known = new Map<string, string>()
    return {
      known,
      find: async (incident) => {
        const ts = known.get(incident)
        if (ts === undefined) return known.set(incident, ''), 'first'
        return ts === '' ? 'busy' : { ts }
      },
      keep: async (incident, ts) => void known.set(incident, ts),
      forget: async (incident) => void known.delete(incident),
    }
  }
  const incident = 'f00d'
  const bot = (threads = memory(), more: object = {}) => {
    const { apiUrl, token: botToken } = webhook.bot
    secrets.on(GetSecretValueCommand).resolves({ SecretString: JSON.stringify({ botToken, apiUrl, ...more }) })
    return slack({ ...options, channel: 'C024BE91L', threads })
  }

  test('replies under the first message of an incident, and shows its end in the channel too', async () => {
    const client = bot()
    await client.post({ ...message, incident })
    await client.post({ ...message, incident, kind: 'progress' })
    await client.post({ ...message, incident, kind: 'in-step' })
    await client.post({ ...message, incident: 'beef' })
    await client.post(message)
    const [first] = webhook.received
    expect(webhook.received.map(({ body }) => [body['thread_ts'], body['reply_broadcast']])).toEqual([
      [undefined, undefined],
      [first?.ts, false],
      [first?.ts, true],
      [undefined, undefined],
      [undefined, undefined],
    ])
    expect(webhook.received.every(({ path }) => path === '/api/chat.postMessage')).toBe(true)
  })

  test('waits where another is just posting the first', async () => {
    const threads = memory()
    await threads.find(incident)
    expect(await failureOf(bot(threads).post({ ...message, incident }))).toMatchObject({
      name: 'RetryLaterError',
      retryAfterSeconds: 5,
    })
    expect(webhook.received).toEqual([])
  })

  test('begins again where the thread is gone', async () => {
    const threads = memory()
    threads.known.set(incident, '1.2')
    const client = bot(threads)
    expect(await failureOf(client.post({ ...message, incident }))).toMatchObject({ name: 'RetryLaterError' })
    await client.post({ ...message, incident })
    expect(webhook.received.map(({ body }) => body['thread_ts'])).toEqual([undefined])
    expect(threads.known.get(incident)).toBe(webhook.received[0]?.ts)
  })

  test.each([
    [
      { status: 429, retryAfter: 9, times: 1 },
      { name: 'RetryLaterError', retryAfterSeconds: 9 },
    ],
    [
      { status: 200, error: 'ratelimited', times: 1 },
      { name: 'RetryLaterError', retryAfterSeconds: 30 },
    ],
    [{ status: 200, error: 'internal_error', times: 1 }, { name: 'RetryLaterError' }],
    [
      { status: 200, error: 'not_in_channel', times: 1 },
      { name: 'PermanentError', message: expect.stringContaining('not_in_channel') },
    ],
    [{ status: 200, error: 'invalid_blocks', times: 1 }, { name: 'PermanentError' }],
  ])(
    'that is refused with %j ends as Slack means it, and the next message begins the thread',
    async (refusal, expected) => {
      const client = bot()
      webhook.refuse(refusal)
      expect(await failureOf(client.post({ ...message, incident }))).toMatchObject(expected)
      await client.post({ ...message, incident })
      expect(webhook.received).toHaveLength(1)
    },
  )

  test.each(['', '{"ok":', '<html>sign in</html>'])(
    'that gets an answer of status 200 that is not whole, or not Slack’s (%j), says it again later',
    async (body) => {
      const client = bot()
      webhook.refuse({ status: 200, body, times: 1 })
      expect(await failureOf(client.post({ ...message, incident }))).toMatchObject({ name: 'RetryLaterError' })
      await client.post({ ...message, incident })
      expect(webhook.received).toHaveLength(1)
    },
  )

  test('with a token that is not taken is for people to fix, and the token is in no error', async () => {
    const failure = await failureOf(bot(memory(), { botToken: 'xoxb-wrong' }).post(message))
    expect(failure).toMatchObject({ name: 'PermanentError', message: expect.stringContaining('invalid_auth') })
    expect(`${failure.message} ${failure.stack}`).not.toContain('xoxb')
  })
})

describe('a message', () => {
  const bodyOf = (over: Partial<SlackNotice>) => slackBody({ ...message, ...over })
  const sections = (over: Partial<SlackNotice>) =>
    bodyOf(over).blocks.flatMap((it) => (it.type === 'section' ? [it.text.text] : []))

  test('stays within Slack’s limits: 150 characters of header, 3000 a section, 50 blocks, 13000 in all', () => {
    const long = Array.from({ length: 4_000 }, (_, index) => `line ${index} ${'<&>'.repeat(20)}`).join('\n')
    const { blocks } = bodyOf({ subject: 't'.repeat(200), text: long })
    expect(blocks.length).toBeLessThanOrEqual(50)
    expect(blocks[0]).toMatchObject({ text: { text: expect.stringMatching(/^t{149}…$/) } })
    const texts = sections({ text: long })
    for (const text of texts) expect(text.length).toBeLessThanOrEqual(3_000)
    expect(texts.join('').length).toBeLessThan(13_000)
    expect(texts.at(-1)).toContain('shortened')
    const many = sections({ text: Array.from({ length: 200 }, () => 'x'.repeat(2_999)).join('\n') })
    expect(many.length).toBeLessThanOrEqual(46)
  })

  test('of several lines keeps them whole and in order', () => {
    const lines = Array.from({ length: 100 }, (_, index) => `${index}: ${'y'.repeat(90)}`)
    const kept = sections({ text: lines.join('\n') })
    expect(kept.length).toBeGreaterThan(1)
    expect(kept.join('\n').split('\n')).toEqual(lines)
  })

  test('of one endless line is cut into sections', () => {
    expect(sections({ text: 'z'.repeat(7_000) }).map(({ length }) => length)).toEqual([3_000, 3_000, 1_000])
  })

  test('calls nobody by a name from outside', () => {
    expect(bodyOf({ subject: '<!channel> & co' })).toMatchObject({ text: '&lt;!channel&gt; &amp; co' })
    expect(sections({ text: '<!here>' })).toEqual(['&lt;!here&gt;'])
  })

  test('has commands as code, in which Slack takes no pair of * or _ or ~ for formatting', () => {
    const step = `kubectl get pods -l 'a in (*b*)' -o jsonpath='{._x_}' && echo <~c~>`
    expect(sections({ text: `What to do:\n1. ${step}\n2. See _this_ and */prod of my_cluster.` })).toEqual([
      `What to do:\n1. \`${step.replace('&&', '&amp;&amp;').replace('<~c~>', '&lt;~c~&gt;')}\`\n2. See \`_this_\` and \`*/prod\` of my_cluster.`,
    ])
  })

  test('has a manifest in one block with its command, and no half of a mark or of an escape where it is cut', () => {
    const manifest = ["kubectl apply -f - <<'EOF'", 'kind: A', '  b: "*"', 'EOF']
    expect(sections({ text: `1. ${manifest.join('\n')}\nthen wait` })).toEqual([
      `1.\n\`\`\`\n${manifest.join('\n').replaceAll('<', '&lt;')}\n\`\`\`\nthen wait`,
    ])
    const long = sections({ text: ['echo', 'kubectl', 'a'].map((word) => `${word} ${'&'.repeat(700)}`).join('\n') })
    for (const text of long) {
      expect(text.length).toBeLessThanOrEqual(3_000)
      expect(text).toMatch(/^(?:`?(?:echo|kubectl|a)? ?(?:&amp;)+`?\n?)+$/)
      expect((text.match(/`/g) ?? []).length % 2).toBe(0)
    }
  })

  test('ends with its severity as a sign, its links, since when, and its incident, by which webhooks’ messages are found together', () => {
    const links = [{ label: 'Runbook', url: 'https://docs.example.com/a?b=1&c=2' }]
    const { blocks } = bodyOf({ links, since: '2026-11-20T10:00:00Z', incident: '0123456789abcdef' })
    expect(blocks.at(-1)).toMatchObject({
      type: 'context',
      elements: [
        {
          text: ':red_circle:  ·  <https://docs.example.com/a?b=1&amp;c=2|Runbook>  ·  since 2026-11-20T10:00:00Z  ·  incident 01234567',
        },
      ],
    })
  })

  test('that is none of ours is shown as the text it is', () => {
    expect(slackNoticeIn('subject', 'plain')).toMatchObject({ subject: 'subject', text: 'plain', severity: 'info' })
    const evil = { ...message, links: [{ label: 'x', url: 'javascript:alert(1)' }] }
    expect(slackNoticeIn('subject', JSON.stringify(evil)).links).toEqual([])
    expect(slackNoticeIn('subject', JSON.stringify(message))).toEqual(message)
  })
})
