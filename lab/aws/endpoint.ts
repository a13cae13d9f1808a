import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type IncomingMessage } from 'node:http'
import { listenLocally } from '../loopback.ts'

/** A request with its body read. `path` is raw: AWS logs path labels percent-encoded, so decoding is the handler's choice. */
export interface Request {
  method: string
  path: string
  query: URLSearchParams
  headers: IncomingHttpHeaders
  body: string
}

export interface Answer {
  status: number
  headers?: Record<string, string>
  body: string
}

export interface Endpoint {
  /** `http://127.0.0.1:PORT` */
  url: string
  port: number
  close: () => Promise<void>
}

/** An HTTP server on a port of 127.0.0.1 that the system chooses. A handler that throws is a fault of the lab: 500 with its message. */
export async function serve(handle: (request: Request) => Promise<Answer>): Promise<Endpoint> {
  const server = createServer((incoming, outgoing) => {
    read(incoming)
      .then(handle)
      .catch((error: unknown): Answer => ({ status: 500, body: JSON.stringify({ message: String(error) }) }))
      .then(({ status, headers, body }) => outgoing.writeHead(status, headers).end(body))
      .catch(() => outgoing.destroy())
  })
  // The SDKs keep connections open; Node's default of 5 s would now and then close one just as it is used again.
  server.keepAliveTimeout = 60_000
  const port = await listenLocally(server)
  return { url: `http://127.0.0.1:${port}`, port, close: () => close(server) }
}

async function read(incoming: IncomingMessage): Promise<Request> {
  const chunks: Buffer[] = []
  incoming.on('data', (chunk: Buffer) => void chunks.push(chunk))
  await once(incoming, 'end')
  const [path = '/', query = ''] = (incoming.url ?? '/').split('?', 2)
  return {
    method: incoming.method ?? 'GET',
    path,
    query: new URLSearchParams(query),
    headers: incoming.headers,
    body: Buffer.concat(chunks).toString(),
  }
}

/** Closes with the connections that clients keep alive. */
export function close(server: ReturnType<typeof createServer>): Promise<void> {
  return new Promise((resolve, reject) => {
    // dynalite calls back with null where Node says undefined.
    server.close((error) => (error instanceof Error ? reject(error) : resolve()))
    server.closeAllConnections()
  })
}
