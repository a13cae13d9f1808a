import { GetSecretValueCommand, type SecretsManagerClient } from '@aws-sdk/client-secrets-manager'
import { needTime, timeLeft } from '../deadline.ts'
import type { SlackNotice } from '../domain/notice/slack-form.ts'
import { PermanentError, RetryLaterError } from '../errors.ts'
import { exactTextOf, objectOf, oneLine } from './foreign.ts'
import { slackBody } from './slack-blocks.ts'

export interface Slack {
  /**
   * Throws `RetryLaterError` if Slack throttles or is down, `PermanentError` if Slack will never accept the message.
   */
  post: (notice: SlackNotice) => Promise<void>
}

export interface SlackOptions {
  /** The content of the secret: a webhook's URL, or JSON with it as `url` or `webhookUrl`, or with a `botToken`. */
  secret: () => Promise<string>
  /** The name of the secret in messages. */
  secretName: string
  /** Id of the channel, for a bot. */
  channel?: string | undefined
  /** Stores the first message of each incident; absent: messages have no threads. */
  threads?: Threads | undefined
  fetch?: typeof globalThis.fetch
}

/** The first message of an incident in a channel, under which the others are replies. */
export interface Threads {
  /** `ts`: reply there · `first`: this message starts the thread · `busy`: another message is starting it. */
  find: (incident: string) => Promise<{ ts: string } | 'first' | 'busy'>
  keep: (incident: string, ts: string) => Promise<void>
  /** The first message could not be posted, or was deleted. */
  forget: (incident: string) => Promise<void>
}

/** A secret of Secrets Manager, as text. */
export const secretIn = (secrets: SecretsManagerClient, secretArn: string) => async (): Promise<string> =>
  (await secrets.send(new GetSecretValueCommand({ SecretId: secretArn }))).SecretString ?? ''

const timeoutMs = 10_000

/** A webhook or a bot. URL and token are secrets: they are in no message and no log. */
export function slack(options: SlackOptions): Slack {
  let known: Promise<Entrance> | undefined
  const entrance = () =>
    (known ??= readEntrance(options).catch((error: unknown) => {
      known = undefined
      throw error
    }))
  const forget = () => void (known = undefined)
  return {
    post: async (notice) => {
      const way = await entrance()
      return way.by === 'webhook'
        ? byWebhook(options, way, { notice, forget })
        : byBot(options, way, { notice, forget })
    },
  }
}

type Entrance = { by: 'webhook'; url: string } | { by: 'bot'; url: string; token: string; channel: string }
interface Posting {
  notice: SlackNotice
  /** The content of the secret is invalid: it is read again for the next message. */
  forget: () => void
}

const byWebhook = async (
  { fetch = globalThis.fetch }: SlackOptions,
  { url }: Extract<Entrance, { by: 'webhook' }>,
  { notice, forget }: Posting,
): Promise<void> => {
  const response = await send(fetch, url, { body: slackBody(notice) })
  if (response.ok) {
    const { ok, error } = parsed(await response.text().catch(() => ''))
    if (ok !== false) return
    throw refusalByCode(wordOf(error), forget)
  }
  // A replaced webhook answers 403 or 404.
  if (response.status < 500 && response.status !== 429) forget()
  throw refusalByStatus(response, oneLine(await response.text().catch(() => ''), 100))
}

const byBot = async (
  { fetch = globalThis.fetch, threads }: SlackOptions,
  { url, token, channel }: Extract<Entrance, { by: 'bot' }>,
  { notice, forget }: Posting,
): Promise<void> => {
  const { incident, kind } = notice
  const thread = threads && incident ? await threads.find(incident) : undefined
  if (thread === 'busy') throw new RetryLaterError('The first message of this incident is being posted.', 5)
  const reply = typeof thread === 'object' && {
    thread_ts: thread.ts,
    // The end of a problem and a halt are posted in the channel too.
    reply_broadcast: kind === 'halted' || kind === 'in-step',
  }
  try {
    const ts = await post(fetch, { url, token, body: { channel, ...slackBody(notice), ...reply } })
    if (threads && incident && thread === 'first') await threads.keep(incident, ts)
  } catch (error) {
    const isGone = error instanceof Refused && isThreadGone.test(error.message)
    if (incident && (thread === 'first' || isGone)) await threads?.forget(incident)
    throw error instanceof Refused ? refusalByCode(error.message, forget) : error
  }
}

