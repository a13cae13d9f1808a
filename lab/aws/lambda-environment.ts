import { type ChildProcess, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { listenLocally } from '../loopback.ts'
import { close } from './endpoint.ts'
import { type Fields, parseFields } from './json.ts'

const runtimeClient = createRequire(import.meta.url).resolve('aws-lambda-ric')
const rapidClient = join(import.meta.dirname, 'rapid-client.cjs')

/** Far above Lambda's ten seconds: a cold start beside a busy build is not what the lab is to find out. */
const initMilliseconds = 60_000

export interface EnvironmentSpec {
  /** The folder that would be deployed. */
  code: string
  functionArn: string
  timeoutMilliseconds: number
  /** All of it: nothing of the lab's own environment leaks in. */
  variables: Record<string, string>
  onLine: (line: string) => void
}

/** What an invocation came to. */
export type Result = { payload: string } | { error: { errorType: string; errorMessage: string } & Fields }

/** One process that runs one function, an invocation at a time. `initialized`: the milliseconds from its start to its readiness. */
export interface Environment {
  /** `milliseconds`: from handing the event over to the answer; 0 where it was never handed over. */
  invoke: (requestId: string, payload: string) => Promise<{ result: Result; milliseconds: number }>
  initialized: () => number | undefined
  /** False once the process has ended: it takes no further invocation. */
  alive: () => boolean
  stop: () => Promise<void>
}

interface Task {
  requestId: string
  payload: string
  handedAt?: number
  settle: (outcome: { result: Result; milliseconds: number }) => void
}

/** Starts AWS's runtime client on the code, with the Runtime API on a port of its own. */
export async function startEnvironment(spec: EnvironmentSpec): Promise<Environment> {
  let task: Task | undefined
  let waiting: ServerResponse | undefined
  let readyAfter: number | undefined
  let timer: NodeJS.Timeout | undefined
  const settle = (result: Result) => {
    clearTimeout(timer)
    const settled = task
    task = undefined
    settled?.settle({ result, milliseconds: settled.handedAt === undefined ? 0 : performance.now() - settled.handedAt })
  }
  const hand = () => {
    if (task === undefined || waiting === undefined || task.handedAt !== undefined) return
    const { requestId, payload } = task
    task.handedAt = performance.now()
    clearTimeout(timer)
    timer = setTimeout(timeOut, spec.timeoutMilliseconds, requestId)
    waiting.writeHead(200, invocationHeaders(spec, requestId)).end(payload)
    waiting = undefined
  }
  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    const path = request.url?.replace('/2018-06-01/runtime/', '') ?? ''
    if (path === 'invocation/next') {
      readyAfter ??= performance.now() - started
      waiting = response
      return hand()
    }
    const body = await textOf(request)
    response.writeHead(202).end('{}')
    if (path.endsWith('/error')) settle({ error: errorOf(body) })
    else if (path.endsWith('/response')) settle({ payload: body })
  }
  const server = createServer((request, response) => void answer(request, response).catch(() => response.destroy()))
  const port = await listenLocally(server)
  const started = performance.now()
  const child = start(spec, port)
  const timeOut = (requestId: string) => {
    const seconds = (spec.timeoutMilliseconds / 1000).toFixed(2)
    settle({
      error: failure('Sandbox.Timedout', `RequestId: ${requestId} Error: Task timed out after ${seconds} seconds`),
    })
    child.kill('SIGKILL')
  }
  const exited = once(child, 'exit').then(() => {
    const how = child.signalCode ?? `exit status ${child.exitCode}`
    settle({
      error: failure('Runtime.ExitError', `RequestId: ${task?.requestId} Error: Runtime exited with error: ${how}`),
    })
    return close(server)
  })
  return {
    invoke: (requestId, payload) =>
      new Promise((resolve) => {
        task = { requestId, payload, settle: resolve }
        timer = setTimeout(timeOut, initMilliseconds, requestId)
        hand()
      }),
    initialized: () => readyAfter,
    alive: () => child.exitCode === null && child.signalCode === null && !child.killed,
    stop: async () => {
      child.kill('SIGKILL')
      await exited
    },
  }
}

function start(spec: EnvironmentSpec, port: number): ChildProcess {
  const env = { ...spec.variables, LAMBDA_TASK_ROOT: spec.code, AWS_LAMBDA_RUNTIME_API: `127.0.0.1:${port}` }
  const child = spawn(process.execPath, ['--require', rapidClient, runtimeClient], {
    cwd: spec.code,
    env,
    stdio: 'pipe',
  })
  // A process that ended takes its end of the pipe with it; that it ended is told by `exit`.
  child.stdin.on('error', () => undefined)
  for (const stream of [child.stdout, child.stderr]) createInterface({ input: stream }).on('line', spec.onLine)
  return child
}

const invocationHeaders = ({ functionArn, timeoutMilliseconds }: EnvironmentSpec, requestId: string) => ({
  'content-type': 'application/json',
  'lambda-runtime-aws-request-id': requestId,
  'lambda-runtime-deadline-ms': String(Date.now() + timeoutMilliseconds),
  'lambda-runtime-invoked-function-arn': functionArn,
  'lambda-runtime-trace-id': `Root=1-${Math.floor(Date.now() / 1000).toString(16)}-${randomUUID().replaceAll('-', '').slice(0, 24)};Sampled=0`,
})

const failure = (errorType: string, errorMessage: string) => ({ errorType, errorMessage })

const errorOf = (body: string) => ({ ...failure('Error', body.slice(0, 500)), ...parseFields(body) })

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  request.on('data', (chunk: Buffer) => void chunks.push(chunk))
  await once(request, 'end')
  return Buffer.concat(chunks).toString()
}
