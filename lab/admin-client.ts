import { Agent, request as httpsRequest } from 'node:https'
import { setTimeout as sleep } from 'node:timers/promises'
import type { LabCluster } from './cluster.ts'

/** What an API server answered instead of what was asked: `status` and the body's words. */
export interface RequestError extends Error {
  status: number
}

export interface AdminAccess {
  server: string
  caPem: string
  token: string
}

/** Milliseconds. For a moment after it has taken a new kind of resource, an API server answers 429, `storage is (re)initializing`. */
const patience = 10_000

/** `LabCluster.request` over HTTPS. The connections are kept and shared; `close` lets them go. */
export function adminClient({ server, caPem, token }: AdminAccess): {
  request: LabCluster['request']
  close: () => void
} {
  const agent = new Agent({ keepAlive: true, maxSockets: 32, ca: caPem })
  const request: LabCluster['request'] = async (method, path, body, contentType = 'application/json') => {
    const headers = { authorization: `Bearer ${token}`, ...(body === undefined ? {} : { 'content-type': contentType }) }
    const send = () => exchange(new URL(path, server), { method, agent, headers }, body)
    let { status, text } = await send()
    for (const deadline = Date.now() + patience; status === 429 && Date.now() < deadline; ) {
      await sleep(50)
      ;({ status, text } = await send())
    }
    if (status >= 400) throw requestError(status, `${method} ${path}`, text)
    return parsed(text)
  }
  return { request, close: () => agent.destroy() }
}

/** Whether it is that an API server refused with this status. */
export function isStatus(error: unknown, status: number): error is RequestError {
  return error instanceof Error && 'status' in error && error.status === status
}

interface Options {
  method: string
  agent: Agent
  headers: Record<string, string>
}

function exchange(url: URL, options: Options, body: unknown): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const sent = httpsRequest(url, options, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString() }))
      response.on('error', reject)
    })
    sent.setTimeout(60_000, () => sent.destroy(new Error(`no answer from ${url.href} within a minute`)))
    sent.on('error', reject)
    const text = body === undefined ? '' : typeof body === 'string' ? body : JSON.stringify(body)
    // Node gives the body of a DELETE no length by itself.
    if (text !== '') sent.setHeader('content-length', Buffer.byteLength(text))
    sent.end(text)
  })
}

function requestError(status: number, what: string, text: string): RequestError {
  const body = parsed(text)
  const said = typeof body === 'object' && body !== null && 'message' in body ? String(body.message) : text.trim()
  return Object.assign(new Error(`${what}: ${status} ${said}`), { status })
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}
