import { type Answer, serve } from './endpoint.ts'
import { parseFields, textOf } from './json.ts'

export interface SlackMessage {
  at: number
  path: string
  /** As posted: `text`, `blocks`; of a bot also `channel`, `thread_ts`. */
  body: Record<string, unknown>
  /** What a bot's message is called from now on. */
  ts?: string
}

export interface Slack {
  /** An incoming webhook's URL. */
  webhookUrl: string
  /** Where `chat.postMessage` is, and the only token it takes. */
  bot: { apiUrl: string; token: string }
  /** What arrived and was taken, in order. */
  received: SlackMessage[]
  /** The next calls are answered so, as Slack does with 429 and `Retry-After`. `error`: in an answer of status 200. */
  refuse: (answer: Refusal) => void
  stop: () => Promise<void>
}

interface Refusal {
  status: number
  retryAfter?: number
  error?: string
  /** In place of Slack's own words. */
  body?: string
  times: number
}

/** Slack's bounds of a message, of which it says `invalid_blocks`. */
const isTooLarge = ({ blocks }: Record<string, unknown>): boolean => {
  const all = Array.isArray(blocks) ? (blocks as { type?: string; text?: { text?: string } }[]) : []
  const most = { header: 150, section: 3_000 } as Record<string, number>
  return all.length > 50 || all.some(({ type = '', text }) => (text?.text ?? '').length > (most[type] ?? Infinity))
}

/** A webhook and a bot that keep what they got. */
export async function startSlack(onMessage?: (message: SlackMessage) => void): Promise<Slack> {
  const received: SlackMessage[] = []
  const token = 'xoxb-lab-0000'
  let refusal: Refusal = { status: 200, times: 0 }
  const { url, close } = await serve(async ({ path, body, headers }): Promise<Answer> => {
    if (refusal.times > 0) {
      refusal = { ...refusal, times: refusal.times - 1 }
      if (refusal.error) return { status: 200, body: JSON.stringify({ ok: false, error: refusal.error }) }
      if (refusal.body !== undefined) return { status: refusal.status, body: refusal.body }
      const wait = refusal.retryAfter === undefined ? {} : { 'retry-after': String(refusal.retryAfter) }
      return { status: refusal.status, headers: wait, body: 'rate_limited' }
    }
    const fields = parseFields(body)
    if (fields === undefined) return { status: 400, body: 'invalid_payload' }
    const isBot = path.startsWith('/api/')
    if (isTooLarge(fields))
      return isBot ? said({ ok: false, error: 'invalid_blocks' }) : { status: 400, body: 'invalid_blocks' }
    if (isBot) {
      const error = botError(path, headers, fields)
      if (error) return said({ ok: false, error })
    }
    const ts = `${1_700_000_000 + received.length}.000100`
    const message = { at: Date.now(), path, body: fields, ...(isBot && { ts }) }
    const thread = textOf(fields['thread_ts'])
    if (thread !== undefined && !received.some((it) => it.ts === thread))
      return said({ ok: false, error: 'thread_not_found' })
    received.push(message)
    onMessage?.(message)
    return isBot ? said({ ok: true, ts, channel: fields['channel'] }) : { status: 200, body: 'ok' }
  })
  const botError = (path: string, headers: Record<string, unknown>, fields: Record<string, unknown>) => {
    if (path !== '/api/chat.postMessage') return 'unknown_method'
    if (headers['authorization'] !== `Bearer ${token}`) return 'invalid_auth'
    return /^[CDG][A-Z0-9]{2,}$/.test(textOf(fields['channel']) ?? '') ? undefined : 'channel_not_found'
  }
  const said = (answer: object): Answer => ({ status: 200, body: JSON.stringify(answer) })
  const webhookUrl = `${url}/services/T00000000/B00000000/LAB`
  return {
    webhookUrl,
    bot: { apiUrl: `${url}/api`, token },
    received,
    refuse: (answer) => void (refusal = answer),
    stop: close,
  }
}
