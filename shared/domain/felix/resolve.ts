import type { FelixSetting } from './decode.ts'
import { choose } from './choose.ts'
import { goLower, quote, short } from './go.ts'
import { felixParameters, isNone, type Layer, objectOf, type Rules } from './layer.ts'
import type { Parameter } from './params.ts'
import type { FelixError, FelixParameter, FelixResolution, FelixValues, FelixWarning } from './values.ts'
import { normalise, type PortRange } from '../ports.ts'
import type { RangeSource } from '../report.ts'

/**
 * Felix parses every layer, also the shadowed ones; an invalid text of a fatal parameter stops it. Layers are in the
 * order in which Felix loads them.
 */
export function firstError(layers: readonly Layer[], rules: Rules): FelixError | undefined {
  for (const layer of layers) {
    for (const [name, entries] of layer.entries) {
      const parameter = rules.parameters.get(name)
      const refused = parameter && entries.find((entry) => entry.raw !== '' && stops(parameter, entry.raw, rules))
      if (parameter && refused) return stopError(layer, refused, reasonFor(parameter, refused.raw, rules))
    }
  }
  return undefined
}

function stops(parameter: Parameter, raw: string, rules: Rules): boolean {
  if (isNone(raw)) return parameter.zero === undefined
  return parameter.fatal && !rules.parse(parameter, raw).ok
}

function reasonFor(parameter: Parameter, raw: string, rules: Rules): string {
  if (isNone(raw)) return 'non-zero field cannot be set to none'
  const parsed = rules.parse(parameter, raw)
  return parsed.ok ? '' : parsed.reason
}

function stopError(layer: Layer, entry: FelixSetting, reason: string): FelixError {
  const parameter = felixParameters.find((name) => name.toLowerCase() === goLower(entry.key.replace(/^felix_/i, '')))
  const object = objectOf(layer, entry)
  return {
    outcome: 'error',
    message: `Felix does not start: ${entry.key} is ${quote(entry.raw)} in ${object}: ${short(reason)}`,
    stage: layer.source,
    objects: [object],
    ...(parameter && { parameter }),
    warnings: [],
  }
}

/** The values of layers without an error, highest layer first. */
export function resolveLayers(layers: readonly Layer[], rules: Rules, known: readonly FelixWarning[]): FelixResolution {
  const choices = new Map(felixParameters.map((name) => [name, choose(name, layers, rules)]))
  const certain = [...choices].filter(([, choice]) => choice.uncertain === undefined)
  const values = Object.fromEntries(certain.map(([name, choice]) => [name, choice.value])) as Partial<FelixValues>
  const sources = Object.fromEntries(certain.map(([name, choice]) => [name, choice.source]))
  const raws = certain.flatMap(([name, choice]) => (choice.raw === undefined ? [] : [[name, choice.raw]]))
  const uncertain = [...choices].filter(([, choice]) => choice.uncertain !== undefined)
  const rest = {
    sources: sources as Record<FelixParameter, RangeSource>,
    raw: Object.fromEntries(raws) as Partial<Record<FelixParameter, string>>,
    warnings: [...known, ...[...choices.values()].flatMap((choice) => choice.warnings)],
  }
  const all = { ...values, ...derive(values, rules) }
  if (uncertain.length === 0) return { outcome: 'ok', values: all as Required<typeof all>, ...rest }
  const outcome = uncertain.some(([, choice]) => choice.uncertain === 'unknown') ? 'unknown' : 'nondeterministic'
  return { outcome, parameters: uncertain.map(([name]) => name), values: all, ...rest }
}

function derive(
  values: Partial<FelixValues>,
  rules: Rules,
): { effectiveRange?: PortRange[]; effectiveMarkMask?: number } {
  const { KubeNodePortRanges: ranges, NFTablesMode: mode } = values
  const mask = mode && (rules.usesNftablesMask(mode) ? values.NftablesMarkMask : values.IptablesMarkMask)
  return {
    ...(ranges && { effectiveRange: normalise(ranges) }),
    ...(mask !== undefined && { effectiveMarkMask: mask }),
  }
}
