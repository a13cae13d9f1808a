import type { Entries, Entry } from './felix-decode.ts'
import { goLower, quote, short } from './felix-go.ts'
import { absent, type Parameter, type Parsed } from './felix-params.ts'
import type { FelixError, FelixParameter, FelixResolution, FelixValues, FelixWarning } from './felix-values.ts'
import type { PortRange } from './ports.ts'
import { normalise } from './ports.ts'
import type { RangeSource } from './report.ts'

/** All that one source says; Felix takes the highest that says anything about a parameter, and it alone. */
export interface Layer {
  source: Exclude<RangeSource, 'default'>
  /** `FelixConfiguration/default`, `environment`, `felix.cfg` */
  object: string
  entries: Entries
  /** Lower-case names that are set here to something that cannot be seen from outside. */
  unknown?: ReadonlySet<string>
}

export interface Rules {
  parameters: ReadonlyMap<string, Parameter>
  /** Felix's own parser, with its answers kept: many nodes share few texts. */
  parse(parameter: Parameter, raw: string): Parsed
  /** Which mask counts, where `NFTablesMode` is known. */
  usesNftablesMask(mode: FelixValues['NFTablesMode']): boolean
}

const names: readonly FelixParameter[] = [
  'KubeNodePortRanges',
  'IptablesMarkMask',
  'NftablesMarkMask',
  'NFTablesMode',
  'BPFEnabled',
  'WireguardEnabled',
  'WireguardEnabledV6',
  'InterfaceExclude',
  'DefaultEndpointToHostAction',
  'UseInternalDataplaneDriver',
]
export const felixParameters = names

/** Felix parses every layer, also the shadowed ones; one text that it must not refuse stops it. Layers in the order it loads them. */
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

const isNone = (raw: string): boolean => raw.length === 4 && goLower(raw) === 'none'

function stops(parameter: Parameter, raw: string, rules: Rules): boolean {
  if (isNone(raw)) return parameter.zero === undefined
  return parameter.fatal && !rules.parse(parameter, raw).ok
}

function reasonFor(parameter: Parameter, raw: string, rules: Rules): string {
  if (isNone(raw)) return 'non-zero field cannot be set to none'
  const parsed = rules.parse(parameter, raw)
  return parsed.ok ? '' : parsed.reason
}

function stopError(layer: Layer, entry: Entry, reason: string): FelixError {
  const parameter = names.find((name) => name.toLowerCase() === goLower(entry.key.replace(/^felix_/i, '')))
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

export const objectOf = (layer: Layer, entry: Entry): string =>
  entry.kind === 'env' ? `env ${entry.key}` : layer.object

interface Choice {
  source: RangeSource
  raw?: string
  value?: unknown
  uncertain?: 'nondeterministic' | 'unknown'
  warnings: FelixWarning[]
}

/** The values of layers that hold no error, highest layer first. */
export function resolveLayers(layers: readonly Layer[], rules: Rules, known: readonly FelixWarning[]): FelixResolution {
  const choices = new Map(names.map((name) => [name, choose(name, layers, rules)]))
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

function choose(name: FelixParameter, layers: readonly Layer[], rules: Rules): Choice {
  const lower = name.toLowerCase()
  const parameter = rules.parameters.get(lower)
  if (!parameter) return chooseAbsent(name, layers)
  const warnings: FelixWarning[] = []
  let choice: Omit<Choice, 'warnings'> | undefined
  for (const layer of layers) {
    if (layer.unknown?.has(lower)) {
      warnings.push(unknownWarning(name, layer, !choice))
      choice ??= { source: layer.source, uncertain: 'unknown' }
    }
    const spoken = (layer.entries.get(lower) ?? []).map((entry) => ({
      entry,
      result: read(parameter, entry.raw, rules),
    }))
    const heard = spoken.filter((it) => it.entry.raw !== '')
    warnings.push(...spoken.flatMap((it) => warningFor(it, { name, layer, decides: !choice })))
    if (heard.length > 1) warnings.push(ambiguousWarning(name, layer, heard[0]?.entry, !choice))
    if (heard.length > 0) choice ??= pick(layer, heard)
  }
  return { ...(choice ?? { source: 'default', value: parameter.builtIn }), warnings }
}

type Result = { value: unknown; reason?: string }

function read(parameter: Parameter, raw: string, rules: Rules): Result {
  if (raw === '') return { value: undefined }
  if (isNone(raw)) return { value: parameter.zero?.value }
  const parsed = rules.parse(parameter, raw)
  return parsed.ok ? { value: parsed.value } : { value: parameter.builtIn, reason: parsed.reason }
}

interface Heard {
  entry: Entry
  result: Result
}

/** Several spellings of one name in one layer: Felix ranges over a Go map, so the last one it happens to meet wins. */
function pick(layer: Layer, heard: Heard[]): Omit<Choice, 'warnings'> {
  const [first] = heard
  const { source } = layer
  if (first && heard.every((it) => it.entry.raw === first.entry.raw))
    return { source, raw: first.entry.raw, value: first.result.value }
  const texts = new Set(heard.map((it) => JSON.stringify(it.result.value)))
  return texts.size === 1 ? { source, value: first?.result.value } : { source, uncertain: 'nondeterministic' }
}

interface About {
  name: FelixParameter
  layer: Layer
  decides: boolean
}

function warningFor({ entry, result }: Heard, { name, layer, decides }: About): FelixWarning[] {
  const place = {
    parameter: name,
    source: layer.source,
    object: objectOf(layer, entry),
    ...(entry.field && { field: entry.field }),
    raw: short(entry.raw),
    decides,
  }
  if (entry.raw === '') return [{ ...place, kind: 'empty', message: `${name} is empty and therefore ignored` }]
  if (result.reason === undefined) return []
  return [
    { ...place, kind: 'invalid', message: `${name} is refused, the built-in default counts: ${short(result.reason)}` },
  ]
}

function ambiguousWarning(
  name: FelixParameter,
  layer: Layer,
  entry: Entry | undefined,
  decides: boolean,
): FelixWarning {
  return {
    kind: 'ambiguous',
    parameter: name,
    source: layer.source,
    object: layer.object,
    ...(entry?.field && { field: entry.field }),
    decides,
    message: `${name} is spelled in several ways in one place; which one Felix takes is chance`,
  }
}

const unknownWarning = (name: FelixParameter, layer: Layer, decides: boolean): FelixWarning => ({
  kind: 'unknown',
  parameter: name,
  source: layer.source,
  object: `env FELIX_${name.toUpperCase()}`,
  decides,
  message: `${name} is set in the environment to something that cannot be seen from outside`,
})

function chooseAbsent(name: FelixParameter, layers: readonly Layer[]): Choice {
  const warnings = layers.flatMap((layer) =>
    (layer.entries.get(name.toLowerCase()) ?? []).map(
      (entry): FelixWarning => ({
        kind: 'not-understood',
        parameter: name,
        source: layer.source,
        object: objectOf(layer, entry),
        ...(entry.field && { field: entry.field }),
        raw: short(entry.raw),
        decides: false,
        message: `this version of Calico has no ${name}; the setting does nothing`,
      }),
    ),
  )
  return { source: 'default', value: absent[name as keyof typeof absent], warnings }
}
