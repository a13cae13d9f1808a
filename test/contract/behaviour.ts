import type { IncomingHttpHeaders } from 'node:http'
import { request as httpsRequest } from 'node:https'
import type { AuthenticatedUser, LabCluster } from '../../lab/cluster.ts'

/**
 * One thing the tool relies on in an API server. `run` throws where the server behaves otherwise. Behaviours share a
 * cluster, so each keeps to names of its own.
 */
export interface Behaviour {
  name: string
  run: (cluster: LabCluster) => Promise<void>
}

export interface Call {
  body?: unknown
  contentType?: string
  accept?: string
  /** The administrator's unless told; `null` sends none. */
  token?: string | null
}

export interface Reply {
  status: number
  headers: IncomingHttpHeaders
  text: string
  /** The parsed body; undefined where it is not JSON. */
  json: Json
}

/** Bodies are looked into freely here: a behaviour that finds something else fails, which is the point. */
// oxlint-disable-next-line typescript/no-explicit-any
export type Json = any

/** A request whose failure is an answer too. */
export function call(cluster: LabCluster, method: string, path: string, options: Call = {}): Promise<Reply> {
  const { body, contentType = 'application/json', accept, token = cluster.adminToken } = options
  const text = body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body)
  const headers = {
    'user-agent': 'contract/1.0',
    ...(token === null ? {} : { authorization: `Bearer ${token}` }),
    // Node sends the body of a DELETE without its length, unless told.
    ...(text === undefined ? {} : { 'content-type': contentType, 'content-length': Buffer.byteLength(text) }),
    ...(accept === undefined ? {} : { accept }),
  }
  const ca = Buffer.from(cluster.caData, 'base64')
  return new Promise((resolve, reject) => {
    const sent = httpsRequest(new URL(path, cluster.server), { method, headers, ca, agent: false }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('error', reject)
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString()
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text, json: parsed(text) })
      })
    })
    sent.on('error', reject)
    sent.end(text)
  })
}

function parsed(text: string): Json {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

export const merge = (cluster: LabCluster, path: string, body: unknown): Promise<Reply> =>
  call(cluster, 'PATCH', path, { body, contentType: 'application/merge-patch+json' })

/** Waits for something to become true; throws with `what` where it does not within the time. */
/** Tokens that servers under contract accept beside the administrator's, by the group RBAC knows their users by. */
export const tokens: Record<string, AuthenticatedUser> = {
  'token-of-nobody': { username: 'nobody', groups: ['nothing-granted'] },
  'token-of-reader': { username: 'reader', groups: ['contract-readers'] },
  'token-of-namespaced': { username: 'namespaced', groups: ['contract-namespaced'] },
  'token-of-named': { username: 'named', groups: ['contract-named'] },
}

export const authenticate = async (token: string): Promise<AuthenticatedUser | undefined> => tokens[token]
