import type { IncomingMessage } from 'node:http'
import { type Agent, request as httpsRequest, type RequestOptions } from 'node:https'
import type { TLSSocket } from 'node:tls'
import { KubeError } from '../../errors.ts'
import { jsonBounds, type Parts } from './json-bounds.ts'
import type { ReadBudget } from './budget.ts'
import type { Proxy } from '../proxy.ts'

/** Limits of one answer, in milliseconds and bytes. */
export interface ExchangeLimits {
  connectMs: number
  /** The time without a byte from the server. */
  idleMs: number
  /** For the whole call including retries, so that a slow server is limited too. */
  deadlineMs: number
  pageBytes: number
}

export interface Exchange {
  agent: Agent
  url: URL
  method: string
  headers: Record<string, string | string[]>
  body?: string
  /** The deadline, as `Date.now()`. */
  until: number
  limits: ExchangeLimits
  /** The budget of the observation that this call is part of. */
  budget?: ReadBudget
  /** Takes a successful body piece by piece instead of keeping it; `false`: enough, hang up. */
  consume?: (piece: Buffer) => boolean
  /**
   * Takes each object in the list of a successful answer as text, as soon as it is there, so that a page is never in memory
   * as text and as objects at once. In the answer's text it is `null`. Throws `KubeError`.
   */
  item?: (text: string) => void
  /** That the agent goes through. */
  proxy?: Proxy
}

export interface Answer {
  status: number
  headers: IncomingMessage['headers']
  text: string
}

/** A connection that broke without an answer: a read is retried. */
export class DroppedError extends KubeError {
  override name = 'DroppedError'
}

/** One request, one answer, bounded in time and size. Throws `KubeError` of kind `unreachable` or `malformed`. */
export function exchange(call: Exchange): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const options: RequestOptions = { agent: call.agent, method: call.method, headers: call.headers }
    const sent = httpsRequest(call.url, options)
    const watch = watchdog(call, (error) => sent.destroy(error))
    const settle = (act: () => void) => {
      watch.stop()
      act()
    }
    sent.on('socket', (socket: TLSSocket) => {
      if (!socket.connecting) return watch.connected()
      return socket.once('secureConnect', watch.connected)
    })
    sent.on('error', (error) => settle(() => reject(broken(error, call))))
    sent.on('response', (response) => {
      collect(response, call, watch.alive).then(
        (answer) => settle(() => resolve(answer)),
        (error: Error) => {
          sent.destroy()
          settle(() => reject(broken(error, call)))
        },
      )
    })
    sent.end(call.body)
  })
}

function collect(response: IncomingMessage, call: Exchange, alive: () => void): Promise<Answer> {
  const status = response.statusCode ?? 0
  const consume = status < 300 ? call.consume : undefined
  const pieces: Buffer[] = []
  const item = status < 300 ? call.item : undefined
  const shape = jsonBounds(item && partsOf(pieces, item))
  const fault = (piece: Buffer): Error | undefined => {
    if (size > call.limits.pageBytes) return tooLarge(call)
    try {
      const misshapen = consume ? undefined : shape(piece)
      return misshapen === undefined ? call.budget?.receive(call.url.pathname, piece.length) : tooMuch(call, misshapen)
    } catch (error) {
      return error instanceof Error ? error : new Error(String(error))
    }
  }
  let size = 0
  return new Promise((resolve, reject) => {
    const finish = () => resolve({ status, headers: response.headers, text: Buffer.concat(pieces).toString('utf8') })
    response.on('data', (piece: Buffer) => {
      alive()
      size += piece.length
      const wrong = fault(piece)
      if (wrong) return reject(wrong)
      if (!consume && !item) pieces.push(piece)
      if (consume?.(piece) === false) {
        finish()
        response.destroy()
      }
    })
    response.on('end', () =>
      response.complete
        ? finish()
        : reject(new DroppedError('unreachable', 'The server closed the connection during its answer.')),
    )
    response.on('error', reject)
    response.on('close', () =>
      reject(new DroppedError('unreachable', 'The server closed the connection during its answer.')),
    )
  })
}

const nothing = Buffer.from('null')

/** One that never ends is missing in the text too, which is then no JSON. */
function partsOf(pieces: Buffer[], take: (text: string) => void): Parts {
  let begun: Buffer[] = []
  return {
    // A copy: a few bytes must not keep the piece that they are of.
    around: (bytes) => void pieces.push(Buffer.from(bytes)),
    item: (bytes, isEnd) => {
      begun.push(bytes)
      if (!isEnd) return
      take(Buffer.concat(begun).toString('utf8'))
      begun = []
      pieces.push(nothing)
    },
  }
}

function watchdog(call: Exchange, end: (error: KubeError) => void) {
  const slow = (text: string) => () => end(new KubeError('unreachable', `${call.url.host} ${text}`))
  const seconds = (ms: number) => `${Math.round(ms / 100) / 10} s`
  const { connectMs, idleMs, deadlineMs } = call.limits
  const over = call.budget && call.until >= call.budget.until && tooSlow(call.budget, call.url.pathname)
  const overall = setTimeout(
    over ? () => end(over) : slow(`did not finish its answer in ${seconds(deadlineMs)}.`),
    Math.max(0, call.until - Date.now()),
  )
  const connecting = setTimeout(slow(`does not take connections (waited ${seconds(connectMs)}).`), connectMs)
  let idle: NodeJS.Timeout | undefined
  const connected = () => {
    clearTimeout(connecting)
    idle ??= setTimeout(slow(`sent nothing for ${seconds(idleMs)}.`), idleMs)
  }
  return {
    connected,
    alive: () => void idle?.refresh(),
    stop: () => [overall, connecting, idle].forEach(clearTimeout),
  }
}

/** The time of the observation is over; this answer was too late. */
export const tooSlow = ({ ms }: ReadBudget, path: string) =>
  new KubeError(
    'unreachable',
    `An observation takes at most ${ms / 1_000} s, and ${path} was not answered in that time.`,
  )

/** The `reason` of this error. */
export const tooLargeReason = 'TooLarge'

const tooMuch = ({ url }: Exchange, what: string) =>
  new KubeError('malformed', `The answer to ${url.pathname} ${what}.`, { reason: tooLargeReason })

const tooLarge = (call: Exchange) => tooMuch(call, `is larger than ${Math.round(call.limits.pageBytes / 2 ** 20)} MiB`)

function broken(error: Error & { code?: string }, { url, proxy }: Exchange): KubeError {
  if (error instanceof KubeError) return error
  const code = error.code ?? ''
  const blamed = proxy?.blamed(error, url)
  if (blamed) return new KubeError('unreachable', blamed)
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN')
    return new KubeError('unreachable', `The name ${url.hostname} cannot be resolved (${code}).`)
  if (code === 'ECONNREFUSED') return new KubeError('unreachable', `Nothing listens at ${url.host} (${code}).`)
  if (code === 'ECONNRESET' || code === 'EPIPE')
    return new DroppedError('unreachable', `${url.host} dropped the connection.`)
  if (/CERT|SIGNED|TLS|SSL|ISSUER|VERIFY|HPE_/.test(code))
    return new KubeError('unreachable', `No trusted connection to ${url.host}: ${error.message} (${code}).`)
  return new KubeError('unreachable', `${url.host} cannot be reached: ${error.message}${code && ` (${code})`}`)
}
