import { setTimeout as sleep } from 'node:timers/promises'
import { rolloutRestart } from '../../../lab/fixtures/changes.ts'
import { untilSettled } from '../../../lab/fixtures/settle.ts'
import { paceFlags, runTool } from '../proof/tool.ts'
import type { Chapter } from './claim.ts'
import type { Ground } from './ground.ts'
import { outcomes, tryOnce, untilOutcomes, watchConnections } from './probe.ts'
import { isPod, range, rangeFlag, services, setScene, unset } from './scene.ts'
import { setRange } from './workload.ts'

const calicoNode = { namespace: 'calico-system', name: 'calico-node' }

const ways: { name: string; change: (ground: Ground) => Promise<unknown> }[] = [
  {
    name: 'patch `spec` of `default`, five seconds later `kubectl rollout restart`',
    change: (ground) => patchAndRestart(ground, { spec: range }),
  },
  {
    name: 'patch the annotation of `default`, five seconds later `kubectl rollout restart`',
    change: (ground) => patchAndRestart(ground, { annotation: range }),
  },
  {
    name: '`calico-ipvs-sync sync`',
    change: (ground) => runTool(ground, 'sync', '--yes', ...rangeFlag, ...paceFlags()),
  },
]

async function patchAndRestart(ground: Ground, how: { spec?: string; annotation?: string }): Promise<void> {
  await setRange(ground, how)
  // Nobody types the next command in less.
  await sleep(5_000)
  await rolloutRestart(ground.cluster, calicoNode)
  await untilSettled(ground.cluster, calicoNode, { pods: ground.nodes.length, timeout: 300_000 })
}

/** Connections to a node port that works and to one that does not yet, before, during and after the change, for each way of making it. */
export const byHand: Chapter = {
  name: 'by-hand',
  title: 'Connections while the range changes',
  prove: async (ground, claim, measured) => {
    const { targets } = await setScene(ground)
    const [working, broken] = [targets(services.inside), targets(services.outside)]
    const rows: { name: string; before: number; lost: number; tried: number; after: number; withoutFelix: number }[] =
      []
    for (const { name, change } of ways) {
      await unset(ground)
      await untilOutcomes(ground, broken, (it) => it === 'timeout')
      const before = failing(outcomes(broken, await tryOnce(ground, broken)))
      const since = Date.now()
      const watched = watchConnections(ground, working)
      await change(ground)
      await sleep(5_000)
      const { tried, failed } = await watched.end()
      const after = failing(outcomes(broken, await tryOnce(ground, broken)))
      rows.push({ name, before, lost: failed, tried, after, withoutFelix: mostWithoutFelix(ground, since) })
    }
    const total = broken.length
    measured({
      title: `One change of the range on ${ground.nodes.length} nodes, ${total} connections tried outside of the old range`,
      head: [
        '',
        'failing before',
        'lost meanwhile, of those that worked',
        'failing after',
        'nodes without Felix at once',
      ],
      rows: rows.map((it) => [
        it.name,
        `${it.before} of ${total}`,
        `${it.lost} of ${it.tried}`,
        `${it.after} of ${total}`,
        String(it.withoutFelix),
      ]),
    })
    const [bySpec, byAnnotation, ours] = rows
    if (!bySpec || !byAnnotation || !ours) throw new Error('A way of changing it is missing.')
    claim({
      claim: 'The documented field and a restart of all leaves the node port closed.',
      command: bySpec.name,
      before: `${bySpec.before} of ${total} fail`,
      after: `${bySpec.after} of ${total} fail`,
      holds: bySpec.before === total && bySpec.after === total,
    })
    claim({
      claim: 'The tool opens it, with one node at a time without Felix; by hand all are without it at once.',
      command: ours.name,
      before: `${ours.before} of ${total} fail`,
      after: `${ours.after} of ${total} fail; ${ours.withoutFelix} node at once, by hand ${byAnnotation.withoutFelix}`,
      holds: ours.before === total && ours.after === 0 && ours.withoutFelix === 1 && byAnnotation.withoutFelix > 1,
    })
  },
}

const failing = (all: readonly string[]): number => all.filter((it) => !isPod(it)).length

/** How many nodes at most had a Felix that had ended and no other that had begun. */
const mostWithoutFelix = ({ nodes }: Ground, since: number): number => {
  const changes = nodes.flatMap(({ lives }) =>
    lives.flatMap(({ startedAt, endedAt }) => [
      ...(startedAt >= since ? [{ at: startedAt, by: -1 }] : []),
      ...(endedAt !== undefined && endedAt >= since ? [{ at: endedAt, by: 1 }] : []),
    ]),
  )
  let [now, most] = [0, 0]
  for (const { by } of changes.toSorted((a, b) => a.at - b.at)) most = Math.max(most, (now += by))
  return most
}
