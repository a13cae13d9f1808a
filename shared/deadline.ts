import { AsyncLocalStorage } from 'node:async_hooks'

/** For one message: the deadline of its calls, and the time that calls took, by service. */
interface Time {
  ms: number
  until: number
  spent: Map<string, Spent>
}

interface Spent {
  ms: number
  underWay: number
  since: number
}

const given = new AsyncLocalStorage<Time>()

/**
 * The common deadline of all calls: no call lasts longer or begins later. A function that Lambda stops could not
 * report the reason.
 */
export const withDeadline = <T>(ms: number, work: () => Promise<T>): Promise<T> =>
  given.run({ ms, until: Date.now() + ms, spent: new Map() }, work)

/** In milliseconds; unlimited on the command line. */
export const timeLeft = (): number => (given.getStore()?.until ?? Infinity) - Date.now()

/** Throws if less time is left: work that must not be interrupted does not begin. */
export const needTime = (ms: number, what: string): void => {
  if (timeLeft() < ms) throw outOfTime(what)
}

/** Measures how long calls to a service take; parallel calls count once. */
export const counted = async <T>(service: string, call: () => Promise<T>): Promise<T> => {
  const { spent } = given.getStore() ?? {}
  const it = spent?.get(service) ?? { ms: 0, underWay: 0, since: 0 }
  spent?.set(service, it)
  if (it.underWay === 0) it.since = Date.now()
  it.underWay += 1
  try {
    return await call()
  } finally {
    it.underWay -= 1
    if (it.underWay === 0) it.ms += Date.now() - it.since
  }
}

/**
 * An error named `TimeoutError`. It names the service that took most of the time, which need not be the one that was
 * called last.
 */
export const outOfTime = (what: string): Error => {
  const { spent = new Map<string, Spent>(), ms = 0 } = given.getStore() ?? {}
  const all = Array.from(spent, ([service, it]) => ({ service, ms: it.ms + (it.underWay ? Date.now() - it.since : 0) }))
  const [slowest] = all.toSorted((a, b) => b.ms - a.ms)
  const where = slowest ? `; ${slowest.service} took ${seconds(slowest.ms)} of ${seconds(ms)}` : ''
  return Object.assign(new Error(`${what}: no time is left${where}`), { name: 'TimeoutError' })
}

const seconds = (ms: number): string => `${Math.round(ms / 1_000)} s`
