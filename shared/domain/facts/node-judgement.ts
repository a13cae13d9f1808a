import type { MarkFacts, NodeFacts } from './facts.ts'
import { capacity } from '../mark.ts'
import { type PortRange, sameRanges } from '../ports.ts'

/** What follows from the facts of a node taken together. */
export function judged(it: NodeFacts, desired: PortRange[] | undefined): NodeFacts {
  const bpf = it.values.BPFEnabled === true
  const active = it.running?.mode === 'ipvs' && !bpf
  const ipvs = active ? 'active' : it.configuredMode === 'ipvs' || it.running?.mode === 'ipvs' ? 'configured' : 'no'
  const effective = it.values.effectiveRange
  const rangeDiffers = active && effective !== undefined && desired !== undefined && !sameRanges(effective, desired)
  return { ...it, ipvs, rangeDiffers, mark: markOf(it) }
}

function markOf({ felix, values, version }: NodeFacts): MarkFacts {
  if (felix?.outcome === 'error') return { capacity: 0 }
  const mask = values.effectiveMarkMask
  if (mask === undefined) return {}
  return { mask, capacity: capacity(mask, version, usesWireguard(values)) }
}

export const usesWireguard = (values: NodeFacts['values']): boolean =>
  values.WireguardEnabled === true || values.WireguardEnabledV6 === true
