/**
 * The recorded state of evaluations that events requested for one cluster, so that many events lead to few
 * evaluations. Times are in milliseconds since 1970.
 */
export interface Looks {
  /** When the last evaluation began, and for which message. It includes everything that happened before that time. */
  lookedAt: number
  lookedBy: string
  /** The time until which an evaluation is pending that has not begun; 0: none is pending. */
  pendingUntil: number
  /** The invocation that requested it. */
  askedBy: string
}

export const noLooks: Looks = { lookedAt: 0, lookedBy: '', pendingUntil: 0, askedBy: '' }

/**
 * A pending evaluation is valid for this long after its due time. After that, its message may be lost or waiting
 * behind many others, and the next event requests another one: an additional message is cheap.
 */
export const pendingMs = 120_000

/** The clocks of two functions differ by less than this; an event arrives later than this after the change. */
export const clockMs = 1_000

interface Asking {
  /**
   * The id of the requesting invocation. A retry after a crash has the same id, and its message may not have been
   * sent.
   */
  by: string
  now: number
  /** The minimum time between two evaluations for events: the last of many events is evaluated then. */
  gapMs: number
}

/**
 * Whether an event needs its own evaluation. `undefined`: one is pending that has not begun, and will include the
 * change. Else the seconds until it is due, and the state to record before it is requested.
 */
export const withRequest = (
  known: Looks,
  { by, now, gapMs }: Asking,
): { delaySeconds: number; store: Looks } | undefined => {
  const isPending = now < known.pendingUntil && known.pendingUntil <= now + gapMs + pendingMs
  if (isPending && known.askedBy !== by) return undefined
  // A time in the future, from a wrong clock, must not delay an evaluation.
  const due = Math.min(Math.max(now, known.lookedAt + gapMs), now + gapMs)
  return {
    delaySeconds: Math.ceil((due - now) / 1000),
    store: { ...known, pendingUntil: due + pendingMs, askedBy: by },
  }
}
