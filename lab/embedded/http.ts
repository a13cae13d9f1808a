import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AuthenticatedUser } from '../cluster.ts'
import { type Answer, handle } from './api.ts'
import type { ApiRequest } from './request.ts'
import type { Context } from './context.ts'
import type { Fault, FaultControl, PlainAnswer, PlainRequest, SeenRequest } from './faults.ts'
import { forbidden, isAllowed } from './rbac.ts'
import { requestInfo, withSelectedName } from './request-info.ts'
import { ApiFailure, unauthorized } from './status.ts'
import { serveWatch } from './watch.ts'

export interface Door {
  context: Context
  faults: FaultControl
  authenticate: (token: string) => Promise<AuthenticatedUser | undefined>
}

const anonymous: AuthenticatedUser = { username: 'system:anonymous', groups: ['system:unauthenticated'] }

/** From socket to answer: faults, authentication, authorisation, the API itself. */
export async function serve(door: Door, incoming: IncomingMessage, response: ServerResponse): Promise<void> {
  const body = await readBody(incoming)
  const { method = 'GET', url = '/' } = incoming
  const seen: SeenRequest = { method, path: url, at: new Date(), userAgent: incoming.headers['user-agent'] ?? '' }
  door.faults.see(seen)
  const faults = door.faults.take(method, url)
  for (const { delay } of faults) if (delay !== undefined) await sleep(delay)
  if (faults.some(({ drop }) => drop === 'before')) return void incoming.socket.destroy()
  const planned = faults.find(({ answer }) => answer !== undefined)?.answer
  const request = faults.reduce<PlainRequest>((sent, { rewriteRequest }) => rewriteRequest?.(sent) ?? sent, {
    method,
    url,
    body,
  })
  const answer = planned === undefined ? await answerTo(door, incoming, request) : plannedAnswer(planned)
  if (faults.some(({ drop }) => drop === 'after')) return void incoming.socket.destroy()
  if (incoming.socket.destroyed) return
  if ('watch' in answer) {
    seen.status = 200
    return serveWatch(door.context, answer.resource, answer.watch, response)
  }
  const given = faults.reduce<PlainAnswer>((last, { rewriteAnswer }) => rewriteAnswer?.(last) ?? last, answer)
  seen.status = given.status
  await send(response, given, faults.find(({ drip }) => drip !== undefined)?.drip)
}

async function answerTo(door: Door, incoming: IncomingMessage, sent: PlainRequest): Promise<Answer> {
  try {
    const user = await userOf(door, incoming.headers.authorization)
    const url = new URL(sent.url, `https://${incoming.headers.host ?? '127.0.0.1'}`)
    const info = requestInfo(sent.method, url)
    const asked = withSelectedName(info, url.searchParams)
    if (!isAllowed(door.context, user, asked)) throw forbidden(user, asked)
    const { accept = '', 'content-type': contentType = '', 'user-agent': userAgent = '' } = incoming.headers
    const request: ApiRequest = { ...sent, url, info, user, accept, contentType, userAgent }
    return handle(door.context, request)
  } catch (error) {
    return failureAnswer(error)
  }
}

function failureAnswer(error: unknown): PlainAnswer {
  if (error instanceof ApiFailure) return { status: error.status.code, body: JSON.stringify(error.status) }
  const message = `Internal error occurred: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`
  return { status: 500, body: JSON.stringify(new ApiFailure(500, 'InternalError', message).status) }
}

async function userOf({ authenticate }: Door, authorization: string | undefined): Promise<AuthenticatedUser> {
  const token = /^Bearer\s+(.+)$/i.exec(authorization ?? '')?.[1]
  if (token === undefined) return anonymous
  const user = await authenticate(token)
  if (user === undefined) throw unauthorized()
  const { username, groups } = user
  return { username, groups: groups.includes('system:authenticated') ? groups : [...groups, 'system:authenticated'] }
}

function plannedAnswer({ status, body, contentType, retryAfter }: NonNullable<Fault['answer']>): PlainAnswer {
  const text = typeof body === 'string' ? body : JSON.stringify(body ?? '')
  return {
    status,
    body: text,
    contentType: contentType ?? (typeof body === 'string' ? 'text/plain; charset=utf-8' : 'application/json'),
    ...(retryAfter === undefined ? {} : { headers: { 'retry-after': String(retryAfter) } }),
  }
}

async function send(response: ServerResponse, answer: PlainAnswer, drip: Fault['drip']): Promise<void> {
  const body = Buffer.from(answer.body)
  response.writeHead(answer.status, {
    'content-type': answer.contentType ?? 'application/json',
    'content-length': body.length,
    'cache-control': 'no-cache, private',
    ...answer.headers,
  })
  if (drip === undefined) return void response.end(body)
  for (let at = 0; at < body.length && !response.destroyed; at += drip.bytes) {
    response.write(body.subarray(at, at + drip.bytes))
    await sleep(drip.every)
  }
  response.end()
}

async function readBody(incoming: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of incoming) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString()
}

const sleep = (milliseconds: number): Promise<void> => new Promise((done) => setTimeout(done, milliseconds))
