import { createServer, request as forward, Agent } from 'node:https'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { kubeClient } from '../../../shared/clients/kube/open.ts'
import type { KubeClient } from '../../../shared/clients/kube/client.ts'
import type { LabCluster } from '../../../lab/cluster.ts'
import { sharedCertificate } from '../../../lab/embedded/certificate.ts'
import { listenLocally } from '../../../lab/loopback.ts'

/** What befalls one request on its way to the API server. */
export type Trouble = 'conflict' | 'throttled' | 'server error' | 'dropped before' | 'dropped after' | 'token expires'

export const troubles: Trouble[] = [
  'conflict',
  'throttled',
  'server error',
  'dropped before',
  'dropped after',
  'token expires',
]

export interface Asked {
  method: string
  path: string
}

/** A server of ours in front of the API server, at which requests go wrong. */
export interface Proxy {
  kube: KubeClient
  /** Every request since `plan`. */
  asked: Asked[]
  /** Forgets what was asked; the request of that number, from 0, goes wrong. */
  plan: (trouble?: { at: number; is: Trouble }) => void
  stop: () => Promise<void>
}

const status = (code: number, reason: string, message: string) =>
  JSON.stringify({ kind: 'Status', apiVersion: 'v1', status: 'Failure', code, reason, message })

export const startProxy = async (cluster: LabCluster): Promise<Proxy> => {
  const { certPem, keyPem, caPem } = await sharedCertificate()
  const agent = new Agent({ keepAlive: true, ca: Buffer.from(cluster.caData, 'base64').toString() })
  let asked: Asked[] = []
  let planned: { at: number; is: Trouble } | undefined
  let token = 1
  const answer = (response: ServerResponse, code: number, body: string, headers = {}) =>
    response.writeHead(code, { 'content-type': 'application/json', ...headers }).end(body)
  const pass = (incoming: IncomingMessage, response: ServerResponse, drop: boolean): void => {
    const headers = { ...incoming.headers, authorization: `Bearer ${cluster.adminToken}` }
    const onward = forward(
      new URL(incoming.url ?? '/', cluster.server),
      { method: incoming.method ?? 'GET', headers, agent },
      (answered) => {
        if (drop) {
          answered.resume().once('end', () => incoming.socket.destroy())
          return
        }
        response.writeHead(answered.statusCode ?? 502, answered.headers)
        answered.pipe(response)
      },
    )
    onward.once('error', () => incoming.socket.destroy())
    incoming.pipe(onward)
  }
  const server = createServer({ cert: certPem, key: keyPem, keepAliveTimeout: 60_000 }, (incoming, response) => {
    const is = planned?.at === asked.length ? planned.is : undefined
    asked.push({ method: incoming.method ?? '', path: incoming.url ?? '' })
    if (is === 'token expires') token += 1
    if (incoming.headers.authorization !== `Bearer token-${token}`)
      return void answer(response, 401, status(401, 'Unauthorized', 'Unauthorized'))
    switch (is) {
      case 'conflict':
        return void answer(response, 409, status(409, 'Conflict', 'the object has been modified'))
      case 'throttled':
        return void answer(response, 429, status(429, 'TooManyRequests', 'slow down'), { 'retry-after': '0' })
      case 'server error':
        return void answer(response, 500, status(500, 'InternalError', 'etcdserver: request timed out'))
      case 'dropped before':
        return void incoming.socket.destroy()
      case 'dropped after':
      case 'token expires':
      case undefined:
        pass(incoming, response, is === 'dropped after')
    }
  })
  server.on('tlsClientError', () => undefined)
  const url = `https://127.0.0.1:${await listenLocally(server)}`
  let known = 1
  const kube = kubeClient({
    server: url,
    ca: caPem,
    token: async ({ fresh }) => {
      if (fresh) known = token
      return `token-${known}`
    },
  })
  return {
    kube,
    get asked() {
      return asked
    },
    plan: (trouble) => {
      asked = []
      planned = trouble
    },
    stop: async () => {
      kube.close()
      agent.destroy()
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
