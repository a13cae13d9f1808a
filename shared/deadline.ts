import { AsyncLocalStorage } from 'node:async_hooks'

/** Of one message: until when its calls must have ended, and by service how long any call was under way. */
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
 * The one deadline of all calls that the work makes: however long each of them may take by itself, none lasts longer than
 * until then, and none begins after. A function that is ended by Lambda could not say why.
 */
export const withDeadline = <T>(ms: number, work: () => Promise<T>): Promise<T> =>
  given.run({ ms, until: Date.now() + ms, spent: new Map() }, work)

/** In milliseconds; without end on the command line. */
export const timeLeft = (): number => (given.getStore()?.until ?? Infinity) - Date.now()

/** Throws where less than that is left: what must not be cut off in the middle does not begin. */
export const needTime = (ms: number, what: string): void => {
  if (timeLeft() < ms) throw outOfTime(what)
}

/** Notes how long calls to a service are under way; what is asked at the same time counts once. */
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

/** An error named `TimeoutError`. Says which service took most of the time, for it need not be the one that was to be called last. */
export const outOfTime = (what: string): Error => {
  const { spent = new Map<string, Spent>(), ms = 0 } = given.getStore() ?? {}
  const all = Array.from(spent, ([service, it]) => ({ service, ms: it.ms + (it.underWay ? Date.now() - it.since : 0) }))
  const [slowest] = all.toSorted((a, b) => b.ms - a.ms)
  const where = slowest ? `; ${slowest.service} took ${seconds(slowest.ms)} of ${seconds(ms)}` : ''
  return Object.assign(new Error(`${what}: no time is left${where}`), { name: 'TimeoutError' })
}

const seconds = (ms: number): string => `${Math.round(ms / 1_000)} s`
