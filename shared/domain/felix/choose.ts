import type { FelixSetting } from './decode.ts'
import { short } from './go.ts'
import { isNone, type Layer, objectOf, type Rules } from './layer.ts'
import { absent, type Parameter } from './params.ts'
import type { FelixParameter, FelixWarning } from './values.ts'
import type { RangeSource } from '../report.ts'

/** The value, warnings and layer of one parameter. */
export interface Choice {
  source: RangeSource
  raw?: string
  value?: unknown
  uncertain?: 'nondeterministic' | 'unknown'
  warnings: FelixWarning[]
}

/** The highest layer that sets the parameter counts, even where Felix refuses its text; lower layers only give warnings. */
export function choose(name: FelixParameter, layers: readonly Layer[], rules: Rules): Choice {
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
  entry: FelixSetting
  result: Result
}

/** Several spellings of one name in one layer: Felix iterates over a Go map, so a random one wins. */
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
    {
      ...place,
      kind: 'invalid',
      message: `${name} is rejected, the built-in default is used: ${short(result.reason)}`,
    },
  ]
}

function ambiguousWarning(
  name: FelixParameter,
  layer: Layer,
  entry: FelixSetting | undefined,
  decides: boolean,
): FelixWarning {
  return {
    kind: 'ambiguous',
    parameter: name,
    source: layer.source,
    object: layer.object,
    ...(entry?.field && { field: entry.field }),
    decides,
    message: `${name} is spelled in several ways in one place; Felix uses one at random`,
  }
}

const unknownWarning = (name: FelixParameter, layer: Layer, decides: boolean): FelixWarning => ({
  kind: 'unknown',
  parameter: name,
  source: layer.source,
  object: `env FELIX_${name.toUpperCase()}`,
  decides,
  message: `${name} is set in the environment to a value that is not read`,
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
        message: `this version of Calico has no ${name}; the setting has no effect`,
      }),
    ),
  )
  return { source: 'default', value: absent[name as keyof typeof absent], warnings }
}
