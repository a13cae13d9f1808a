import type { Context } from 'aws-lambda'

/** One JSON line an event, with the fields that Powertools for AWS Lambda gives its lines. */
export interface Lines {
  /** Of the invocation that the next lines are about. */
  addContext: (context: Context) => void
  info: (message: string, facts: object) => void
  warn: (message: string, facts: object) => void
  error: (message: string, facts: object) => void
}

type Clean = (key: string, value: unknown) => unknown

/** Fields of the line itself, which no fact takes the place of. */
const reserved: readonly string[] = ['level', 'message', 'timestamp', 'service', 'sampling_rate']

/** `clean`: what is written of a value, by the name of its field. */
export const linesOf = (service: string, clean: Clean): Lines => {
  let context: object = {}
  let isCold = true
  const write =
    (level: 'INFO' | 'WARN' | 'ERROR') =>
    (message: string, facts: object): void => {
      const head = { level, message, timestamp: new Date().toISOString(), service, ...context }
      const kept = Object.entries(factsIn(facts)).filter(([key, value]) => !reserved.includes(key) && !isEmpty(value))
      const line = { ...head, sampling_rate: 0, ...traced(), ...Object.fromEntries(kept) }
      const stream = level === 'INFO' ? process.stdout : process.stderr
      stream.write(`${JSON.stringify(line, replacing(clean))}\n`)
    }
  return {
    addContext: (it) => {
      context = contextIn(it, isCold)
      isCold = false
    },
    info: write('INFO'),
    warn: write('WARN'),
    error: write('ERROR'),
  }
}

const isEmpty = (value: unknown): boolean => value === undefined || value === null || value === ''

const factsIn = (facts: object): object => (facts instanceof Error ? { error: facts } : facts)

const contextIn = (it: Context, isCold: boolean): object => ({
  cold_start: isCold && process.env['AWS_LAMBDA_INITIALIZATION_TYPE'] !== 'provisioned-concurrency',
  function_arn: it.invokedFunctionArn,
  function_memory_size: it.memoryLimitInMB,
  function_name: it.functionName,
  function_request_id: it.awsRequestId,
})

/** `Root=1-…;Parent=…` of X-Ray. */
const traced = (): object => {
  const root = /(?:^|;)Root=([^;]+)/.exec(process.env['_X_AMZN_TRACE_ID'] ?? '')?.[1]
  return root === undefined ? {} : { xray_trace_id: root }
}

/** Errors with all that they say; what contains itself is left out there. */
const replacing = (clean: Clean) => {
  const above: unknown[] = []
  return function replaced(this: unknown, key: string, value: unknown): unknown {
    const cleaned = clean(key, value)
    const it = cleaned instanceof Error ? errorIn(cleaned) : cleaned
    if (typeof it === 'bigint') return String(it)
    if (typeof it !== 'object' || it === null) return it
    while (above.length > 0 && above.at(-1) !== this) above.pop()
    if (above.includes(it)) return undefined
    above.push(it)
    return it
  }
}

const errorIn = (error: Error): object => ({
  name: error.name,
  location: /\(([^()]*?:\d+):\d+\)$/m.exec(error.stack ?? '')?.[1] ?? '',
  message: error.message,
  stack: error.stack,
  cause: error.cause,
  ...(error as object),
})
