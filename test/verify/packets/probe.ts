import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import { until } from '../../until.ts'
import { list } from './claim.ts'
import type { Ground } from './ground.ts'
import { askPause, inClient } from './network.ts'

export const attempt = z.object({
  at: z.number(),
  target: z.string(),
  answered: z.string().optional(),
  failed: z.string().optional(),
  millis: z.number(),
})
/** One connection, or one datagram and its answer. */
export type Attempt = z.infer<typeof attempt>

/** Emulated, a connection takes its time. */
export const timeout = 3000

/** One try at each target (`tcp/10.1.0.1:30080`), from outside of the nodes unless told. */
export async function tryOnce({ machine }: Ground, targets: readonly string[], from = inClient): Promise<Attempt[]> {
  const text = await machine.run(from(`guest probe 0 ${timeout} ${targets.join(' ')}`))
  return text.split('\n').map((line) => attempt.parse(JSON.parse(line)))
}

/** No outcome: nothing is right because it was not looked at. */
export const notTried = 'not tried'

/** `web-1, web-1, timeout`: what came of each target, in the targets' order. */
export const outcomes = (targets: readonly string[], attempts: readonly Attempt[]): string[] =>
  targets.map((target) => {
    const last = attempts.findLast((it) => it.target === target)
    return last?.answered ?? last?.failed ?? notTried
  })

/** Tries until all targets come to what is awaited: a Felix in a machine that is emulated on a busy one takes half a minute for a change. Answers the last outcomes, also where it did not come about in time. */
export async function untilOutcomes(
  ground: Ground,
  targets: readonly string[],
  awaited: (outcome: string) => boolean,
  seconds = 120,
): Promise<string[]> {
  let last = targets.map(() => notTried)
  const all = async () => {
    last = outcomes(targets, await tryOnce(ground, targets))
    return last.every(awaited)
  }
  await until(() => `The last try gave ${last.join(', ')}`, all, seconds, askPause).catch(() => undefined)
  return last
}

export interface Watched {
  attempts: readonly Attempt[]
  /**
   * Ends it once all that were tried so far have come to their end, and answers how many were tried, how many of them failed, which
   * (` (udp/10.1.0.1:30080 timeout)`), and how many were answered only after a second, as after a packet that was lost and sent again.
   * Throws where it has ended by itself, or tried less than half of what it should: what it did not see is not known.
   */
  end: () => Promise<Counted>
}

export interface Counted {
  tried: number
  failed: number
  which: string
  late: number
  seconds: number
}

/** What a watch saw of so many targets in so many seconds. Throws where it tried less than half of what it should, or none of them for long. */
export function countAttempts(attempts: readonly Attempt[], targets: number, seconds: number): Counted {
  const least = Math.floor((targets * perSecond * seconds) / 2)
  if (attempts.length < least)
    throw new Error(`Only ${attempts.length} connections were tried in ${seconds} s, of at least ${least}.`)
  const times = attempts.map(({ at }) => at).toSorted((a, b) => a - b)
  const gap = Math.max(0, ...times.slice(1).map((at, index) => at - (times[index] ?? at)))
  if (gap > longestGap) throw new Error(`No connection was tried for ${gap / 1000} s.`)
  const lost = attempts.flatMap(({ target, failed }) => (failed === undefined ? [] : [`${target} ${failed}`]))
  return {
    tried: attempts.length,
    failed: lost.length,
    which: lost.length > 0 ? ` (${list(lost)})` : '',
    late: attempts.filter(({ failed, millis }) => failed === undefined && millis >= 1000).length,
    seconds,
  }
}

const perSecond = 4
/** Milliseconds: a Felix is away for longer when it restarts, and so is what it would break. */
const longestGap = 5000

/** Tries each target four times a second until it is ended: an emulated machine with two cores bears that beside everything else. */
export function watchConnections({ machine }: Pick<Ground, 'machine'>, targets: readonly string[]): Watched {
  const attempts: Attempt[] = []
  const begun = Date.now()
  const following = machine.follow(
    inClient(`guest probe ${1000 / perSecond} ${timeout} ${targets.join(' ')}`),
    (line) => {
      attempts.push(attempt.parse(JSON.parse(line)))
    },
  )
  return {
    attempts,
    end: async () => {
      // To connect takes one time-out at most, and to be answered another.
      const isOver = await Promise.race([following.exit.then(() => true), sleep(2 * timeout, false, { ref: false })])
      if (isOver) throw new Error(`Connections were watched until the watch ended by itself, after ${attempts.length}.`)
      const seconds = Math.round((Date.now() - begun) / 1000)
      following.end()
      await following.exit
      return countAttempts(attempts, targets.length, seconds)
    },
  }
}
