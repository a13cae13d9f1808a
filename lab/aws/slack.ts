import { type Answer, serve } from './endpoint.ts'
import { parseFields } from './json.ts'

export interface SlackMessage {
  at: number
  path: string
  /** As posted: `text`, `blocks`. */
  body: Record<string, unknown>
}

export interface Slack {
  /** An incoming webhook's URL. */
  webhookUrl: string
  /** What arrived and was taken, in order. */
  received: SlackMessage[]
  /** The next calls are answered so, as Slack does with 429 and `Retry-After`. */
  refuse: (answer: { status: number; retryAfter?: number; times: number }) => void
  stop: () => Promise<void>
}

/** A webhook that keeps what it got. */
export async function startSlack(onMessage?: (message: SlackMessage) => void): Promise<Slack> {
  const received: SlackMessage[] = []
  let refusal = { status: 200, times: 0 } as { status: number; retryAfter?: number; times: number }
  const { url, close } = await serve(async ({ path, body }): Promise<Answer> => {
    if (refusal.times > 0) {
      refusal = { ...refusal, times: refusal.times - 1 }
      const headers = refusal.retryAfter === undefined ? {} : { 'retry-after': String(refusal.retryAfter) }
      return { status: refusal.status, headers, body: 'rate_limited' }
    }
    const fields = parseFields(body)
    if (fields === undefined) return { status: 400, body: 'invalid_payload' }
    const message = { at: Date.now(), path, body: fields }
    received.push(message)
    onMessage?.(message)
    return { status: 200, body: 'ok' }
  })
  const webhookUrl = `${url}/services/T00000000/B00000000/LAB`
  return { webhookUrl, received, refuse: (answer) => void (refusal = answer), stop: close }
}
