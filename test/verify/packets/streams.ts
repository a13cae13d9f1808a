import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import { until } from '../../until.ts'
import { type Count, list } from './claim.ts'
import type { Ground } from './ground.ts'
import { askPause, inClient, portOf } from './network.ts'
import { attempt, untilOutcomes } from './probe.ts'
import { isPod } from './scene.ts'

/** A question on a stream and its answer. The last one of a stream that broke has failed; `stream`: its place among the targets. */
const exchange = attempt.extend({ stream: z.number() })
export type Exchange = z.infer<typeof exchange>

/** Milliseconds between an answer and the next question. */
export const pause = 500
/** Milliseconds: TCP sends again what was lost, and a stream that is not answered for so long is broken. */
export const patience = 9000

export interface Held {
  /** Ends it once each stream has been answered again or has broken, and answers what became of each target's. Throws where the watch ended by itself. */
  end: () => Promise<{ broken: boolean[]; which: string; slowest: number }>
}

/** Opens a TCP stream to each target (`tcp/10.1.0.1:30080`, each as often as it is named), and keeps it in use. Answers once all are open. */
export async function holdStreams({ machine }: Pick<Ground, 'machine'>, targets: readonly string[]): Promise<Held> {
  const heard: Exchange[] = []
  const command = inClient(`guest hold ${pause} ${patience} ${targets.join(' ')}`)
  let hasEnded = false
  const following = machine.follow(command, (line) => void heard.push(exchange.parse(JSON.parse(line))))
  const watch = async () => {
    await following.exit
    hasEnded = true
  }
  const watching = watch()
  /** Each stream has been heard of since, or has broken. */
  const isHeard = (since: number) => () =>
    hasEnded || targets.every((_, nth) => heard.some((it, at) => it.stream === nth && (at >= since || it.failed)))
  await until('streams are open', isHeard(0), 60, askPause)
  const { broken, which } = countStreams(targets, heard)
  if (hasEnded || broken.includes(true)) throw new Error(`Not every stream could be opened:${which}`)
  return {
    end: async () => {
      await until('streams are answered', isHeard(heard.length), (3 * patience) / 1000, askPause)
      if (hasEnded)
        throw new Error(`Streams were held until the watch ended by itself, after ${heard.length} exchanges.`)
      following.end()
      await watching
      return countStreams(targets, heard)
    },
  }
}

/**
 * Of two streams to each target, how many broke, by node, while the first node was unplugged for longer than an answer is waited for: a
 * watch that sees none break says something only where it sees these.
 */
export async function breakStreams(ground: Ground, targets: readonly string[]): Promise<Count[]> {
  const { machine, nodes } = ground
  const [first] = nodes
  if (!first) throw new Error('There is no node.')
  const open = [...targets, ...targets]
  const held = await holdStreams(ground, open)
  await machine.run(`ip link set ${portOf(first.namespace)} down`)
  try {
    await sleep(patience + 4000)
  } finally {
    await machine.run(`ip link set ${portOf(first.namespace)} up`)
  }
  const { broken } = await held.end()
  await untilOutcomes(ground, targets, isPod)
  return nodes.map(({ address }) => brokenAt(address, open, broken))
}

/** `slowest`: milliseconds of the slowest answer. A stream that was never heard of is broken. */
export function countStreams(targets: readonly string[], heard: readonly Exchange[]) {
  const failures = heard.flatMap(({ target, failed }) => (failed === undefined ? [] : [`${target} ${failed}`]))
  return {
    broken: targets.map((_, nth) => heard.findLast(({ stream }) => stream === nth)?.answered === undefined),
    which: failures.length > 0 ? ` (${list(failures)})` : '',
    slowest: Math.max(0, ...heard.map(({ answered, millis }) => (answered === undefined ? 0 : millis))),
  }
}

/** Of the streams to this address, how many broke. */
export const brokenAt = (address: string, targets: readonly string[], broken: readonly boolean[]): Count => {
  const own = broken.filter((_, nth) => targets[nth]?.includes(`/${address}:`))
  return { wrong: own.filter(Boolean).length, tried: own.length }
}

/** Every one through the first node, and none through another. */
export const isOnlyFirst = (broken: readonly Count[]): boolean =>
  broken.length > 1 && broken.every(({ wrong, tried }, nth) => tried > 0 && wrong === (nth === 0 ? tried : 0))
