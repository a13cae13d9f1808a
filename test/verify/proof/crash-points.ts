import { setTimeout as sleep } from 'node:timers/promises'
import { type Disturbance, disturbance } from './disturbance.ts'
import type { CrashPoint, DoomedTool, Ended } from './doomed-tool.ts'
import { felixConfigurations, type Ground } from './ground.ts'
import { paceFlags, rangeFlag } from './tool.ts'

/** Felix ends 2 s after a change and is back half a second later: when the next one goes, this one is long back. */
const brisk = { canarySeconds: 3, settleSeconds: 3, nodeDeadlineSeconds: 30 }
/** In turns, so that each run has a change to make. */
export const ranges = ['20000:32767', '25000:32767'] as const
export const budget = 2
/** After the end: a Felix that promotion or clean-up made restart would have ended by then. */
const longEnough = 2_500
/** Far more writes than a change of three nodes has. */
const most = 40

export const argsFor = (range: string): string[] => [
  'sync',
  '--yes',
  ...rangeFlag(range),
  '--max-unavailable',
  String(budget),
]

/** What came of a change whose process died once. */
export interface Tried extends Disturbance {
  crashPoint: CrashPoint
  /** What it asked for until it died. */
  writes: string[]
  /** Otherwise it came to its end before. */
  killed: boolean
  /** From the death to the end, in seconds. */
  seconds: number
  /** Every node's rules are as asked for, and the last run said so. */
  right: boolean
  overrides: number
}

/** `again`: how it is run once more. */
export const change = async (
  ground: Ground,
  first: (args: string[]) => Promise<Ended>,
  { range, ...at }: { crashPoint: CrashPoint; range: string; again: (args: string[]) => Promise<Pick<Ended, 'code'>> },
): Promise<Tried> => {
  const since = Date.now()
  const args = [...argsFor(range), ...paceFlags(brisk)]
  const { killed, writes, code } = await first(args)
  const died = Date.now()
  const last = killed ? (await at.again(args)).code : code
  const seconds = (Date.now() - died) / 1000
  await sleep(longEnough)
  const rules = await ground.ports()
  const { items } = (await ground.cluster.request('GET', felixConfigurations)) as { items: object[] }
  const right = rules.every((it) => it === range) && last === 0
  // Beside `default`.
  const overrides = items.length - 1
  return { crashPoint: at.crashPoint, ...disturbance(ground.nodes, since), writes, killed, seconds, right, overrides }
}

/**
 * After each write in turn and before every third, until a run comes to its end: before a write the cluster is as it was
 * after the one that went before it.
 */
export const changes = async (ground: Ground, { run }: DoomedTool): Promise<Tried[]> => {
  const tried: Tried[] = []
  for (let at = 1; at <= most; at += 1)
    for (const moment of at % 3 === 1 ? (['before', 'after'] as const) : (['after'] as const)) {
      const range = ranges[tried.length % 2] ?? ranges[0]
      const crashPoint: CrashPoint = { at, moment }
      const it = await change(ground, (args) => run(args, crashPoint), { crashPoint, range, again: run })
      tried.push(it)
      if (!it.killed) return tried
    }
  return tried
}
