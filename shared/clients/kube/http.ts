import type { Agent } from 'node:https'
import { setTimeout as pause } from 'node:timers/promises'
import { counted, outOfTime, timeLeft } from '../../deadline.ts'
import { KubeError } from '../../errors.ts'
import { agentFor, baseOf, type KubeConnection } from './connection.ts'
import { oneLine } from '../foreign.ts'
import { type ReadBudget, budgetOf, type ObservationLimits } from './budget.ts'
import { type Answer, DroppedError, exchange, type ExchangeLimits, tooSlow } from './exchange.ts'
import { refusal, retryAfterIn } from './refusal.ts'
import { loginsIn, ownSecrets } from './own-secrets.ts'
import { takingTurns } from '../concurrency.ts'

export interface KubeRequest {
  method: 'GET' | 'POST' | 'PATCH' | 'DELETE'
  /** `/api/v1/nodes`; names in it already encoded. */
  path: string
  query?: Record<string, string | undefined>
  body?: unknown
  contentType?: string
  accept?: string
  consume?: (piece: Buffer) => boolean
  item?: (item: unknown, index: number) => unknown
}

/** HTTPS to one API server, on which the rest of the client is built. Everything throws `KubeError`. */
export interface KubeHttp {
  calls: () => number
  /** The parsed body. */
  json: (request: KubeRequest) => Promise<unknown>
  /** The parsed body with `null` for each object of its list, and what `item` made of each. */
  list: <T>(request: KubeRequest, item: (item: unknown, index: number) => T) => Promise<{ page: unknown; items: T[] }>
  /** The body goes to `consume`. */
  stream: (request: KubeRequest & Required<Pick<KubeRequest, 'consume'>>) => Promise<void>
  /** A text of the server without the secrets that were sent to it. */
  hide: (text: string) => string
  /** The same connections and call counter for one observation: all reads through it share one budget. */
  within: (look: ObservationLimits) => KubeHttp
  /** Absent: calls share no budget. */
  budget?: ReadBudget
  close: () => void
}

/** Functions and commands pass shorter times: `shared/fleet-access.ts`, `cli/target/request-limits.ts`. */
const defaultLimits: ExchangeLimits = {
  connectMs: 5_000,
  idleMs: 10_000,
  deadlineMs: 30_000,
  // A page of 500 nodes is half of that. Parsing it takes up to fifteen times as much memory for a short time.
  pageBytes: 16 * 2 ** 20,
}

/** The user agent in audit logs: the tool's name and the version of package.json. */
export const userAgent = 'calico-ipvs-sync/0.1.0'

/** Reserved time of a message for recording its end: the record, the next message. */
const spareMs = 6_000

/** Parallel requests: more would only wait because of the server's limits. */
const sockets = 8

