import type { Chapter } from './claim.ts'
import { disturbance } from './disturbance.ts'
import { setTimeout as sleep } from 'node:timers/promises'
import { paceFlags, rangeFlag, runTool, typed } from './tool.ts'

/** A change of the range as the command line makes it, with one node at a time and with two. */
export const stagedChange: Chapter = {
  name: 'staged-change',
  title: 'A staged change of the range, by the command line',
  ground: { nodes: 5 },
  prove: async (ground, claim) => {
    const { nodes, ports } = ground
    for (const [budget, range] of [
      [1, '20000:32767'],
      [2, '25000:32767'],
    ] as const) {
      const since = Date.now()
      const args = ['sync', '--yes', ...rangeFlag(range), '--max-unavailable', String(budget)]
      const ran = await runTool(ground, ...args, ...paceFlags())
      // What promotion and clean-up might have set off would show by now.
      await sleep(4_000)
      const seen = await ports()
      const { starts, atOnce } = disturbance(nodes, since)
      claim({
        claim: `With a budget of ${budget}, every node’s rules show the new range at the end.`,
        command: typed(...args),
        seen: `exit status ${ran.code}; rules for ${seen.join(', ')}`,
        holds: ran.code === 0 && seen.every((it) => it === range),
      })
      claim({
        claim: `Never more than ${budget === 1 ? 'one node is' : 'two nodes are'} without a ready Felix at one time.`,
        command: typed(...args),
        seen: `${atOnce} at most`,
        holds: atOnce >= 1 && atOnce <= budget,
      })
      claim({
        claim: 'Each Felix restarts exactly once: promotion to `default` and removal of the overrides restart none.',
        command: typed(...args),
        seen: `${starts.join(', ')} starts of Felix`,
        holds: starts.every((it) => it === 1),
      })
    }
  },
}
