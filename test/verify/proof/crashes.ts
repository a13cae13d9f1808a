import { nodeSpecs } from '../../../lab/fixtures/nodes.ts'
import type { Chapter, Claim } from './claim.ts'
import { argsFor, budget, change, changes, ranges, type Tried } from './crash-points.ts'
import { type CrashPoint, type DoomedTool, startDoomedTool } from './doomed-tool.ts'
import type { Ground } from './ground.ts'
import { runTool, typed } from './tool.ts'

const pointOf = ({ crashPoint, writes }: Tried): string =>
  `${crashPoint.moment} write ${crashPoint.at} (${writes.at(-1)})`

/** `PATCH leases`, `POST felixconfigurations 3 times`: in the order in which they came. */
const listed = (writes: string[]): string => {
  const runs: { write: string; times: number }[] = []
  for (const write of writes) {
    const last = runs.at(-1)
    if (last?.write === write) last.times += 1
    else runs.push({ write, times: 1 })
  }
  return runs.map(({ write, times }) => (times === 1 ? write : `${write} ${times} times`)).join(', ')
}

/** The process dies at each step of a staged change, and is run again. */
export const crashes: Chapter = {
  name: 'crashes',
  title: 'The process killed at each step of a staged change',
  // Of one zone: a budget of two is made use of.
  ground: { nodes: nodeSpecs(3).map((it) => ({ ...it, zone: 'us-east-1a' })) },
  prove: async (ground, claim) => {
    const tool = await startDoomedTool(ground.cluster)
    try {
      const tried = await changes(ground, tool)
      showPoints(ground, tried, claim)
      await waitsForTheLock(ground, tool, { range: ranges[tried.length % 2] ?? ranges[0], claim })
    } finally {
      await tool.stop()
    }
  },
}

const showPoints = ({ nodes }: Ground, tried: Tried[], claim: (it: Claim) => void): void => {
  const dead = tried.filter(({ killed }) => killed)
  const clean = tried.find(({ killed }) => !killed)?.writes ?? []
  const after = dead.filter(({ crashPoint }) => crashPoint.moment === 'after')
  const command = `${typed(...argsFor(ranges[0]))} # killed with SIGKILL, and again`
  claim({
    claim:
      'The process was killed after each of its writes had been applied and before the answer arrived, and before every third write was applied.',
    command,
    seen: `${dead.length} points on ${clean.length} writes: ${listed(clean)}`,
    holds: after.length === clean.length && clean.length > 2 * nodes.length,
  })
  const judged = (text: string, isWrong: (it: Tried) => boolean, figures = '') => {
    const wrong = dead.filter(isWrong).map(pointOf)
    const not = wrong.length === 0 ? '' : `; not when killed ${wrong.join(', ')}`
    const seen = `${dead.length - wrong.length} of ${dead.length} times${figures}${not}`
    claim({ claim: text, command, seen, holds: wrong.length === 0 && dead.length > 0 })
  }
  judged('When it is run again, it finishes: every node’s rules show the new range.', ({ right }) => !right)
  judged('Each Felix restarts exactly once for it, wherever the process died.', ({ starts }) =>
    starts.some((it) => it !== 1),
  )
  judged('No override is left.', ({ overrides }) => overrides !== 0)
  judged(
    'Never more than two nodes, which is the budget, are without a ready Felix at one time.',
    ({ atOnce }) => atOnce > budget,
    `; ${Math.max(...dead.map(({ atOnce }) => atOnce))} at most`,
  )
}

/** Elsewhere the process has another number, and cannot know that the one that holds the Lease is dead. */
const waitsForTheLock = async (
  ground: Ground,
  { run }: DoomedTool,
  { range, claim }: { range: string; claim: (it: Claim) => void },
): Promise<void> => {
  const crashPoint: CrashPoint = { at: 2, moment: 'after' }
  const again = (args: string[]) => runTool(ground, ...args)
  const it = await change(ground, (args) => run(args, crashPoint), { crashPoint, range, again })
  const { starts, seconds, right, overrides } = it
  claim({
    claim:
      'From another terminal it waits until the lock of the killed process has expired (a minute), and then finishes in the same way.',
    command: `${typed(...argsFor(ranges[0]))} # killed with SIGKILL, and again elsewhere`,
    seen: `finished after ${Math.round(seconds)} s; ${starts.join(', ')} starts of Felix; ${overrides} overrides`,
    holds: right && seconds > 55 && seconds < 90 && starts.every((count) => count === 1) && overrides === 0,
  })
}
