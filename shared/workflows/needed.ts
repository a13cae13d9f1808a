import { ReadError } from '../errors.ts'
import type { Read } from '../domain/read.ts'

/** The value of a read that an effect depends on; without it nothing may be done, so it throws `ReadError`. */
export const needed = <T>(read: Read<T>): T => {
  if ('value' in read) return read.value
  const { kind, object, message, status, retryAfterSeconds } = read.failure
  throw new ReadError(kind, `${object}: ${message}`, { ...(status !== undefined && { status }), retryAfterSeconds })
}
