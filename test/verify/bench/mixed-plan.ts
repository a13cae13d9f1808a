/**
 * A fleet of nodes drawn from a seed: what each runs and, from what was drawn alone, what a report must say of it. Knows
 * nothing of the engine that is to be judged by it.
 */
export interface MixedNode {
  name: string
  kind: 'ec2' | 'fargate' | 'auto' | 'windows'
  /** Which of two kube-proxy DaemonSets runs here. */
  pool: 'ipvs' | 'iptables'
  calico: (typeof calicoVersions)[number]
  /** The label that selector-scoped FelixConfigurations look for. */
  tier?: keyof typeof selectorRanges
  override?: keyof typeof overrides
}

export interface ExpectedNode {
  verdict: 'in-step' | 'out-of-step' | 'not-applicable'
  runningMode: 'ipvs' | 'iptables' | 'unknown'
  confidence: 'likely' | 'none'
  felixIpvs?: boolean
  effectiveRange?: string[]
  rangeSource?: 'host' | 'selector' | 'global'
  markMask?: string
  markCapacity?: number
}

/** Oldest first, as an upgrade that went from node to node has left them. */
export const calicoVersions = ['v3.24.6', 'v3.28.4', 'v3.32.1'] as const

/** What `default` says; the API server's own range. */
export const defaultRange = '30000:32767'

/** FelixConfigurations for nodes with a label, which count from Calico 3.32 on. */
export const selectorRanges = { gold: '30000:32767', silver: '30000:31000' } as const

/** FelixConfigurations `node.<name>`: what they hold, and what Felix makes of it. */
export const overrides = {
  same: { annotation: '30000:31999,32000:32767', effective: ['30000:32767'] },
  narrow: { annotation: '30000:30100', effective: ['30000:30100'] },
  single: { annotation: '31000,30000:30001', effective: ['30000:30001', '31000'] },
  none: { annotation: 'none', effective: [] },
  // Felix refuses the hyphen and falls back to what is built in.
  hyphen: { annotation: '20000-22767', effective: ['30000:32767'] },
  // Felix cannot read this field in any version; set, it hides the layers below all the same.
  field: { spec: ['20000:22767'], effective: ['30000:32767'] },
} as const

export function mixedNodes(count: number, seed: number): MixedNode[] {
  const draw = drawing(seed)
  const isOneOf = (percent: number) => draw() * 100 < percent
  const oneOf = <T>(items: readonly T[]): T => items[Math.floor(draw() * items.length)] as T
  return Array.from({ length: count }, (_, index) => {
    const kind = isOneOf(94) ? 'ec2' : oneOf(['fargate', 'auto', 'windows'] as const)
    return {
      name: `ip-10-1-${Math.floor(index / 250)}-${(index % 250) + 1}.ec2.internal`,
      kind,
      pool: isOneOf(60) ? 'ipvs' : 'iptables',
      calico: oneOf(calicoVersions),
      ...(isOneOf(30) && { tier: oneOf(Object.keys(selectorRanges) as (keyof typeof selectorRanges)[]) }),
      ...(isOneOf(15) && { override: oneOf(Object.keys(overrides) as (keyof typeof overrides)[]) }),
    }
  })
}

export function expectedOf(node: MixedNode): ExpectedNode {
  if (node.kind !== 'ec2') return { verdict: 'not-applicable', runningMode: 'unknown', confidence: 'none' }
  const { effectiveRange, rangeSource } = rangeOf(node)
  const isActive = node.pool === 'ipvs'
  return {
    verdict: isActive && effectiveRange.join() !== defaultRange ? 'out-of-step' : 'in-step',
    runningMode: node.pool,
    confidence: 'likely',
    felixIpvs: isActive,
    effectiveRange,
    rangeSource,
    markMask: '0xffff0000',
    // 16 bits, of which Felix keeps 4 for itself, from 3.30 on 5; two numbers are never given out.
    ...(isActive && { markCapacity: 2 ** (16 - (node.calico === 'v3.32.1' ? 5 : 4)) - 2 }),
  }
}

function rangeOf({
  override,
  tier,
  calico,
}: MixedNode): Required<Pick<ExpectedNode, 'effectiveRange' | 'rangeSource'>> {
  if (override) return { effectiveRange: [...overrides[override].effective], rangeSource: 'host' }
  if (tier && calico === 'v3.32.1') return { effectiveRange: [selectorRanges[tier]], rangeSource: 'selector' }
  return { effectiveRange: [defaultRange], rangeSource: 'global' }
}

/** Numbers between 0 and 1, the same for the same seed (mulberry32). */
function drawing(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let bits = Math.imul(state ^ (state >>> 15), 1 | state)
    bits = (bits + Math.imul(bits ^ (bits >>> 7), 61 | bits)) ^ bits
    return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32
  }
}
