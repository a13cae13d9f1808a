import { AsyncLocalStorage } from 'node:async_hooks'
import { counted, outOfTime, timeLeft } from '../../deadline.ts'

/**
 * For every client of the SDK: an address that nobody answers, as in a VPC without a way to the service, is known within
 * seconds. The SDK's own default waits for as long as the operating system does.
 */
export const limited = {
  requestHandler: { connectionTimeout: 2_000, requestTimeout: 5_000, throwOnRequestTimeout: true },
  maxAttempts: 3,
}

/** Retries, throttling and slow answers together: then the call is given up, and which one it was is known. */
export const deadlineMs = 10_000

type Call<T> = (options: { abortSignal: AbortSignal }) => Promise<T>

/** What the service refused last within the call that is under way. */
const refusals = new AsyncLocalStorage<{ last?: unknown }>()

/**
 * Throws where the call has not ended by its deadline or the message's: the service's own refusal where it was tried again
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
  const seen: { last?: unknown } = {}
  let timer: NodeJS.Timeout | undefined
  const lateError = () =>
    ms < allowedMs
      ? outOfTime(what)
      : Object.assign(new Error(`${what} did not answer within ${ms / 1000} s`), { name: 'TimeoutError' })
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      // Between two attempts the SDK does not look at the signal.
      reject(seen.last ?? lateError())
      given.abort()
    }, ms)
  })
  const called = refusals.run(seen, () => call({ abortSignal: given.signal }))
  // What comes after the deadline is nobody's any more.
  called.catch(() => undefined)
  try {
    return await Promise.race([called, late])
  } finally {
    clearTimeout(timer)
  }
}

/** As far as it matters here. */
interface Client {
  config: { serviceId: string }
  middlewareStack: { add: (...middleware: never[]) => void }
  send: (...call: never[]) => Promise<unknown>
}

type Attempt = (request: object) => Promise<object>

/** The client remembers within a call with a deadline what was refused, and tried again: that it was throttled is more than that it was late. */
export const remembering = <C extends Client>(client: C): C => {
  const remember = (attempt: Attempt) => async (request: object) => {
    try {
      return await attempt(request)
    } catch (error) {
      const seen = refusals.getStore()
      if (seen && isRefusal(error)) seen.last = error
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

/** Of one call of a service that a function works with: it makes a dozen of them, and must still say that one failed. */
const callMs = 8_000

/** The client with a deadline on every call, also where the answer drips, and with the service's name in every error. */
export const bounded = <C extends Client>(client: C): C => {
  const send = client.send.bind(client) as (...call: unknown[]) => Promise<unknown>
  const { serviceId } = client.config
  const sendInTime = async (command: unknown, options?: object) => {
    try {
      return await inTime(serviceId, (given) => send(command, { ...options, ...given }), callMs)
    } catch (error) {
      if (error instanceof Error && !error.message.startsWith(serviceId))
        error.message = `${serviceId}: ${error.name}: ${error.message}`
      throw error
    }
  }
  return Object.assign(remembering(client), { send: sendInTime })
}
