import type { IncomingMessage, ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import dynalite from 'dynalite'
import { listenLocally } from '../loopback.ts'
import { close } from './endpoint.ts'

export interface Dynamo {
  /** `http://127.0.0.1:PORT` */
  url: string
  stop: () => Promise<void>
}

/** DynamoDB by dynalite, in process: conditional writes and queries; no transactions, and nothing expires. `admit` answers what it refuses. */
export async function startDynamo(
  admit: (request: IncomingMessage, response: ServerResponse) => boolean = () => true,
): Promise<Dynamo> {
  const server = dynalite({ createTableMs: 0 })
  const handlers = server.listeners('request')
  const unanswered = new Set<ServerResponse>()
  let isStopping = false
  server.removeAllListeners('request')
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    if (isStopping) return request.destroy()
    if (!admit(request, response)) return
    unanswered.add(response)
    whenAnswered(response, () => unanswered.delete(response))
    for (const handler of handlers) Reflect.apply(handler, server, [request, response])
    // dynalite throws here as well, where a caller ends before it has said everything.
    request.removeAllListeners('error').on('error', () => unanswered.delete(response))
  })
  return {
    url: `http://127.0.0.1:${await listenLocally(server)}`,
    // Where the tables close in the middle of a request, dynalite throws out of a callback, and the whole process ends.
    stop: async () => {
      isStopping = true
      for (const deadline = Date.now() + 5_000; unanswered.size > 0 && Date.now() < deadline; ) await sleep(5)
      await close(server)
    },
  }
}

/** The caller may be gone long before, so no event of the connection tells when dynalite is through with a request. */
function whenAnswered(response: ServerResponse, tell: () => void): void {
  const end = response.end.bind(response) as (...given: unknown[]) => ServerResponse
  response.end = ((...given: unknown[]) => {
    tell()
    return end(...given)
  }) as ServerResponse['end']
}
