import { watch, type WatchedObject } from '../../lab/watch.ts'
import type { LabCluster } from '../../lab/cluster.ts'
import { nodeSpecs } from '../../lab/fixtures/nodes.ts'
import { changeKey, lease, ours, rangeAnnotation } from '../../shared/domain/rollout/annotations.ts'

/** A change of the text of the range that counts on a node: it makes the node's Felix restart. */
export interface Touch {
  node: string
  range: string | undefined
  /** Milliseconds since 1970: when the watch told of it. */
  at: number
}

/** A FelixConfiguration as somebody left it. */
export interface Write {
  object: string
  by: string | undefined
  version: number
}

/** The Lease as somebody left it. */
export interface LeaseVersion {
  holder: string | undefined
  state: string | undefined
  startedAt: string | undefined
  at: number
  version: number
}

/** What an API server's own watch showed, whatever anybody says they did. Versions of all kinds are of one count. */
export interface Witness {
  nodes: string[]
  touches: Touch[]
  writes: Write[]
  leases: LeaseVersion[]
  /** FelixConfigurations as they are, with the range each says. */
  ranges: () => [string, string | undefined][]
  caughtUp: () => Promise<void>
  stop: () => void
}

const felixPath = '/apis/crd.projectcalico.org/v1/felixconfigurations'
const leasesPath = `/apis/coordination.k8s.io/v1/namespaces/${lease.namespace}/leases`

export const witness = async (cluster: LabCluster, nodeCount: number): Promise<Witness> => {
  const nodes = nodeSpecs(nodeCount).map(({ name }) => name)
  const seen = { touches: [] as Touch[], writes: [] as Write[], leases: [] as LeaseVersion[] }
  const counts = new Map<string, string | undefined>()
  const felix = await watch(cluster, { path: felixPath }, ({ type, object }) => {
    const at = Date.now()
    if (type !== 'DELETED') seen.writes.push(writeOf(object))
    for (const node of nodes) {
      const range = rangeOn(felix.objects, node)
      if (range === counts.get(node)) continue
      counts.set(node, range)
      seen.touches.push({ node, range, at })
    }
  })
  for (const node of nodes) counts.set(node, rangeOn(felix.objects, node))
  const leases = await watch(cluster, { path: leasesPath }, ({ object }) => {
    if (object.metadata.name === lease.name) seen.leases.push(heldOf(object))
  })
  return {
    nodes,
    ...seen,
    ranges: () => Array.from(felix.objects.values(), (object) => [object.metadata.name, rangeOf(object)]),
    caughtUp: async () => void (await Promise.all([felix.caughtUp(), leases.caughtUp()])),
    stop: () => {
      felix.stop()
      leases.stop()
    },
  }
}

const rangeOf = (object: WatchedObject | undefined): string | undefined =>
  object?.metadata.annotations?.[rangeAnnotation]

const rangeOn = (objects: Map<string, WatchedObject>, node: string): string | undefined =>
  rangeOf(objects.get(`node.${node}`)) ?? rangeOf(objects.get('default'))

const writeOf = ({ metadata: { name, annotations = {}, resourceVersion } }: WatchedObject): Write => {
  const { by } = JSON.parse(annotations[changeKey] ?? '{}') as { by?: string }
  return { object: name, by, version: Number(resourceVersion) }
}

const heldOf = ({ metadata: { annotations = {}, resourceVersion }, spec = {} }: WatchedObject): LeaseVersion => ({
  holder: (spec['holderIdentity'] as string | undefined) || undefined,
  state: annotations[`${ours}state`],
  startedAt: annotations[`${ours}started-at`],
  at: Date.now(),
  version: Number(resourceVersion),
})

/** Who wrote a FelixConfiguration while somebody else, or nobody, held the Lease. */
export const trespassers = ({ writes, leases }: Pick<Witness, 'writes' | 'leases'>): string[] =>
  writes.flatMap(({ object, by, version }) => {
    const holder = leases.findLast((it) => it.version < version)?.holder
    return by === holder ? [] : [`${by ?? 'somebody'} wrote ${object} while ${holder ?? 'nobody'} held the Lease`]
  })

/** Without repetitions that follow one another. */
export const inTurn = <T>(values: T[]): T[] => values.filter((it, index) => index === 0 || it !== values[index - 1])

/** The most nodes touched within any span of so many milliseconds. */
export const mostWithin = (touches: Touch[], milliseconds: number): number =>
  Math.max(0, ...touches.map(({ at }) => touches.filter((it) => it.at <= at && at - it.at < milliseconds).length))
