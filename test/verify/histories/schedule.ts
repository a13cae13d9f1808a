/**
 * Virtual time. An own scheduler and not that of fast-check, because every event has a moment: leases, permits and
 * deadlines expire between the answers, and fast-check's scheduler orders promises without a clock.
 */
export interface Schedule {
  /** Milliseconds since 1970. */
  now: () => number
  /** In so many milliseconds. */
  after: (ms: number, act: () => void) => void
  /** Until nothing is left to do, the moment has come, or `each` says that it is over. */
  run: (until: number) => Promise<void>
  events: () => number
}

interface Event {
  at: number
  act: () => void
}

/**
 * `each`: after each event and all that follows from it without waiting; `true`: no other event happens. `spent`: whole milliseconds
 * that computing has taken since it was last asked; none where absent.
 */
export const scheduleFrom = (start: number, each: () => boolean, spent: () => number = () => 0): Schedule => {
  const queue: Event[] = []
  let now = start
  let events = 0
  /** Behind all events of the same moment. */
  const placeFor = (at: number): number => {
    let [low, high] = [0, queue.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if ((queue[middle]?.at ?? 0) <= at) low = middle + 1
      else high = middle
    }
    return low
  }
  return {
    now: () => now,
    events: () => events,
    after: (ms, act) => {
      const at = now + Math.max(0, Math.round(ms))
      queue.splice(placeFor(at), 0, { at, act })
    },
    run: async (until) => {
      for (let next = queue[0]; next && next.at <= until; next = queue[0]) {
        queue.shift()
        now = Math.max(now, next.at)
        events += 1
        next.act()
        await settled()
        now += spent()
        if (each()) return
      }
      now = Math.max(now, until)
    },
  }
}

/** When no promise has anything left to do: the turn of the event loop after them, without any time. */
const settled = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve))
