import type { FelixNode } from '../felix-nodes/node.ts'

/** A stretch of time in which a node's Felix was not there or not ready; milliseconds since the epoch. */
export interface Absence {
  node: string
  from: number
  /** Infinity while it lasts. */
  to: number
}

type NodeTimes = Pick<FelixNode, 'name' | 'lives' | 'health'>

/** From the end of a life, or from what its health says first, until it says that it is ready again. */
export const absences = ({ name, lives, health }: NodeTimes, since: number): Absence[] => {
  const downs = [
    ...lives.flatMap(({ endedAt }) => (endedAt === undefined ? [] : [endedAt])),
    ...health.filter(({ ready }) => !ready).map(({ at }) => at),
  ]
  const stretches: Absence[] = []
  for (const from of downs.toSorted((a, b) => a - b)) {
    if (from < since || from <= (stretches.at(-1)?.to ?? 0)) continue
    // Health is looked at ten times a second: the look that saw the new life ready came after it had started.
    const born = lives.find(({ startedAt }) => startedAt >= from)?.startedAt ?? from
    const to = health.find(({ at, ready }) => ready && at >= Math.max(born, from))?.at ?? Number.POSITIVE_INFINITY
    stretches.push({ node: name, from, to })
  }
  return stretches
}

export interface Disturbance {
  /** Starts of Felix, by node, in the nodes' order. */
  starts: number[]
  /** The most nodes without a ready Felix at one time. */
  atOnce: number
  /** Seconds without a ready Felix, all nodes together. */
  seconds: number
}

/** What the nodes themselves showed from a moment on. */
export const disturbance = (nodes: readonly NodeTimes[], since: number): Disturbance => {
  const all = nodes.flatMap((node) => absences(node, since))
  const away = (at: number) => new Set(all.filter(({ from, to }) => from <= at && at < to).map(({ node }) => node)).size
  return {
    starts: nodes.map(({ lives }) => lives.filter(({ startedAt }) => startedAt >= since).length),
    atOnce: Math.max(0, ...all.map(({ from }) => away(from))),
    seconds: all.reduce((sum, { from, to }) => sum + (to - from) / 1000, 0),
  }
}
