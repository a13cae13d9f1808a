import { type Disturbance, edit, machineOf, somebody } from './acts.ts'
import type { Cluster } from './cluster.ts'
import { anOverride } from './edits.ts'
import type { Random } from './random.ts'
import { journals, leaseTexts, markTexts } from './damaged-texts.ts'

type Text = string | undefined

const oneOf = (random: Random, texts: readonly Text[]): Text => texts[random.between(0, texts.length - 1)]

/** Annotations with one to three of them damaged, and any that is `undefined` taken away. */
const damaged = (
  annotations: Record<string, string>,
  random: Random,
  texts: Record<string, readonly Text[]>,
): Record<string, string> => {
  const keys = Object.keys(texts) as [string, ...string[]]
  const changes = Array.from({ length: random.pick([1, 1, 2, 3]) }, () => {
    const key = random.pick(keys)
    return [key, oneOf(random, texts[key] ?? [])] as const
  })
  const all = Object.entries({ ...annotations, ...Object.fromEntries(changes) })
  return Object.fromEntries(all.filter((entry): entry is [string, string] => entry[1] !== undefined))
}

const leaseDamaged = (
  { stage, onlooker }: Parameters<Disturbance>[0],
  cluster: Cluster,
  change: (annotations: Record<string, string>) => Record<string, string>,
): void => {
  const { lease } = cluster
  if (!lease) return
  cluster.versions += 1
  const annotations = change(lease.annotations)
  const keys = Object.keys({ ...lease.annotations, ...annotations })
  const changed = keys.filter((key) => lease.annotations[key] !== annotations[key])
  cluster.lease = { ...lease, resourceVersion: `${cluster.versions}`, annotations }
  const shown = changed.map((key) => `${key} = ${annotations[key]?.slice(0, 80) ?? 'nothing'}`)
  stage.note('somebody', `${cluster.ref.name}: damages the Lease: ${shown.join(', ')}`)
  onlooker.leased(cluster, somebody, lease)
}

/** Texts of ours that somebody damages or forges. */
export const damage: Record<string, Disturbance> = {
  'the Lease is damaged': (world, cluster, random) => {
    const node = machineOf(cluster, random)?.name ?? 'node-0001'
    const texts = leaseTexts({ node, pod: cluster.machines.get(node)?.calico?.name ?? '-', now: world.stage.iso() })
    leaseDamaged(world, cluster, (annotations) => damaged(annotations, random, texts))
  },
  'the journal is damaged': (world, cluster, random) =>
    leaseDamaged(world, cluster, (annotations) => ({
      ...annotations,
      'calico-ipvs-sync/journal': oneOf(random, journals(annotations['calico-ipvs-sync/journal'] ?? '')) ?? '',
    })),
  'the duration of the Lease makes no sense': ({ stage, onlooker }, cluster, random) => {
    const { lease } = cluster
    if (!lease) return
    cluster.versions += 1
    const { renewedAt: _renewedAt, ...untimed } = lease
    const seconds = random.pick([999_999, 0, undefined])
    const other = { holder: 'somebody else', resourceVersion: `${cluster.versions}` }
    // What the server stores as a time can be read, or is not there.
    cluster.lease = seconds === undefined ? { ...untimed, ...other } : { ...lease, ...other, leaseSeconds: seconds }
    stage.note('somebody', `${cluster.ref.name}: edits the Lease: ${seconds ?? 'no'} seconds`)
    onlooker.leased(cluster, somebody, lease)
  },
  'the marks of an object are damaged': (world, cluster, random) => {
    const name = random.chance(0.5) ? 'default' : (anOverride(cluster, random) ?? 'default')
    const change = (object: Parameters<Parameters<typeof edit>[2]['change']>[0]) => ({
      ...object,
      annotations: damaged(object.annotations, random, markTexts(world.stage.iso())),
    })
    edit(world, cluster, { name, change })
  },
}
