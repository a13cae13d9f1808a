import type { KubeClient } from '../../clients/kube/client.ts'
import type { NodeState } from '../../domain/cluster.ts'
import { leftOutBy } from '../../domain/placement.ts'
import { lostNodes } from '../../domain/rollout/halt-evidence.ts'
import { nextStep } from '../../domain/rollout/next-step.ts'
import { isReachedBy } from '../../domain/rollout/places.ts'
import { overriddenNode } from '../../domain/rollout/range-writes.ts'
import type { Rollout } from '../../domain/rollout/rollout.ts'
import { withNodes } from '../../domain/rollout/step-input.ts'
import type { StepInput } from '../../domain/rollout/step.ts'
import { ReadError } from '../../errors.ts'
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

interface Resumption {
  resumed: Rollout
  now: Date
}

/** Of a halted rollout, unless a person overrides it. */
export const checkedBefore = async (kube: KubeClient, halted: Rollout, resumption: Resumption): Promise<Resuming> => {
  const { evidence, reverted } = halted
  const at = resumption.now.toISOString()
  if (reverted?.at.slice(0, 10) === at.slice(0, 10))
    return not(
      `${reverted.object} was reverted by ${reverted.by ?? 'somebody'} today (${reverted.at}), and is not written again on the same day`,
    )
  const looked = await lookFor(kube, halted, resumption)
  if ('against' in looked) return looked
  const { rollout, apart, seen, nodes } = looked
  const there = new Set(nodes.map(({ name }) => name))
  const well = new Set(seen.pods.filter(({ ready, deletedAt }) => ready && !deletedAt).map(({ node }) => node))
  const ill = failedOn(evidence).find((node) => there.has(node) && !well.has(node) && !isIn(apart)(node))
  if (ill !== undefined) return not(`${ill}, on which it halted, is still not well: its calico-node is not Ready`)
  // An earlier write of the same value does not count here: a person requested it again.
  const step = nextStep({ ...rollout, startedAt: at }, seen, at)
  return step.do === 'halt' ? not(`it would halt again at once: ${step.reason}`) : { rollout, apart }
}

/**
 * Of a paused rollout, and with `--force`: it is never refused. Where it cannot be seen which nodes are to be left out, no
 * other is.
 */
export const uncheckedBefore = async (kube: KubeClient, stopped: Rollout, resumption: Resumption) => {
  const asItIs = { rollout: resumption.resumed, apart: [] }
  try {
    const looked = await lookFor(kube, stopped, resumption)
    return 'against' in looked ? asItIs : looked
  } catch (error) {
    if (!(error instanceof ReadError)) throw error
    return asItIs
  }
}

type Looked = { rollout: Rollout; apart: Apart[]; seen: StepInput; nodes: NodeState[] }

const lookFor = async (
  kube: KubeClient,
  { evidence }: Rollout,
  { resumed: asked, now }: Resumption,
): Promise<{ against: string } | Looked> => {
  // A pod may be wanted again on a node that was left out before.
  const resumed = { ...asked, apart: [] }
  const calico = await calicoPods(kube)
  if ('unknown' in calico) return not(calico.unknown)
  // A list of nodes that is empty as well would agree with it, and no node would have to be well any more.
  if (listsNone(calico)) return not(unlisted)
  const nodes = needed(agreeing(await kube.nodes(), calico.pods))
  const seen = withNodes(await observeRollout(kube, resumed, { pods: calico.pods, now }), nodes)
  const overridden = seen.objects.filter(isReachedBy(resumed)).map(overriddenNode)
  const touched = [...failedOn(evidence), ...resumed.touching.map(({ node }) => node), ...overridden]
  const apart = apartOf(calico, nodes, touched)
  const touching = resumed.touching.filter(({ node }) => !isIn(apart)(node))
  return { rollout: { ...resumed, touching, apart: overridden.filter(isIn(apart)) }, apart, seen, nodes }
}

const failedOn = (evidence: Rollout['evidence']): string[] => (evidence ? lostNodes(evidence) : [])

const isIn = (apart: Apart[]): ((name: string) => boolean) => {
  const names = new Set(apart.map(({ node }) => node))
  return (name) => names.has(name)
}

const not = (against: string): { against: string } => ({ against })

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
