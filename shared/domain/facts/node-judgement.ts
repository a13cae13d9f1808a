import type { MarkFacts, NodeFacts } from './facts.ts'
import type { RangeLayer } from '../felix/values.ts'
import { capacity } from '../mark.ts'
import type { RangeDifference } from './range-difference.ts'

/** Adds the facts of a node that depend on several others. */
export function judged(
  it: NodeFacts,
  difference: RangeDifference | undefined,
  { assumed }: { assumed: boolean },
): NodeFacts {
  const bpf = it.values.BPFEnabled === true
  const active = it.running?.mode === 'ipvs' && !bpf
  const ipvs = active ? 'active' : it.configuredMode === 'ipvs' || it.running?.mode === 'ipvs' ? 'configured' : 'no'
  const layer = decidingLayer(it)
  return {
    ...it,
    ipvs,
    ...(difference && { rangeDifference: difference }),
    rangeDiffers: active && !assumed && difference !== undefined,
    ...(layer && { rangeLayer: layer }),
    mark: markOf(it),
  }
}

const decidingLayer = ({ index, felixNode, sources }: NodeFacts): RangeLayer | undefined =>
  index && felixNode && sources.KubeNodePortRanges !== 'default'
    ? index.rangeLayers(felixNode).find(({ decides }) => decides)
    : undefined

function markOf({ felix, values, version }: NodeFacts): MarkFacts {
  if (felix?.outcome === 'error') return { capacity: 0 }
  const mask = values.effectiveMarkMask
  if (mask === undefined) return {}
  return { mask, capacity: capacity(mask, version, usesWireguard(values)) }
}

export const usesWireguard = (values: NodeFacts['values']): boolean =>
  values.WireguardEnabled === true || values.WireguardEnabledV6 === true
