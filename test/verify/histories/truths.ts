import type { FelixObject } from '../../../shared/domain/cluster.ts'
import { rangeKey } from '../../domain/states.ts'
import type { Cluster, Write } from './cluster.ts'
import type { Page } from './ledger.ts'
import type { Table } from './table.ts'

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

const ours = (key: string): boolean => key === rangeKey || key.startsWith('calico-ipvs-sync/')

const sorted = (of: object = {}, isMeant: (key: string) => boolean) =>
  Object.entries(of)
    .filter(([key]) => isMeant(key))
    .toSorted(([a], [b]) => (a < b ? -1 : 1))

const foreignOf = (object: FelixObject | undefined): string =>
  JSON.stringify([
    sorted(object?.annotations, (key) => !ours(key)),
    sorted(object?.spec, (key) => key !== 'kubeNodePortRanges'),
  ])

const settingsOf = ({ annotations }: FelixObject): Record<string, string> =>
  Object.fromEntries(Object.entries(annotations).filter(([key]) => key.startsWith('config.projectcalico.org/')))

/** A range that others gave a node, a setting that is not ours, or the whole of `default`. */
export const changesOthers = ({ byOthers }: Page, { name, before, after }: Write): boolean => {
  if (name === 'default') return !after || (before !== undefined && foreignOf(before) !== foreignOf(after))
  if (!name.startsWith('node.') || byOthers.has(name)) return true
  if (after) return before !== undefined && foreignOf(before) !== foreignOf(after)
  // An override of ours goes with annotations that somebody added and that configure nothing.
  return before !== undefined && foreignOf({ ...before, annotations: settingsOf(before) }) !== foreignOf(undefined)
}

interface Holder {
  cluster: string
  until: string
}

export const holdersIn = (table: Table): Holder[] => {
  const text = table.get('fleet', 'budget')?.['budget']?.S
  return text === undefined ? [] : (JSON.parse(text) as { holders: Holder[] }).holders
}
