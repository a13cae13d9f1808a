import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { heapArguments, watchMemory } from './lambda-memory.ts'
import { type Outcome, startRuntimeApi } from './runtime-api.ts'

const runtimeClient = createRequire(import.meta.url).resolve('aws-lambda-ric')
const rapidClient = join(import.meta.dirname, 'rapid-client.cjs')

export interface EnvironmentSpec {
  /** The folder that would be deployed. */
  code: string
  functionArn: string
  timeoutMilliseconds: number
  memoryMegabytes: number
  /** All of it: nothing of the lab's own environment leaks in. */
  variables: Record<string, string>
  onLine: (line: string) => void
}

/** With the most memory the process held meanwhile, in megabytes, where that can be known. */
export type Ran = Outcome & { peak?: number | undefined }

/** One process that runs one function, an invocation at a time. */
export interface Environment {
  invoke: (requestId: string, payload: string) => Promise<Ran>
  /** Milliseconds from the start of the process to its readiness; undefined until then. */
  initialized: () => number | undefined
  /** False once the process has ended or was told to: it takes no further invocation. */
  alive: () => boolean
  stop: () => Promise<void>
}

/** Starts AWS's runtime client on the code. A process that is late or ends by itself is an error of the invocation under way. */
export async function startEnvironment(spec: EnvironmentSpec): Promise<Environment> {
  const { functionArn, timeoutMilliseconds, memoryMegabytes } = spec
  const onLate = (requestId: string) => {
    const seconds = (timeoutMilliseconds / 1000).toFixed(2)
    api.fail('Sandbox.Timedout', `RequestId: ${requestId} Error: Task timed out after ${seconds} seconds`)
    child.kill('SIGKILL')
  }
  const api = await startRuntimeApi({ functionArn, timeoutMilliseconds, onLate })
  const startedAt = performance.now()
  const child = start(spec, api.address)
  const memory = watchMemory(child.pid, memoryMegabytes, () => {
    api.fail('Runtime.OutOfMemory', 'Error: Runtime exited with error: signal: killed')
    child.kill('SIGKILL')
  })
  const exited = once(child, 'exit').then(() => {
    memory.stop()
    const how = child.signalCode ?? `exit status ${child.exitCode}`
    api.fail('Runtime.ExitError', `Error: Runtime exited with error: ${how}`)
    return api.close()
  })
  const alive = () => child.exitCode === null && child.signalCode === null && !child.killed && !api.initFailed()
  const ended = { errorType: 'Runtime.ExitError', errorMessage: 'Error: Runtime has ended' }
  return {
    invoke: async (requestId, payload) => {
      if (!alive()) return { result: { error: ended }, milliseconds: 0 }
      memory.begin()
      return { ...(await api.invoke(requestId, payload)), peak: memory.peak() }
    },
    initialized: () => {
      const readyAt = api.readyAt()
      return readyAt === undefined ? undefined : readyAt - startedAt
    },
    alive,
    stop: async () => {
      child.kill('SIGKILL')
      await exited
    },
  }
}

function start({ code, variables, memoryMegabytes, onLine }: EnvironmentSpec, runtimeApi: string): ChildProcess {
  const env = { ...variables, LAMBDA_TASK_ROOT: code, AWS_LAMBDA_RUNTIME_API: runtimeApi }
  const words = [...heapArguments(memoryMegabytes), '--require', rapidClient, runtimeClient]
  const child = spawn(process.execPath, words, { cwd: code, env, stdio: 'pipe' })
  // A process that ended takes its end of the pipe with it; that it ended is told by `exit`.
  child.stdin.on('error', () => undefined)
  for (const stream of [child.stdout, child.stderr]) createInterface({ input: stream }).on('line', onLine)
  return child
}
