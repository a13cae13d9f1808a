import type { KubeClient } from '../../clients/kube/client.ts'
import type { NodeState } from '../../domain/cluster.ts'
import { leftOutBy } from '../../domain/placement.ts'
import { nextStep } from '../../domain/rollout/next-step.ts'
import { isReachedBy } from '../../domain/rollout/places.ts'
import { overriddenNode } from '../../domain/rollout/range-writes.ts'
import type { Rollout } from '../../domain/rollout/rollout.ts'
import { withNodes } from '../../domain/rollout/step-input.ts'
import { needed } from '../needed.ts'
import { agreeing } from '../observe/nodes.ts'
import { type CalicoPods, calicoPods, listsNone, observeRollout, unlisted } from './observe.ts'

/** A touched node without a pod, on which the DaemonSet wants none any more, and why. */
export interface Apart {
  node: string
  why: string
}

/**
 * `against`: why a halted rollout must not be resumed: it would break one more node each time. Else `rollout` is the
 * resumed rollout, without the nodes that are `apart`.
 */
export type Resuming = { against: string } | { rollout: Rollout; apart: Apart[] }

export const beforeResuming = async (
  kube: KubeClient,
  halted: Rollout,
  { resumed, now }: { resumed: Rollout; now: Date },
): Promise<Resuming> => {
  const { evidence, reverted } = halted
  const at = now.toISOString()
  if (reverted?.at.slice(0, 10) === at.slice(0, 10))
    return not(
      `${reverted.object} was reverted by ${reverted.by ?? 'somebody'} today (${reverted.at}), and is not written again on the same day`,
    )
  const calico = await calicoPods(kube)
  if ('unknown' in calico) return not(calico.unknown)
  // A list of nodes that is empty as well would agree with it, and no node would have to be well any more.
  if (listsNone(calico)) return not(unlisted)
  const nodes = needed(agreeing(await kube.nodes(), calico.pods))
  const failed = evidence ? [evidence.node, ...(evidence.beside ?? [])] : []
  const seen = withNodes(await observeRollout(kube, resumed, { pods: calico.pods, now }), nodes)
  const overridden = seen.objects.filter(isReachedBy(resumed)).map(overriddenNode)
  const apart = apartOf(calico, nodes, [...failed, ...resumed.touching.map(({ node }) => node), ...overridden])
  const isApart = (name: string) => apart.some(({ node }) => node === name)
  const touching = resumed.touching.filter(({ node }) => !isApart(node))
  const rollout = { ...resumed, touching, apart: overridden.filter(isApart) }
  const there = new Set(nodes.map(({ name }) => name))
  const well = new Set(seen.pods.filter(({ ready, deletedAt }) => ready && !deletedAt).map(({ node }) => node))
  const ill = failed.find((node) => there.has(node) && !well.has(node) && !isApart(node))
  if (ill !== undefined) return not(`${ill}, on which it halted, is still not well: its calico-node is not Ready`)
  // An earlier write of the same value does not count here: a person requested it again.
  const step = nextStep({ ...rollout, startedAt: at }, seen, at)
  return step.do === 'halt' ? not(`it would halt again at once: ${step.reason}`) : { rollout, apart }
}

const not = (against: string): Resuming => ({ against })

/**
 * By its template and the Node, as its controller decides: its status may be older than a label or a taint, and a pod may be
 * missing without that.
 */
const apartOf = ({ set, pods }: CalicoPods, nodes: NodeState[], touched: string[]): Apart[] => {
  const occupied = new Set(pods.map(({ node }) => node))
  const names = new Set(touched)
  return nodes
    .filter(({ name }) => names.has(name) && !occupied.has(name))
    .flatMap((node) => {
      const why = leftOutBy(set, node)
      return why === undefined ? [] : [{ node: node.name, why }]
    })
}

/** For people. */
export const leftOut = (apart: Apart[]): string =>
  `${apart.map(({ node, why }) => `${node} (${why})`).join(', ')}: left out, because the calico-node DaemonSet wants no pod there`