/** Slack's error code, in an answer with status 200. */
class Refused extends Error {}

const isDown = /^(internal_error|fatal_error|service_unavailable|request_timeout|ratelimited|rate_limited)$/
const isThreadGone = /^(thread_not_found|message_not_found|cannot_reply_to_message)$/

const refusalByCode = (why: string, forget: () => void): Error => {
  if (isDown.test(why)) return new RetryLaterError(`Slack answered ${why}`, 30)
  if (isThreadGone.test(why))
    return new RetryLaterError(`Slack answered ${why}; the next attempt starts a new thread.`, 1)
  forget()
  return new PermanentError(
    `Slack rejected the message: ${why}. Check the bot's token in the secret (scope chat:write), the channel's id, and that the bot is a member of it.`,
  )
}

interface Call {
  url: string
  token: string
  body: object
}

/** Returns the message's `ts`, which identifies it. */
const post = async (fetch: typeof globalThis.fetch, { url, token, body }: Call): Promise<string> => {
  const response = await send(fetch, url, { body, token })
  if (!response.ok) throw refusalByStatus(response, oneLine(await response.text().catch(() => ''), 100))
  const { ok, error, ts } = parsed(await response.text().catch(() => ''))
  if (ok === true && typeof ts === 'string') return ts
  // Broken off, or not Slack's own: said twice is better than not said.
  if (ok !== false) throw new RetryLaterError('Slack answered 200 and nothing that can be read.', 30)
  throw new Refused(wordOf(error))
}

const wordOf = (error: unknown): string => oneLine(exactTextOf(error) ?? 'without saying why', 100)

const send = async (
  fetch: typeof globalThis.fetch,
  url: string,
  { body, token }: { body: object; token?: string },
): Promise<Response> => {
  needTime(1_000, 'Slack')
  try {
    return await fetch(url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json; charset=utf-8',
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
      },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(Math.min(timeoutMs, timeLeft())),
      redirect: 'error',
    })
  } catch (error) {
    const { name } = error instanceof Error ? error : { name: 'Error' }
    // Not the error itself: its text may contain the URL.
    throw new RetryLaterError(`Slack could not be reached (${name}).`, 30)
  }
}

function refusalByStatus({ status, headers }: Response, said: string): Error {
  if (status === 429 || status === 408 || status >= 500) {
    const wait = Number(headers.get('retry-after'))
    return new RetryLaterError(`Slack answered ${status} ${said}`, Number.isFinite(wait) && wait > 0 ? wait : 30)
  }
  return new PermanentError(
    `Slack rejected the message with ${status} ${said}. Check the webhook in the secret and that its channel exists.`,
  )
}

const api = 'https://slack.com/api'

async function readEntrance({ secret, secretName, channel }: SlackOptions): Promise<Entrance> {
  const text = await secret()
  const { url, webhookUrl, botToken, apiUrl, channel: ofSecret } = parsed(text)
  const token = exactTextOf(botToken)
  if (token !== undefined) {
    const to = channel ?? exactTextOf(ofSecret)
    const base = exactTextOf(apiUrl) ?? api
    if (!/^[!-~]+$/.test(token) || to === undefined || !isAddress(base))
      throw new PermanentError(
        `The secret ${secretName} contains a bot's token without a channel: it also needs the id of the channel (\`channel\` of the route).`,
      )
    return { by: 'bot', token, channel: to, url: `${base.replace(/\/$/, '')}/chat.postMessage` }
  }
  const webhook = isAddress(text.trim()) ? text.trim() : (exactTextOf(url) ?? exactTextOf(webhookUrl))
  if (webhook !== undefined && isAddress(webhook)) return { by: 'webhook', url: webhook }
  throw new PermanentError(
    `The secret ${secretName} contains neither the URL of a Slack webhook nor a bot's token. Put the webhook's URL there, plain or as JSON in the field url, or a bot's token as JSON in the field botToken.`,
  )
}

const isAddress = (text: string): boolean => URL.canParse(text) && /^https?:$/.test(new URL(text).protocol)

const parsed = (text: string): Record<string, unknown> => {
  try {
    return objectOf(JSON.parse(text))
  } catch {
    return {}
  }
}
