/** What is remembered of the looks at one cluster that events asked for, so that many ask for few. Times: milliseconds since 1970. */
export interface Looks {
  /** When the last one began, and for which message. What happened before then, it has seen. */
  lookedAt: number
  lookedBy: string
  /** Until when a look is pending that has not begun; 0: none is. */
  pendingUntil: number
  /** Which invocation asked for it. */
  askedBy: string
}

export const noLooks: Looks = { lookedAt: 0, lookedBy: '', pendingUntil: 0, askedBy: '' }

/**
 * So long after it is due, a pending look counts. Then its message may have been lost, or waits behind many others, and the
 * next event asks again: one message too many is cheap.
 */
export const pendingMs = 120_000

/** Clocks of two functions differ by less; an event is told later than this after what it tells of. */
export const clockMs = 1_000

interface Asking {
  /** The invocation that asks: tried again after it died, it has the same id, and what it had asked for may not have been sent. */
  by: string
  now: number
  /** Between one look for an event and the next: the last event of many is looked at then. */
  gapMs: number
}

/**
 * Whether an event needs a look of its own. `undefined`: one is pending that has not begun, and will see what happened. Else
 * in how many seconds it is due, and what is to be remembered of it before it is asked for.
 */
export const askForLook = (
  known: Looks,
  { by, now, gapMs }: Asking,
): { delaySeconds: number; store: Looks } | undefined => {
  const isPending = now < known.pendingUntil && known.pendingUntil <= now + gapMs + pendingMs
  if (isPending && known.askedBy !== by) return undefined
  // What a clock that was wrong has written puts off no look.
  const due = Math.min(Math.max(now, known.lookedAt + gapMs), now + gapMs)
  return {
    delaySeconds: Math.ceil((due - now) / 1000),
    store: { ...known, pendingUntil: due + pendingMs, askedBy: by },
  }
}
