import type { FelixConfigurations, NodeState, PodState } from '../cluster.ts'
import { indexFelix, type FelixIndex } from '../felix/felix-index.ts'
import { objectName } from '../felix/layer.ts'
import type { FelixNode } from '../felix/lookup.ts'
import { overrideName } from './range-writes.ts'
import type { StepInput } from './step.ts'
import type { Where } from './rollout.ts'
import { parseVersion, versionOfImage, type CalicoVersion } from '../version.ts'

/**
 * Felix's effective configuration on each pod's node. Node labels are not read: if a selector object sets the range,
 * the rollout excludes those nodes from its beginning.
 */
export const stepInput = ({ api, objects }: FelixConfigurations, pods: PodState[], where: Where): StepInput => {
  const fallback = parseVersion(where.calico)
  const indexes = new Map<string, FelixIndex>()
  const indexFor = (calico: CalicoVersion | undefined): FelixIndex => {
    const key = calico?.text ?? ''
    const index = indexes.get(key) ?? indexFelix({ objects, api, ...(calico && { calico }) })
    indexes.set(key, index)
    return index
  }
  let trouble: StepInput['trouble']
  const rangeFor = (node: FelixNode, calico: CalicoVersion | undefined): string | undefined => {
    const felix = indexFor(calico).resolve(node)
    if (felix.outcome !== 'error') return felix.raw.KubeNodePortRanges
    trouble ??= { reason: `Felix would reject its configuration: ${felix.message}`, objects: felix.objects }
    return undefined
  }
  const plain = (nodeName: string): FelixNode => ({ nodeName, nodeLabels: {}, env: [] })
  const versionOn = (pod: PodState | undefined) => versionOfImage(pod?.image ?? '') ?? fallback
  const felixOn = (pod: PodState): FelixNode => ({ ...plain(pod.node), env: literal(pod) })
  const ranges = new Map(pods.map((pod) => [pod.node, rangeFor(felixOn(pod), versionOn(pod))]))
  const defaultRange = rangeFor(plain(''), versionOn(pods[0]))
  return {
    objects,
    pods,
    rangeOn: ({ node }) => ranges.get(node),
    setsOwnRange: (pod) => setsOwnRange(indexFor(versionOn(pod)), felixOn(pod)),
    defaultRange,
    ...(trouble && { trouble }),
  }
}

/**
 * In any spelling, in the field and in the copy of the metadata, as this version of Felix reads them. An empty
 * annotation hides the field and decides nothing: such a node has the range of `default`, and takes its turn.
 */
const setsOwnRange = (index: FelixIndex, node: FelixNode): boolean => {
  const own = objectName(overrideName(node.nodeName))
  return index.rangeLayers(node).some(({ object, raw }) => object === own && raw !== '')
}

/** A node whose kubelet does not answer, or that no longer exists, is not well, whatever the status of its pod. */
export const withNodes = (seen: StepInput, nodes: NodeState[]): StepInput => {
  const known = new Map(nodes.map((node) => [node.name, node]))
  const pods = seen.pods.map((pod): PodState => {
    const node = known.get(pod.node)
    if (node?.ready || !pod.ready) return pod
    return { ...pod, ready: false, ...(node?.readySince !== undefined && { readySince: node.readySince }) }
  })
  const original = new Map(pods.map((pod, index) => [pod, seen.pods[index] ?? pod]))
  return { ...seen, pods, rangeOn: (pod) => seen.rangeOn(original.get(pod) ?? pod) }
}

const literal = ({ env }: PodState): FelixNode['env'] =>
  env.flatMap(({ name, value }) => (value === undefined ? [] : [{ name, value }]))
