import { setTimeout as sleep } from 'node:timers/promises'
import type { Ground } from './ground.ts'
import { nodePortsIn } from './rules.ts'

/** Looks at the rules of every node, again and again, until they say so. */
export function watchRules({ nodes }: Pick<Ground, 'nodes'>, wanted: string) {
  const ended = new AbortController()
  const until = async (node: Ground['nodes'][number]): Promise<number> => {
    for (; !ended.signal.aborted; await sleep(200)) if (nodePortsIn(await node.rules()) === wanted) return Date.now()
    return Number.POSITIVE_INFINITY
  }
  const arrivals = Promise.all(nodes.map(until))
  return {
    /** When each node was first seen with them, in milliseconds since the epoch; infinity where it was not. */
    end: async (): Promise<number[]> => {
      ended.abort()
      return await arrivals
    },
  }
}
