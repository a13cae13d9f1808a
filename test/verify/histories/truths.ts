import type { FelixObject } from '../../../shared/domain/cluster.ts'
import { ours as prefix } from '../../../shared/domain/rollout/annotations.ts'
import { rangeKey } from '../../domain/states.ts'
import type { Cluster, Write } from './cluster.ts'
import type { Page } from './ledger.ts'
import { ownSetting } from './natures.ts'
import { copyIn, rangeIn } from './ranges.ts'
import type { Table } from './table.ts'

/** What the Lease says of a rollout: without its id there is none, whatever else is left. */
export const rolloutIn = ({ lease }: Pick<Cluster, 'lease'>): Record<string, string> => {
  const { annotations = {} } = lease ?? {}
  return `${prefix}rollout` in annotations ? annotations : {}
}

export const hasRollback = ({ lease }: Cluster): boolean =>
  lease?.annotations['calico-ipvs-sync/rollback'] !== undefined

export const isSameDay = (one: number, other: number): boolean =>
  new Date(one).toISOString().slice(0, 10) === new Date(other).toISOString().slice(0, 10)

/** Somebody asks for it now or did when the rollout was under way, or it is what stood there before. */
export const isWanted = (
  { wanted, former, cluster }: Page,
  range: string,
  { name, now }: { name: string; now: number },
): boolean => {
  const begun = Date.parse(cluster.lease?.annotations['calico-ipvs-sync/started-at'] ?? '') || now
  const since = Math.min(begun, now) - 15 * 60_000
  return wanted.some((it) => it.range === range && it.until > since) || (name === 'default' && former.has(range))
}

const ours = (key: string): boolean => key === rangeKey || key.startsWith(prefix)

const sorted = (of: object = {}, isMeant: (key: string) => boolean) =>
  Object.entries(of)
    .filter(([key]) => isMeant(key))
    .toSorted(([a], [b]) => (a < b ? -1 : 1))

const foreignOf = (object: FelixObject | undefined, fills: object = {}): string =>
  JSON.stringify([
    sorted(object?.annotations, (key) => !ours(key) && key !== 'projectcalico.org/metadata'),
    sorted(copyIn(object), (key) => !ours(key)),
    sorted(object?.spec, (key) => key !== 'kubeNodePortRanges' && !(key in fills)),
  ])

const settingsOf = ({ annotations }: FelixObject): Record<string, string> =>
  Object.fromEntries(Object.entries(annotations).filter(([key]) => key.startsWith('config.projectcalico.org/')))

/** A range that others gave a node, a setting that is not ours, or the whole of `default`. */
export const changesOthers = ({ byOthers }: Page, { cluster, name, before, after }: Write): boolean => {
  const { fills } = cluster.nature
  const isChanged = () => before !== undefined && foreignOf(before, fills) !== foreignOf(after, fills)
  if (name === 'default') return !after || isChanged()
  if (!name.startsWith('node.') || byOthers.has(name)) return true
  if (after) return isChanged()
  // An override of ours goes with annotations that somebody added and that configure nothing.
  const bare = before && { ...before, annotations: settingsOf(before) }
  return bare !== undefined && foreignOf(bare, fills) !== foreignOf(undefined)
}

/** An object of a node that sets something else, with nothing of ours in it. */
export const isOwnObject = (object: FelixObject): boolean =>
  Object.keys(ownSetting).every((field) => field in object.spec) &&
  rangeIn(object) === undefined &&
  Object.keys(object.annotations).every((key) => !key.startsWith(prefix))

interface Holder {
  cluster: string
  until: string
}

export const holdersIn = (table: Table): Holder[] => {
  const text = table.get('fleet', 'budget')?.['budget']?.S
  return text === undefined ? [] : (JSON.parse(text) as { holders: Holder[] }).holders
}
