import type { FelixIndex } from '../felix/felix-index.ts'
import type { FelixNode } from '../felix/lookup.ts'
import type { FelixResolution } from '../felix/values.ts'
import { rangesAtMost } from '../ports.ts'

/** A list of ranges that is too long to compare for every node is treated as unreadable; a warning names its field. */
export function withoutVastRange(felix: FelixResolution, index: FelixIndex, node: FelixNode): FelixResolution {
  if (felix.outcome === 'error') return felix
  const count = felix.values.effectiveRange?.length ?? 0
  if (count <= rangesAtMost) return felix
  const { effectiveRange: _, ...values } = felix.values
  const layer = index.rangeLayers(node).find(({ decides }) => decides)
  const warning = {
    kind: 'vast',
    parameter: 'KubeNodePortRanges',
    source: felix.sources.KubeNodePortRanges ?? 'default',
    object: layer?.object ?? 'KubeNodePortRanges',
    ...(layer?.field !== undefined && { field: layer.field }),
    decides: true,
    message: `KubeNodePortRanges has ${count} separate ranges; the tool compares at most ${rangesAtMost}`,
  } as const
  return {
    ...felix,
    outcome: 'unknown',
    parameters: ['KubeNodePortRanges'],
    values,
    warnings: [...felix.warnings, warning],
  }
}
