import type { ClusterFacts, NodeFacts } from '../facts/facts.ts'
import type { FelixWarning, RangeLayer } from '../felix/values.ts'
import { felixName, felixObject } from './remedy.ts'
import { formatRanges, normalise, parsePortList, type PortRange } from '../ports.ts'
import type { Evidence } from '../report.ts'
import { isOurs } from '../rollout/marks.ts'

export const warningEvidence = ({ object, field, raw }: Pick<FelixWarning, 'object' | 'field' | 'raw'>): Evidence => ({
  object,
  ...(field !== undefined && { field }),
  ...(raw !== undefined && { value: raw }),
})

export const builtIn: Evidence = { object: 'Felix', field: 'KubeNodePortRanges', value: '30000:32767 (built in)' }

/** Formats only the first ranges: a list can be long, and this is called for each of thousands of nodes. */
export const text = (ranges: readonly PortRange[]): string => {
  const all = normalise(ranges)
  const shown = formatRanges(all.slice(0, itemsShown)).join(', ')
  return all.length <= itemsShown ? shown || 'no port' : `${shown} and ${all.length - itemsShown} more`
}

/** Enough to recognize a list; a sentence cannot contain thousands. */
const itemsShown = 12

export const listed = (items: readonly string[], most = itemsShown): string =>
  `${items.slice(0, most).join(', ')}${items.length > most ? ` and ${items.length - most} more` : ''}`

export const layerEvidence = (layer: RangeLayer): Evidence => ({
  object: layer.object,
  ...(layer.field === undefined ? {} : { field: layer.field }),
  ...(layer.raw === undefined ? {} : { value: layer.raw }),
})

/**
 * Whether a write to `default` is effective on this node: no layer above it decides, or only an override of this
 * tool.
 */
export function isReachedByDefault(it: NodeFacts, cluster: ClusterFacts): boolean {
  const source = it.sources.KubeNodePortRanges
  if (source !== 'host') return source === 'global' || source === 'default'
  const object = felixObject(cluster, `node.${it.node.name}`)
  return object !== undefined && isOurs(object)
}

/** The ranges of the spec's items; undefined if they cannot be parsed. */
export function specRanges(name: string, cluster: ClusterFacts): PortRange[] | undefined {
  const object = felixObject(cluster, felixName(name) ?? name)
  const items = object?.spec['kubeNodePortRanges']
  if (!Array.isArray(items)) return undefined
  const parsed = items.length === 0 ? { ok: true as const, ranges: [] } : parsePortList(items.map(String).join(','))
  return parsed.ok ? parsed.ranges : undefined
}
