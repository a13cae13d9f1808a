import { setTimeout as sleep } from 'node:timers/promises'
import { rolloutRestart } from '../../../lab/fixtures/changes.ts'
import { untilSettled } from '../../../lab/fixtures/settle.ts'
import { felixConfigurations, type Ground, mergePatch, rangeAnnotation } from '../proof/ground.ts'
import { paceFlags, type Ran, rangeFlag, runTool } from '../proof/tool.ts'

/** A ground of either proof. */
type AnyGround = Pick<Ground, 'cluster' | 'tool' | 'pace'> & { nodes: readonly unknown[] }

export interface Way {
  name: string
  /** Throws where it was refused; of the tool, what came of it. */
  change: (ground: AnyGround, range: string) => Promise<Ran | void>
}

const calicoNode = { namespace: 'calico-system', name: 'calico-node' }

const patchAndRestart = (body: (range: string) => object) => async (ground: AnyGround, range: string) => {
  await ground.cluster.request('PATCH', `${felixConfigurations}/default`, body(range), mergePatch)
  // Nobody types the next command in less.
  await sleep(5_000)
  await rolloutRestart(ground.cluster, calicoNode)
  await untilSettled(ground.cluster, calicoNode, { pods: ground.nodes.length, timeout: 300_000 })
}

/** The same change of the range, in the ways people have. */
export const ways = {
  spec: {
    name: 'patch `spec` of `default`, five seconds later `kubectl rollout restart`',
    change: patchAndRestart((range) => ({ spec: { kubeNodePortRanges: [range] } })),
  },
  annotation: {
    name: 'patch the annotation of `default`, five seconds later `kubectl rollout restart`',
    change: patchAndRestart((range) => ({ metadata: { annotations: { [rangeAnnotation]: range } } })),
  },
  tool: {
    name: '`calico-ipvs-sync sync`, one node at a time',
    change: (ground, range) => runTool(ground, 'sync', '--yes', ...rangeFlag(range), ...paceFlags(ground.pace)),
  },
} satisfies Record<string, Way>
