import { KubeError } from '../../errors.ts'

/** Limits of one observation of a cluster, shared by all its reads, lists and pages. */
export interface ObservationLimits {
  /** Milliseconds from its first to its last answer. */
  ms: number
  /** The bytes of all answers. */
  bytes: number
  /** The approximate memory of what is kept of them. */
  kept: number
}

/** The remaining budget. */
export interface ReadBudget {
  ms: number
  /** The deadline, as `Date.now()`. */
  until: number
  /** Counts a piece of an answer; returns an error above the limit of one observation. */
  receive: (path: string, bytes: number) => KubeError | undefined
  /** Counts what is kept. Throws if it is too much, or nested too deeply. */
  keep: (path: string, value: unknown) => void
}

/** Kubernetes stores no deeper nesting. */
export const depthAtMost = 100

/** The `reason` of these errors: smaller pages do not help. */
export const overBudget = 'OverBudget'

export function budgetOf({ ms, bytes, kept }: ObservationLimits): ReadBudget {
  const received = new Map<string, number>()
  const seen = new WeakSet<object>()
  let [bytesLeft, keptLeft] = [bytes, kept]
  return {
    ms,
    until: Date.now() + ms,
    receive: (path, size) => {
      bytesLeft -= size
      received.set(path, (received.get(path) ?? 0) + size)
      return bytesLeft < 0
        ? over(`An observation reads at most ${inMiB(bytes)} of a cluster${most(received)}`)
        : undefined
    },
    keep: (path, value) => {
      keptLeft -= weightOf(value, seen)
      if (keptLeft < 0) throw over(`An observation keeps at most ${inMiB(kept)} of a cluster, and ${path} exceeds that`)
      if (Number.isNaN(keptLeft)) throw over(`An answer to ${path} is nested more than ${depthAtMost} levels deep`)
    },
  }
}

const over = (what: string) => new KubeError('malformed', `${what}.`, { reason: overBudget })

/** Names the largest list, even if another list was being read when the budget ended. */
const most = (received: ReadonlyMap<string, number>): string => {
  const [path, size] = [...received].reduce((a, b) => (b[1] > a[1] ? b : a))
  return `, and ${path} alone sent ${inMiB(size)}`
}

const inMiB = (bytes: number) => `${Math.round(bytes / 2 ** 20)} MiB`

/** Shared parts count once. `NaN`: nested too deeply. */
function weightOf(value: unknown, seen: WeakSet<object>, depth = 0): number {
  if (typeof value === 'string') return 24 + value.length
  if (typeof value !== 'object' || value === null) return 8
  if (depth > depthAtMost) return Number.NaN
  if (seen.has(value)) return 8
  seen.add(value)
  let sum = 40
  for (const [key, inner] of Object.entries(value)) sum += 8 + key.length + weightOf(inner, seen, depth + 1)
  return sum
}
