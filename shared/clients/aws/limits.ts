import { AsyncLocalStorage } from 'node:async_hooks'
import { counted, outOfTime, timeLeft } from '../../deadline.ts'

/**
 * For every client of the SDK: a connection that gets no answer, as in a VPC without a route to the service, fails
 * within seconds. The SDK's default is the time-out of the operating system.
 */
export const limited = {
  requestHandler: { connectionTimeout: 2_000, requestTimeout: 5_000, throwOnRequestTimeout: true },
  maxAttempts: 3,
}

/** The deadline of a call, including retries, throttling and slow answers; the error names the call. */
export const deadlineMs = 10_000

type Call<T> = (options: { abortSignal: AbortSignal }) => Promise<T>

/** The last error of the service within a call, and within the one that it is a part of. */
interface Refused {
  last?: unknown
  whole?: Refused | undefined
}
const refusals = new AsyncLocalStorage<Refused>()

/**
 * Throws if the call has not ended by its deadline or the message's: the service's own error if the call was retried
 * until then, else an error named `TimeoutError`, which names the call.
 */
export const inTime = <T>(what: string, call: Call<T>, ms = deadlineMs): Promise<T> =>
  counted(serviceOf(what), () => within(what, call, ms))

/** `eks:DescribeCluster` is a call of EKS. */
const serviceOf = (what: string): string => what.replace(/^(\w+):.*/, (_, service: string) => service.toUpperCase())

const within = async <T>(what: string, call: Call<T>, allowedMs: number): Promise<T> => {
  const leftMs = timeLeft()
  if (leftMs <= 0) throw outOfTime(what)
  const ms = Math.min(allowedMs, leftMs)
  const given = new AbortController()
  const seen: Refused = { whole: refusals.getStore() }
  let timer: NodeJS.Timeout | undefined
  const lateError = () =>
    ms < allowedMs
      ? outOfTime(what)
      : Object.assign(new Error(`${what} did not answer within ${ms / 1000} s`), { name: 'TimeoutError' })
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      // Between two attempts the SDK does not check the signal.
      reject(seen.last ?? lateError())
      given.abort()
    }, ms)
  })
  const called = refusals.run(seen, () => call({ abortSignal: given.signal }))
  // A result after the deadline is ignored.
  called.catch(() => undefined)
  try {
    return await Promise.race([called, late])
  } finally {
    clearTimeout(timer)
  }
}

interface Client {
  config: { serviceId: string }
  middlewareStack: { add: (...middleware: never[]) => void }
  send: (...call: never[]) => Promise<unknown>
}

type Attempt = (request: object) => Promise<object>

/** Remembers the error of a retried call: "throttled" says more than "too late". */
export const remembering = <C extends Client>(client: C): C => {
  const remember = (attempt: Attempt) => async (request: object) => {
    try {
      return await attempt(request)
    } catch (error) {
      if (isRefusal(error)) for (let call = refusals.getStore(); call; call = call.whole) call.last = error
      throw error
    }
  }
  // Inside of the SDK's retries.
  const within = { step: 'finalizeRequest', priority: 'low', name: 'rememberRefusal' }
  const add = client.middlewareStack.add.bind(client.middlewareStack) as (...middleware: unknown[]) => void
  add(remember, within)
  return client
}

const isRefusal = (error: unknown): boolean =>
  typeof (error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode === 'number'

/** For one call of a function: it makes a dozen of them, and must have time to report that one failed. */
const callMs = 8_000

/** A client with a deadline on every call, also for slow answers, and with the service's name in every error. */
export const bounded = <C extends Client>(client: C, ms = callMs): C => {
  const send = client.send.bind(client) as (...call: unknown[]) => Promise<unknown>
  const { serviceId } = client.config
  const sendInTime = async (command: unknown, options?: object) => {
    try {
      return await inTime(serviceId, (given) => send(command, { ...options, ...given }), ms)
    } catch (error) {
      if (error instanceof Error && !error.message.startsWith(serviceId))
        error.message = `${serviceId}: ${error.name}: ${error.message}`
      throw error
    }
  }
  return Object.assign(remembering(client), { send: sendInTime })
}
