import type { ReadFailure } from './domain/read.ts'

/**
 * An error that a retry cannot fix: a message that cannot be parsed, a webhook that was deleted. The message becomes
 * a dead letter at once, with the reason. Any other error is retried and then becomes a dead letter; every dead
 * letter causes an alarm.
 */
export class PermanentError extends Error {
  override name = 'PermanentError'
}

/** A service throttles: the message is returned to the queue and delivered again after this many seconds. */
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
 * A request that the Kubernetes API rejected or never answered. `conflict`: 409, somebody changed the object since
 * it was read (or it exists already) · `invalid`: 400, 415, 422 · the other kinds are those of `ReadFailure`. After a
 * write, `unreachable` and `unavailable` do not show whether it was applied: read the object again.
 */
export class KubeError extends Error {
  override name = 'KubeError'
  readonly kind: KubeErrorKind
  /** HTTP status; 0: no answer. */
  readonly status: number
  /** `reason` of the server's Status: `Conflict`, `AlreadyExists`, `Invalid`, … */
  readonly reason: string
  /** The seconds after which the server allows a retry. */
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

/** Somebody changed or deleted the object since it was read: nothing was written. */
export const isOutdated = (error: unknown): error is KubeError =>
  error instanceof KubeError && (error.kind === 'conflict' || error.kind === 'not-found')

/** The server throttles: the request was refused before anything was written. */
export const isThrottled = (error: unknown): error is KubeError =>
  error instanceof KubeError && error.status === 429 && error.kind === 'unavailable'

/** A step under way writes the Lease three times within a second or two. */
const refusedAtMost = 10

/**
 * What is outdated is read again, and decided again. `outdated`: how often in a row that was so before. Throws what the
 * server said where it does not end, and any other error.
 */
export const readAgain = (error: unknown, outdated = 0): { why: string; outdated: number } => {
  if (!isOutdated(error)) throw error
  return counted(error, outdated)
}

const counted = (error: KubeError, outdated: number): { why: string; outdated: number } => {
  if (outdated + 1 >= refusedAtMost) throw error
  return { why: error.message, outdated: outdated + 1 }
}

const shortestSeconds = 5

/**
 * The same for a server that throttles, or does not show what is needed. The waits get longer, in all some nine minutes, more if
 * the server asks for it. `outdated` may have a fraction: the part of the last wait that is over.
 */
export const askLater = (error: KubeError, outdated = 0): { why: string; outdated: number; seconds: number } => ({
  ...counted(error, outdated),
  seconds: Math.max(error.retryAfterSeconds || shortestSeconds, 2 ** Math.floor(outdated)),
})

/** A server may answer the same request a moment later. */
export const isTemporary = ({ kind }: { kind: KubeErrorKind }): boolean =>
  kind === 'unreachable' || kind === 'unavailable'

/** A read that an effect depends on failed: nothing was done. */
export class ReadError extends KubeError {}

/** What a step must see was waited for long enough: no retry of its message waits for it any more. */
export class UnseenError extends KubeError {}
