import { GetSecretValueCommand, type SecretsManagerClient } from '@aws-sdk/client-secrets-manager'
import { needTime, timeLeft } from '../deadline.ts'
import { PermanentError, RetryLaterError } from '../errors.ts'
import { exactTextOf, objectOf, oneLine } from './foreign.ts'

export interface Slack {
  /** Throws `RetryLaterError` where Slack asks to wait or is down, `PermanentError` where it will never take the message. */
  post: (message: SlackMessage) => Promise<void>
}

export interface SlackMessage {
  title: string
  /** Slack's mrkdwn; what comes from outside already escaped (`slackText`). */
  text: string
}

export interface SlackOptions {
  secrets: SecretsManagerClient
  /** The secret is the webhook's address, or JSON with it as `url` or `webhookUrl`. */
  secretArn: string
  fetch?: typeof globalThis.fetch
}

const timeoutMs = 10_000

/** An incoming webhook. Its address is a secret: it stands in no message and no log. */
export function slack({ secrets, secretArn, fetch = globalThis.fetch }: SlackOptions): Slack {
  let address: Promise<string> | undefined
  const webhook = () =>
    (address ??= readWebhook(secrets, secretArn).catch((error: unknown) => {
      address = undefined
      throw error
    }))
  return {
    post: async (message) => {
      const url = await webhook()
      const response = await send(fetch, url, message)
      if (response.ok) return
      const said = oneLine(await response.text().catch(() => ''), 100)
      // A replaced webhook answers 403 or 404: the next message reads the secret again.
      if (response.status < 500 && response.status !== 429) address = undefined
      throw refusal(response, said)
    },
  }
}

async function send(fetch: typeof globalThis.fetch, url: string, message: SlackMessage): Promise<Response> {
  needTime(1_000, 'Slack')
  try {
    const headers = { 'content-type': 'application/json' }
    const signal = AbortSignal.timeout(Math.min(timeoutMs, timeLeft()))
    return await fetch(url, {
      method: 'POST',
      headers,
      body: JSON.stringify(slackBody(message)),
      signal,
      redirect: 'error',
    })
  } catch (error) {
    const { name } = error instanceof Error ? error : { name: 'Error' }
    // Not the error itself: its text may hold the address.
    throw new RetryLaterError(`Slack could not be reached (${name}).`, 30)
  }
}

function refusal({ status, headers }: Response, said: string): Error {
  if (status === 429 || status >= 500) {
    const wait = Number(headers.get('retry-after'))
    return new RetryLaterError(`Slack answered ${status} ${said}`, Number.isFinite(wait) && wait > 0 ? wait : 30)
  }
  return new PermanentError(
    `Slack refused the message with ${status} ${said}. Check the webhook in the secret and that its channel exists.`,
  )
}

async function readWebhook(secrets: SecretsManagerClient, secretArn: string): Promise<string> {
  const { SecretString: text = '' } = await secrets.send(new GetSecretValueCommand({ SecretId: secretArn }))
  const url = webhookIn(text)
  if (url !== undefined && /^https:$|^http:$/.test(new URL(url).protocol)) return url
  throw new PermanentError(
    `The secret ${secretArn} holds no address of a Slack webhook. Put its URL there, plain or as {"url": "…"}.`,
  )
}

function webhookIn(text: string): string | undefined {
  if (URL.canParse(text.trim())) return text.trim()
  try {
    const secret = objectOf(JSON.parse(text))
    const url = exactTextOf(secret['url']) ?? exactTextOf(secret['webhookUrl'])
    return url !== undefined && URL.canParse(url) ? url : undefined
  } catch {
    return undefined
  }
}

/** What Slack gives a meaning of its own (`&`, `<`, `>`), taken as it is. */
export const slackText = (text: string): string =>
  text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;')

const titleAtMost = 150
const sectionAtMost = 3_000
const blocksAtMost = 50

/** Header and sections within Slack's limits: 150 characters, 3,000 a section, 50 blocks. Lines stay whole where they can. */
export function slackBody({ title, text }: SlackMessage) {
  const plain = oneLine(title, titleAtMost)
  const sections = sectionsOf(text)
  const kept = sections.slice(0, blocksAtMost - 2)
  const rest = sections.length > kept.length ? ['… (shortened; the record of the cluster has all of it)'] : []
  return {
    text: slackText(plain),
    unfurl_links: false,
    unfurl_media: false,
    blocks: [
      { type: 'header', text: { type: 'plain_text', text: plain } },
      ...[...kept, ...rest].map((section) => ({
        // As it stands: no links made of addresses, nobody called by a name in it.
        type: 'section',
        text: { type: 'mrkdwn', text: section, verbatim: true },
      })),
    ],
  }
}

function sectionsOf(text: string): string[] {
  const pieces = text.split('\n').flatMap((line) => line.match(/.{1,3000}/gsu) ?? [''])
  const sections: string[] = []
  for (const piece of pieces) {
    const joined = `${sections.at(-1) ?? ''}\n${piece}`
    if (sections.length > 0 && joined.length <= sectionAtMost) sections[sections.length - 1] = joined
    else sections.push(piece)
  }
  return sections.filter((section) => section.trim() !== '')
}
