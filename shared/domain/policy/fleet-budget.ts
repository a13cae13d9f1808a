import { isAnother } from '../incarnation.ts'

/**
 * The clusters that are being changed now, and those that wait for a permit. One small document for the whole fleet,
 * written only if its `version` is unchanged, so that every decision about it can be a pure function.
 */
export interface FleetBudget {
  version: number
  holders: Holder[]
  /**
   * Waiting clusters, in the order in which they are evaluated. A cluster that is not in the list gets a permit at a
   * later evaluation.
   */
  waiting: string[]
}

interface Holder extends Permit {
  cluster: string
  /**
   * The creation time from EKS: a cluster that was created again under the same name does not have the permit of the
   * earlier one.
   */
  incarnation?: string
}

/**
 * Allows changes of one cluster until then. `token` increases with each permit, so that an older one can be detected.
 */
export interface Permit {
  token: number
  /** RFC 3339 */
  until: string
}

export const emptyBudget: FleetBudget = { version: 0, holders: [], waiting: [] }

/** Longer than the longest wait of a rollout (15 min) plus the same delay in the queue. */
export const permitSeconds = 1800
/** A message may use the permit for this long; a later one, after retries, asks again, because it may be given back by then. */
export const carriedSeconds = 300
const waitingAtMost = 200

export interface Asking {
  cluster: string
  incarnation?: string
  /** Clusters that may be changed at one time. */
  limit: number
  /** Milliseconds since 1970. */
  now: number
}

/**
 * The document to store, if it changed, and the permit, if there is one. A renewed permit keeps its token. It is renewed
 * each time: `until` tells when it was last asked for.
 */
export const take = (
  budget: FleetBudget,
  { cluster, incarnation, limit, now }: Asking,
): { store?: FleetBudget; permit?: Permit } => {
  const isEarlier = (it: Holder) => it.cluster === cluster && isAnother(it.incarnation, incarnation)
  const live = liveHolders(budget, now).filter((it) => !isEarlier(it))
  const mine = live.find((it) => it.cluster === cluster)
  const waiting = budget.waiting.filter((it) => it !== cluster)
  const version = budget.version + 1
  if (!mine && live.length >= limit) {
    const queued = budget.waiting.includes(cluster) || waiting.length >= waitingAtMost
    return queued ? {} : { store: { version, holders: live, waiting: [...waiting, cluster] } }
  }
  const until = new Date(now + permitSeconds * 1000).toISOString()
  const holder = { cluster, ...(incarnation && { incarnation }), token: mine?.token ?? version, until }
  const others = live.filter((it) => it.cluster !== cluster)
  const carried = { token: holder.token, until: new Date(now + carriedSeconds * 1000).toISOString() }
  return { store: { version, holders: [...others, holder], waiting }, permit: carried }
}

/** As `leave` says. */
export interface Leaving {
  idleSince?: number
  keepsPlace?: boolean
}

/**
 * Releases the cluster's permit, if it has one, and returns the clusters to evaluate for the free place.
 * `incarnation`: only the permit of the cluster with this creation time. `idleSince`: only a permit that nobody asked for
 * since, because a message that has it may be under way. `keepsPlace`: it wants to be changed when it can be. Where it
 * waits, it has no turn that another could have instead, and its place is not lost for a moment of trouble.
 */
export const leave = (
  budget: FleetBudget,
  { cluster, incarnation, limit, now, idleSince = Infinity, keepsPlace = false }: Asking & Leaving,
): { store?: FleetBudget; wake: string[] } => {
  if (keepsPlace && budget.waiting.includes(cluster)) return { wake: [] }
  const isMeant = (it: Holder) =>
    it.cluster === cluster && !isAnother(it.incarnation, incarnation) && askedAt(it) <= idleSince
  const holders = liveHolders(budget, now).filter((it) => !isMeant(it))
  const waiting = incarnation === undefined ? budget.waiting.filter((it) => it !== cluster) : budget.waiting
  const wake = waiting.slice(0, Math.max(0, limit - holders.length))
  const held = budget.holders.some(isMeant)
  if (!held && wake.length === 0 && waiting.length === budget.waiting.length) return { wake }
  return { store: { version: budget.version + 1, holders, waiting: waiting.slice(wake.length) }, wake }
}

/** Clusters that could not be woken wait again, before all others. One that was woken all the same has its permit already. */
export const putBack = (budget: FleetBudget, clusters: readonly string[], now: number): { store?: FleetBudget } => {
  const known = [...liveHolders(budget, now).map(({ cluster }) => cluster), ...budget.waiting]
  const first = clusters.filter((it) => !known.includes(it))
  if (first.length === 0) return {}
  return { store: { ...budget, version: budget.version + 1, waiting: [...first, ...budget.waiting] } }
}

const liveHolders = ({ holders }: FleetBudget, now: number): Holder[] =>
  holders.filter(({ until }) => Date.parse(until) > now)

const askedAt = ({ until }: Holder): number => Date.parse(until) - permitSeconds * 1000

/** A step that began with the permit ends before another cluster gets one: functions are stopped after a minute. */
export const isSound = ({ until }: Permit, now: number): boolean => Date.parse(until) - now > 60_000
