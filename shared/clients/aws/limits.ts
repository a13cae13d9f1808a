/**
 * For every client of the SDK: an address that nobody answers, as in a VPC without a way to the service, is known within
 * seconds. The SDK's own default waits for as long as the operating system does.
 */
export const limited = {
  requestHandler: { connectionTimeout: 2_000, requestTimeout: 5_000, throwOnRequestTimeout: true },
  maxAttempts: 3,
}

/** Retries, throttling and slow answers together: then the call is given up, and which one it was is known. */
const deadlineMs = 12_000

type Call<T> = (options: { abortSignal: AbortSignal }) => Promise<T>

/** Throws an error named `TimeoutError`, which names the call, where it has not ended by its deadline. */
export const inTime = async <T>(what: string, call: Call<T>, ms = deadlineMs): Promise<T> => {
  const given = new AbortController()
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      // Between two attempts the SDK does not look at the signal.
      reject(Object.assign(new Error(`${what} did not answer within ${ms / 1000} s`), { name: 'TimeoutError' }))
      given.abort()
    }, ms)
  })
  const called = call({ abortSignal: given.signal })
  // What comes after the deadline is nobody's any more.
  called.catch(() => undefined)
  try {
    return await Promise.race([called, late])
  } finally {
    clearTimeout(timer)
  }
}
