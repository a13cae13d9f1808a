import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { listenLocally } from '../loopback.ts'
import { close } from './endpoint.ts'
import { type Fields, parseFields } from './json.ts'

export interface RuntimeApiOptions {
  functionArn: string
  timeoutMilliseconds: number
  /** The time for an invocation, or for getting ready for the first one, is over. */
  onLate: (requestId: string) => void
}

/** What an invocation came to: the answer's JSON, or the error that Lambda would report. */
export type Result = { payload: string } | { error: { errorType: string; errorMessage: string } & Fields }

export interface Outcome {
  result: Result
  /** From handing the event over to the answer; 0 where it was never handed over. */
  milliseconds: number
}

/** The Runtime API for one process. https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html */
export interface RuntimeApi {
  /** `127.0.0.1:PORT` */
  address: string
  /** `performance.now()` when the process asked for its first invocation. */
  readyAt: () => number | undefined
  /** The code could not be loaded: the process is about to end. */
  initFailed: () => boolean
  /** Hands the event over as soon as the process asks. One at a time. */
  invoke: (requestId: string, payload: string) => Promise<Outcome>
  /** Ends the invocation under way, if there is one, with an error. */
  fail: (errorType: string, errorMessage: string) => void
  close: () => Promise<void>
}

/** Far above Lambda's ten seconds: a cold start beside a busy build is not what the lab is to find out. */
const initMilliseconds = 60_000

interface Task {
  requestId: string
  payload: string
  handedAt?: number
  resolve: (outcome: Outcome) => void
}

export async function startRuntimeApi(options: RuntimeApiOptions): Promise<RuntimeApi> {
  let task: Task | undefined
  let waiting: ServerResponse | undefined
  let readyAt: number | undefined
  let initFailed = false
  let timer: NodeJS.Timeout | undefined
  const settle = (result: Result) => {
    clearTimeout(timer)
    if (task === undefined) return
    const { handedAt, resolve } = task
    task = undefined
    const milliseconds = handedAt === undefined ? 0 : performance.now() - handedAt
    // A turn later, so that what the function wrote before it answered is read first.
    setImmediate(resolve, { result, milliseconds })
  }
  const hand = () => {
    if (task === undefined || task.handedAt !== undefined || waiting === undefined) return
    task.handedAt = performance.now()
    clearTimeout(timer)
    timer = setTimeout(options.onLate, options.timeoutMilliseconds, task.requestId)
    waiting.writeHead(200, headersOf(task, options)).end(task.payload)
    waiting = undefined
  }
  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    if (request.url?.endsWith('/invocation/next')) {
      readyAt ??= performance.now()
      waiting = response
      return hand()
    }
    const body = await bodyOf(request)
    response.writeHead(202).end('{}')
    initFailed ||= request.url?.endsWith('/init/error') ?? false
    settle(request.url?.endsWith('/response') ? { payload: body } : { error: errorOf(body) })
  }
  const server = createServer((request, response) => void serve(request, response).catch(() => response.destroy()))
  // A function may take minutes, and hears late that its connection was closed meanwhile: its answer would be lost.
  server.keepAliveTimeout = 0
  const port = await listenLocally(server)
  return {
    address: `127.0.0.1:${port}`,
    readyAt: () => readyAt,
    initFailed: () => initFailed,
    invoke: (requestId, payload) =>
      new Promise((resolve) => {
        task = { requestId, payload, resolve }
        timer = setTimeout(options.onLate, initMilliseconds, requestId)
        hand()
      }),
    fail: (errorType, errorMessage) => settle({ error: { errorType, errorMessage } }),
    close: () => close(server),
  }
}

const headersOf = ({ requestId }: Task, { functionArn, timeoutMilliseconds }: RuntimeApiOptions) => ({
  'content-type': 'application/json',
  'lambda-runtime-aws-request-id': requestId,
  'lambda-runtime-deadline-ms': String(Date.now() + timeoutMilliseconds),
  'lambda-runtime-invoked-function-arn': functionArn,
  'lambda-runtime-trace-id': `Root=1-${Math.floor(Date.now() / 1000).toString(16)}-${randomBytes(12).toString('hex')};Sampled=0`,
})

const errorOf = (body: string) => ({ errorType: 'Error', errorMessage: body.slice(0, 500), ...parseFields(body) })

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  request.on('data', (chunk: Buffer) => void chunks.push(chunk))
  await once(request, 'end')
  return Buffer.concat(chunks).toString()
}
