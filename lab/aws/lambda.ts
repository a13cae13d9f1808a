import { randomUUID } from 'node:crypto'
import { asText, isFields, fieldsOf, numberOf, textOf } from './json.ts'
import type { Keyring } from './keyring.ts'
import { type Environment, startEnvironment } from './lambda-environment.ts'
import type { Result } from './runtime-api.ts'
import type { Resource, Stack } from './template.ts'

export interface LambdaOptions {
  keyring: Keyring
  /** `AWS_ENDPOINT_URL_SQS` and its like: all that a function here has and one in AWS has not. */
  endpoints: Record<string, string>
  /** Processes of one function at most; 2 when absent. A reserved concurrency in the template lowers it. */
  environments?: number
  /** A folder that says by `plan.json` at which request each message's first delivery is killed, and gets a file for each that was. */
  cutShort?: string | undefined
  /** A line a function wrote, mostly JSON. */
  onLog?(label: string, line: string): void
  onInvocation?(invocation: Invocation): void
}

export interface Invocation {
  /** The function's label. */
  name: string
  requestId: string
  /** Milliseconds. `coldStart`: from the start of the process to its readiness; absent when it was warm. */
  duration: number
  coldStart?: number
  /** The most memory its process held meanwhile, in megabytes; absent where it cannot be known. */
  peak?: number
  event: unknown
  result: Result
}

export interface Functions {
  /** By ARN. Resolves also when the function fails: then the result has an `error`. `requestId`: of an earlier try. */
  invoke: (functionArn: string, event: unknown, requestId?: string) => Promise<Invocation>
  /** Invocations under way or waiting for a process. */
  running: () => number
  /** Ends every process of the function of this ARN by SIGKILL, whatever it is doing. Answers how many were in the middle of something. */
  kill: (functionArn: string) => Promise<number>
  stop: () => Promise<void>
}

/** Every function of the template as the bundle that would be deployed, in processes started when first needed. */
export function createFunctions(stack: Stack, options: LambdaOptions): Functions {
  const pools = new Map(
    stack.ofType('AWS::Lambda::Function').map((resource) => [resource.arn, createPool(stack, resource, options)]),
  )
  return {
    invoke: async (functionArn, event, requestId = randomUUID()) => {
      // An alias or version comes after the function's name.
      const pool = pools.get(functionArn.split(':').slice(0, 7).join(':'))
      if (pool === undefined) throw new Error(`The template has no function ${functionArn}`)
      return pool.invoke(event, requestId)
    },
    running: () => [...pools.values()].reduce((sum, pool) => sum + pool.running(), 0),
    kill: async (functionArn) => (await pools.get(functionArn)?.kill()) ?? 0,
    stop: async () => void (await Promise.all([...pools.values()].map((pool) => pool.stop()))),
  }
}

interface Pool {
  invoke: (event: unknown, requestId: string) => Promise<Invocation>
  running: () => number
  kill: () => Promise<number>
  stop: () => Promise<void>
}

function createPool(stack: Stack, resource: Resource, options: LambdaOptions): Pool {
  const { label, properties } = resource
  const limit = Math.min(options.environments ?? 2, numberOf(properties['ReservedConcurrentExecutions']) ?? Infinity)
  const idle: Environment[] = []
  const all = new Set<Environment>()
  const queue: (() => void)[] = []
  let busy = 0
  let stopped = false
  const take = async (): Promise<Environment> => {
    if (stopped) throw new Error('The lab has stopped.')
    const warm = idle.pop()
    if (warm?.alive()) return warm
    const fresh = await startEnvironment(specOf(stack, resource, options))
    all.add(fresh)
    // Stopped while it was being started: nobody else would end it.
    if (stopped) await fresh.stop()
    return fresh
  }
  const run = async (event: unknown, requestId: string): Promise<Invocation> => {
    const environment = await take()
    const warm = environment.initialized() !== undefined
    const { result, milliseconds, peak } = await environment.invoke(requestId, JSON.stringify(event))
    const coldStart = environment.initialized()
    if (environment.alive()) idle.push(environment)
    else all.delete(environment)
    const cold = !warm && coldStart !== undefined
    return {
      name: label,
      requestId,
      duration: milliseconds,
      event,
      result,
      ...(cold && { coldStart }),
      ...(peak !== undefined && { peak }),
    }
  }
  return {
    invoke: async (event, requestId) => {
      if (busy >= limit) await new Promise<void>((free) => queue.push(free))
      else busy += 1
      try {
        const invocation = await run(event, requestId)
        options.onInvocation?.(invocation)
        return invocation
      } finally {
        const next = queue.shift()
        if (next === undefined) busy -= 1
        else next()
      }
    },
    running: () => busy + queue.length,
    kill: async () => {
      const working = busy
      await Promise.all([...all].map((environment) => environment.stop()))
      return working
    },
    stop: async () => {
      stopped = true
      await Promise.all([...all].map((environment) => environment.stop()))
    },
  }
}

function specOf(stack: Stack, resource: Resource, options: LambdaOptions) {
  const { label, properties, arn } = resource
  return {
    code: stack.assetOf(resource),
    functionArn: arn,
    timeoutMilliseconds: (numberOf(properties['Timeout']) ?? 3) * 1000,
    memoryMegabytes: numberOf(properties['MemorySize']) ?? 128,
    variables: {
      ...own(stack, resource, options),
      ...templateVariables(resource),
      ...options.endpoints,
      ...(options.cutShort !== undefined && { LAB_CUT_SHORT: options.cutShort, LAB_FUNCTION: label }),
    },
    onLine: (line: string) => options.onLog?.(label, line),
  }
}

function templateVariables({ properties }: Resource): Record<string, string> {
  const variables = fieldsOf(fieldsOf(properties['Environment'])['Variables'])
  return Object.fromEntries(Object.entries(variables).map(([name, value]) => [name, String(value)]))
}

/** What Lambda itself sets; the credentials are those of the function's role. */
function own({ region }: Stack, { name, properties }: Resource, { keyring }: LambdaOptions): Record<string, string> {
  const credentials = keyring.forRole(String(properties['Role']), name)
  const logging = isFields(properties['LoggingConfig']) ? properties['LoggingConfig'] : {}
  return {
    _HANDLER: String(properties['Handler']),
    AWS_REGION: region,
    AWS_DEFAULT_REGION: region,
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    AWS_SESSION_TOKEN: credentials.sessionToken,
    AWS_EXECUTION_ENV: `AWS_Lambda_${String(properties['Runtime'])}`,
    AWS_LAMBDA_FUNCTION_NAME: name,
    AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: asText(properties['MemorySize'] ?? 128),
    AWS_LAMBDA_INITIALIZATION_TYPE: 'on-demand',
    AWS_LAMBDA_LOG_FORMAT: textOf(logging['LogFormat']) === 'JSON' ? 'JSON' : 'Text',
    // The runtime client does not start without these two.
    AWS_LAMBDA_LOG_GROUP_NAME: textOf(logging['LogGroup']) ?? `/aws/lambda/${name}`,
    AWS_LAMBDA_LOG_STREAM_NAME: `lab/[$LATEST]${randomUUID().replaceAll('-', '')}`,
    LANG: 'en_US.UTF-8',
    TZ: ':UTC',
    PATH: '/usr/local/bin:/usr/bin:/bin',
  }
}
