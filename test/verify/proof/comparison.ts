import { setTimeout as sleep } from 'node:timers/promises'
import { rolloutRestart } from '../../../lab/fixtures/changes.ts'
import { untilSettled } from '../../../lab/fixtures/settle.ts'
import type { Chapter } from './claim.ts'
import { type Disturbance, disturbance } from './disturbance.ts'
import { felixConfigurations, type Ground, mergePatch, rangeAnnotation } from './ground.ts'
import { paceFlags, rangeFlag, runTool } from './tool.ts'

const calicoNode = { namespace: 'calico-system', name: 'calico-node' }

const patchDefault = (body: (range: string) => object) => async (ground: Ground, range: string) => {
  await ground.cluster.request('PATCH', `${felixConfigurations}/default`, body(range), mergePatch)
  // Nobody types the next command in less.
  await sleep(5_000)
  await rolloutRestart(ground.cluster, calicoNode)
  await untilSettled(ground.cluster, calicoNode, { pods: ground.nodes.length, timeout: 180_000 })
}

const spec = (range: string) => ({ spec: { kubeNodePortRanges: [range] } })
const annotation = (range: string) => ({ metadata: { annotations: { [rangeAnnotation]: range } } })

/** The same change, in the ways people have. What each does to the nodes is all that is compared. */
const ways: { name: string; range: string; change: (ground: Ground, range: string) => Promise<unknown> }[] = [
  {
    name: 'patch `spec` of `default`, five seconds later `kubectl rollout restart`',
    range: '21000:32767',
    change: patchDefault(spec),
  },
  {
    name: 'patch the annotation of `default`, five seconds later `kubectl rollout restart`',
    range: '22000:32767',
    change: patchDefault(annotation),
  },
  {
    name: '`calico-ipvs-sync sync`, one node at a time',
    range: '23000:32767',
    change: (ground, range) => runTool(ground, 'sync', '--yes', ...rangeFlag(range), ...paceFlags()),
  },
]

/** Side by side, in one run and on the same nodes. */
export const comparison: Chapter = {
  name: 'comparison',
  title: 'Beside what is done by hand',
  ground: { nodes: 5 },
  prove: async (ground, claim, measured) => {
    const { nodes, ports } = ground
    const came: (Disturbance & { name: string; right: number; took: number })[] = []
    for (const { name, range, change } of ways) {
      const since = Date.now()
      await change(ground, range)
      const took = (Date.now() - since) / 1000
      // What was set off last would show by now: Felix ends two seconds after it has seen a change.
      await sleep(5_000)
      const right = (await ports()).filter((it) => it === range).length
      came.push({ name, right, took, ...disturbance(nodes, since) })
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
      command: `${ways[0]?.name}`,
      seen: words(bySpec),
      holds: bySpec.right === 0 && total(bySpec) === nodes.length,
    })
    claim({
      claim:
        'The annotation on `default` and a restart of all: right, but all at once, and every Felix restarts twice.',
      command: `${ways[1]?.name}`,
      seen: words(byAnnotation),
      holds: byAnnotation.right === nodes.length && byAnnotation.atOnce > 1 && total(byAnnotation) === 2 * nodes.length,
    })
    claim({
      claim: 'The tool: right, one node at a time, each Felix restarted once.',
      command: `${ways[2]?.name}`,
      seen: words(ours),
      holds: ours.right === nodes.length && ours.atOnce === 1 && total(ours) === nodes.length,
    })
  },
}
