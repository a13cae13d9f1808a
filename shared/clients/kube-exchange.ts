import type { IncomingMessage } from 'node:http'
import { type Agent, request as httpsRequest, type RequestOptions } from 'node:https'
import type { TLSSocket } from 'node:tls'
import { KubeError } from '../errors.ts'

/** How long and how much one answer may be. Milliseconds, bytes. */
export interface ExchangeLimits {
  connectMs: number
  /** Without a byte from the server. */
  idleMs: number
  /** For the whole call, repetitions included: also a server that drips is bounded. */
  deadlineMs: number
  pageBytes: number
  /** `Date.now()` after which nothing more is asked: bounds a whole observation of a server that drags on. */
  until: number
}

export interface Exchange {
  agent: Agent
  url: URL
  method: string
  headers: Record<string, string>
  body?: string
  /** `Date.now()` by which it must be over. */
  until: number
  limits: ExchangeLimits
  /** Takes a successful body piece by piece instead of keeping it; `false`: enough, hang up. */
  consume?: (piece: Buffer) => boolean
}

export interface Answer {
  status: number
  headers: IncomingMessage['headers']
  text: string
}

/** A connection that broke without an answer: worth a second try where the call was a read. */
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
    sent.on('error', (error) => settle(() => reject(broken(error, call.url))))
    sent.on('response', (response) => {
      collect(response, call, watch.alive).then(
        (answer) => settle(() => resolve(answer)),
        (error: Error) => {
          sent.destroy()
          settle(() => reject(broken(error, call.url)))
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
  let size = 0
  return new Promise((resolve, reject) => {
    const finish = () => resolve({ status, headers: response.headers, text: Buffer.concat(pieces).toString('utf8') })
    response.on('data', (piece: Buffer) => {
      alive()
      size += piece.length
      if (size > call.limits.pageBytes) return reject(tooLarge(call))
      if (!consume) return void pieces.push(piece)
      if (!consume(piece)) {
        finish()
        response.destroy()
      }
    })
    response.on('end', () =>
      response.complete
        ? finish()
        : reject(new DroppedError('unreachable', 'The server hung up in the middle of its answer.')),
    )
    response.on('error', reject)
    response.on('close', () =>
      reject(new DroppedError('unreachable', 'The server hung up in the middle of its answer.')),
    )
  })
}

function watchdog(call: Exchange, end: (error: KubeError) => void) {
  const slow = (text: string) => () => end(new KubeError('unreachable', `${call.url.host} ${text}`))
  const seconds = (ms: number) => `${Math.round(ms / 100) / 10} s`
  const { connectMs, idleMs, deadlineMs } = call.limits
  const overall = setTimeout(
    slow(`did not finish its answer in ${seconds(deadlineMs)}.`),
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

/** `reason` of the error that says so. */
export const tooLargeReason = 'TooLarge'

const tooLarge = ({ url, limits }: Exchange) => {
  const size = `${Math.round(limits.pageBytes / 2 ** 20)} MiB`
  return new KubeError('malformed', `The answer to ${url.pathname} is larger than ${size}.`, { reason: tooLargeReason })
}

function broken(error: Error & { code?: string }, url: URL): KubeError {
  if (error instanceof KubeError) return error
  const code = error.code ?? ''
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN')
    return new KubeError('unreachable', `The name ${url.hostname} cannot be resolved (${code}).`)
  if (code === 'ECONNREFUSED') return new KubeError('unreachable', `Nothing listens at ${url.host} (${code}).`)
  if (code === 'ECONNRESET' || code === 'EPIPE' || error.message === 'socket hang up')
    return new DroppedError('unreachable', `${url.host} dropped the connection.`)
  if (/CERT|SIGNED|TLS|SSL|ISSUER|VERIFY|HPE_/.test(code))
    return new KubeError('unreachable', `No trusted connection to ${url.host}: ${error.message} (${code}).`)
  return new KubeError('unreachable', `${url.host} cannot be reached: ${error.message}${code && ` (${code})`}`)
}
