import { setTimeout as sleep } from 'node:timers/promises'
import { type Way, ways } from '../chapters/ways.ts'
import type { Chapter } from './claim.ts'
import { type Disturbance, disturbance } from './disturbance.ts'

/** What each does to the nodes is all that is compared. */
const compared: (Way & { range: string })[] = [
  { ...ways.spec, range: '21000:32767' },
  { ...ways.annotation, range: '22000:32767' },
  { ...ways.tool, range: '23000:32767' },
]

/** Side by side, in one run and on the same nodes. */
export const comparison: Chapter = {
  name: 'comparison',
  title: 'Compared with changes by hand',
  ground: { nodes: 5 },
  prove: async (ground, claim, measured) => {
    const { nodes, ports } = ground
    const came: (Disturbance & { name: string; right: number; took: number; code?: number | null })[] = []
    for (const { name, range, change } of compared) {
      const since = Date.now()
      const ran = await change(ground, range)
      const took = (Date.now() - since) / 1000
      // What was set off last would show by now: Felix ends two seconds after it has seen a change.
      await sleep(5_000)
      const right = (await ports()).filter((it) => it === range).length
      came.push({ name, right, took, ...(ran && { code: ran.code }), ...disturbance(nodes, since) })
    }
    const total = ({ starts }: Disturbance) => starts.reduce((sum, it) => sum + it, 0)
    measured({
      title: `One change of the range on ${nodes.length} nodes`,
      head: [
        '',
        'nodes without Felix at once',
        'restarts of Felix',
        'seconds without Felix, all nodes',
        'rules right at the end',
        'seconds in all',
      ],
      rows: came.map((it) => [
        it.name,
        String(it.atOnce),
        String(total(it)),
        it.seconds.toFixed(1),
        `${it.right} of ${nodes.length}`,
        it.took.toFixed(0),
      ]),
    })
    const [bySpec, byAnnotation, ours] = came
    if (!bySpec || !byAnnotation || !ours) throw new Error('A way of changing it is missing.')
    const words = (it: typeof ours) =>
      `${it.atOnce} at once, ${total(it)} restarts, right on ${it.right} of ${nodes.length}`
    claim({
      claim: 'The documented field and a restart of all: every Felix restarts, and no rule is right.',
      command: bySpec.name,
      seen: words(bySpec),
      holds: bySpec.right === 0 && total(bySpec) === nodes.length,
    })
    claim({
      claim:
        'The annotation on `default` and a restart of all: right, but all at once, and every Felix restarts twice.',
      command: byAnnotation.name,
      seen: words(byAnnotation),
      holds: byAnnotation.right === nodes.length && byAnnotation.atOnce > 1 && total(byAnnotation) === 2 * nodes.length,
    })
    claim({
      claim: 'The tool: right, one node at a time, each Felix restarted once.',
      command: ours.name,
      seen: words(ours),
      holds: ours.right === nodes.length && ours.atOnce === 1 && total(ours) === nodes.length && ours.code === 0,
    })
  },
}
