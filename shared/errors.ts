import type { ReadFailure } from './domain/read.ts'

/**
 * What no retry can help: a message that cannot be read, a webhook that is gone. It is among the dead letters at once, with
 * the reason. Anything else that is thrown is retried, then a dead letter, and every dead letter is an alarm.
 */
export class PermanentError extends Error {
  override name = 'PermanentError'
}

/** A service asked to be left alone for a while: give the message back and take it again after that many seconds. */
export class RetryLaterError extends Error {
  override name = 'RetryLaterError'
  readonly retryAfterSeconds: number

  constructor(message: string, retryAfterSeconds: number) {
    super(message)
    this.retryAfterSeconds = retryAfterSeconds
  }
}

export type KubeErrorKind = ReadFailure['kind'] | 'not-found' | 'conflict' | 'invalid'

/**
 * A request that the Kubernetes API refused or never answered. `conflict`: 409, somebody changed the object since it
 * was read (or it exists already) · `invalid`: 400, 415, 422 · the other kinds are those of `ReadFailure`.
 * After a write, `unreachable` and `unavailable` do not tell whether it was carried out: read again.
 */
export class KubeError extends Error {
  override name = 'KubeError'
  readonly kind: KubeErrorKind
  /** HTTP status; 0: no answer. */
  readonly status: number
  /** `reason` of the server's Status: `Conflict`, `AlreadyExists`, `Invalid`, … */
  readonly reason: string
  /** So long the server asked to be left alone, in seconds. */
  readonly retryAfterSeconds: number | undefined

  constructor(
    kind: KubeErrorKind,
    message: string,
    {
      status = 0,
      reason = '',
      retryAfterSeconds,
    }: { status?: number; reason?: string; retryAfterSeconds?: number | undefined } = {},
  ) {
    super(message)
    this.kind = kind
    this.status = status
    this.reason = reason
    this.retryAfterSeconds = retryAfterSeconds
  }
}

/** A read that an effect depends on failed: nothing was done. */
export class ReadError extends KubeError {}
