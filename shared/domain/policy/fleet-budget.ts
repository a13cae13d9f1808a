import { isAnother } from '../incarnation.ts'

/**
 * Which clusters are being changed now, and which wait for their turn. One small document for the whole fleet, changed
 * only on the version that was read (`version`), so that every decision about it can be a pure function.
 */
export interface FleetBudget {
  version: number
  holders: Holder[]
  /** Clusters that wait, in the order in which they are woken. A cluster that is not in the list gets its turn at a later evaluation. */
  waiting: string[]
}

interface Holder extends Permit {
  cluster: string
  /** When EKS made it: one made again under its name does not hold what the earlier one was given. */
  incarnation?: string
}

/** May change one cluster until then. `token` grows with each permit given, so that an older one is known as such. */
export interface Permit {
  token: number
  /** RFC 3339 */
  until: string
}

export const emptyBudget: FleetBudget = { version: 0, holders: [], waiting: [] }

/** Longer than the longest wait of a rollout (15 min) plus the same delay in the queue. */
export const permitSeconds = 1800
const waitingAtMost = 200

export interface Asking {
  cluster: string
  incarnation?: string
  /** Clusters that may be changed at one time. */
  limit: number
  /** Milliseconds since 1970. */
  now: number
}

/** What to store, where something changed, and the permit, where there is one. A renewed permit keeps its token. */
export const take = (
  budget: FleetBudget,
  { cluster, incarnation, limit, now }: Asking,
): { store?: FleetBudget; permit?: Permit } => {
  const isEarlier = (it: Holder) => it.cluster === cluster && isAnother(it.incarnation, incarnation)
  const live = liveHolders(budget, now).filter((it) => !isEarlier(it))
  const mine = live.find((it) => it.cluster === cluster)
  if (mine && Date.parse(mine.until) - now > (permitSeconds / 2) * 1000) return { permit: permitOf(mine) }
  const waiting = budget.waiting.filter((it) => it !== cluster)
  const version = budget.version + 1
  if (!mine && live.length >= limit) {
    const queued = budget.waiting.includes(cluster) || waiting.length >= waitingAtMost
    return queued ? {} : { store: { version, holders: live, waiting: [...waiting, cluster] } }
  }
  const until = new Date(now + permitSeconds * 1000).toISOString()
  const holder = { cluster, ...(incarnation && { incarnation }), token: mine?.token ?? version, until }
  const others = live.filter((it) => it.cluster !== cluster)
  return { store: { version, holders: [...others, holder], waiting }, permit: permitOf(holder) }
}

/**
 * Gives back what the cluster holds, if it does, and answers which clusters to wake for the place that is free now. `incarnation`: what that one
 * holds, and nothing of another one of its name.
 */
export const leave = (
  budget: FleetBudget,
  { cluster, incarnation, limit, now }: Asking,
): { store?: FleetBudget; wake: string[] } => {
  const isMeant = (it: Holder) => it.cluster === cluster && !isAnother(it.incarnation, incarnation)
  const holders = liveHolders(budget, now).filter((it) => !isMeant(it))
  const waiting = incarnation === undefined ? budget.waiting.filter((it) => it !== cluster) : budget.waiting
  const wake = waiting.slice(0, Math.max(0, limit - holders.length))
  const held = budget.holders.some(isMeant)
  if (!held && wake.length === 0 && waiting.length === budget.waiting.length) return { wake }
  return { store: { version: budget.version + 1, holders, waiting: waiting.slice(wake.length) }, wake }
}

const liveHolders = ({ holders }: FleetBudget, now: number): Holder[] =>
  holders.filter(({ until }) => Date.parse(until) > now)

const permitOf = ({ token, until }: Permit): Permit => ({ token, until })

/** A step begun with it has ended before anybody else can have one: functions are cut off after a minute. */
export const isSound = ({ until }: Permit, now: number): boolean => Date.parse(until) - now > 60_000