export function kubeHttp(connection: KubeConnection, limits: Partial<ExchangeLimits> = {}): KubeHttp {
  const agent = agentFor(connection, sockets)
  const bounds = { ...defaultLimits, ...limits }
  const slots = takingTurns(sockets)
  const { proxy, impersonation } = connection
  const own = ownSecrets(connection.key, connection.cert, ...loginsIn(connection.server))
  let calls = 0

  const once = async (request: KubeRequest, { until, fresh, budget }: Attempt): Promise<Listed> => {
    const token = await tokenOf(connection, fresh)
    own.learn(token)
    calls += 1
    const { method, consume, item } = request
    const items: unknown[] = []
    const body = request.body === undefined ? {} : { body: JSON.stringify(request.body) }
    const headers = { ...headersOf(request, token, body.body), ...impersonation }
    const answer = await exchange({
      agent,
      url: urlOf(baseOf(connection.server), request),
      method,
      headers,
      until,
      limits: bounds,
      ...body,
      ...(consume && { consume }),
      ...(item && {
        item: (text) => void items.push(item(parsed({ status: 200, text: own.hide(text) }, request), items.length)),
      }),
      ...(budget && { budget }),
      ...(proxy && { proxy }),
    })
    return { ...answer, text: own.hide(answer.text), items }
  }

  const attempt = async (request: KubeRequest, budget: ReadBudget | undefined): Promise<Listed> => {
    const until =
      Date.now() + Math.min(bounds.deadlineMs, timeLeft() - spareMs, (budget?.until ?? Infinity) - Date.now())
    if (budget && Date.now() >= budget.until) throw tooSlow(budget, request.path)
    if (Date.now() >= until) throw outOfTime(`the Kubernetes API (${request.path})`)
    const reading = request.method === 'GET'
    const left = { reconnects: reading ? 1 : 0, tokens: connection.token ? 1 : 0, waits: 3 }
    let fresh = false
    for (;;) {
      const answer = await once(request, { until, fresh, budget }).catch((error: unknown) => {
        // No answer: a read is retried, but a write may have been applied.
        if (error instanceof DroppedError && left.reconnects > 0) return undefined
        throw error
      })
      if (!answer) {
        left.reconnects -= 1
        hangUpIdle(agent)
      } else if (answer.status < 300) return answer
      else if (answer.status === 401 && left.tokens > 0) {
        left.tokens -= 1
        fresh = true
      } else {
        const wait = waitOf(answer, reading)
        if (wait === undefined || left.waits === 0 || Date.now() + wait >= until) throw refusal(answer)
        left.waits -= 1
        await pause(wait)
      }
    }
  }

  const view = (budget?: ReadBudget): KubeHttp => {
    const send = (request: KubeRequest): Promise<Listed> =>
      slots(() => counted('the Kubernetes API', () => attempt(request, budget)))
    return {
      calls: () => calls,
      hide: own.hide,
      json: async (request) => parsed(await send(request), request),
      list: async <T>(request: KubeRequest, item: (item: unknown, index: number) => T) => {
        const answer = await send({ ...request, item })
        return { page: parsed(answer, request), items: answer.items as T[] }
      },
      stream: async (request) => void (await send(request)),
      within: (look) => view(budgetOf(look)),
      ...(budget && { budget }),
      close: () => agent.destroy(),
    }
  }
  return view()
}

interface Listed extends Answer {
  items: unknown[]
}

interface Attempt {
  /** The deadline, as `Date.now()`. */
  until: number
  /** A new token, not a cached one. */
  fresh: boolean
  budget: ReadBudget | undefined
}

/** If one idle connection is dead, the others are too: after a function was frozen, all of them are closed. */
function hangUpIdle({ freeSockets }: Agent): void {
  for (const socket of Object.values(freeSockets).flat()) socket?.destroy()
}

async function tokenOf({ token }: KubeConnection, fresh: boolean): Promise<string | undefined> {
  try {
    return await token?.({ fresh })
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    throw new KubeError('unauthenticated', `No token for the API server: ${oneLine(why)}`)
  }
}

function urlOf(base: URL, { path, query = {} }: KubeRequest): URL {
  const url = new URL(base)
  url.pathname = `${base.pathname.replace(/\/$/, '')}${path}`
  for (const [name, value] of Object.entries(query)) if (value !== undefined) url.searchParams.set(name, value)
  return url
}

function headersOf(request: KubeRequest, token: string | undefined, body: string | undefined): Record<string, string> {
  return {
    accept: request.accept ?? 'application/json',
    'user-agent': userAgent,
    ...(token !== undefined && { authorization: `Bearer ${token}` }),
    ...(body !== undefined && {
      'content-type': request.contentType ?? 'application/json',
      'content-length': String(Buffer.byteLength(body)),
    }),
  }
}

/**
 * Milliseconds after which the server allows a retry. A write is retried only if it was rejected (429), never if it
 * may have been applied.
 */
function waitOf({ status, headers }: Answer, reading: boolean): number | undefined {
  const asked = status === 429 || (status === 503 && reading) ? retryAfterIn(headers) : undefined
  // A server that throttles and does not say for how long.
  const seconds = asked ?? (status === 429 ? 1 : undefined)
  return seconds === undefined ? undefined : seconds * 1_000
}

function parsed({ status, text }: Pick<Answer, 'status' | 'text'>, { path }: KubeRequest): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new KubeError('malformed', `The answer to ${path} is not JSON: ${oneLine(text, 80)}`, { status })
  }
}
