import type { FelixObject } from '../../../shared/domain/cluster.ts'
import type { FelixParameter, FelixResolution } from '../../../shared/domain/felix/values.ts'
import { resolveFelix } from '../../../shared/domain/felix/felix-index.ts'
import { compileGo } from '../../../shared/domain/felix/regex.ts'
import { parseSelector } from '../../../shared/domain/felix/selector.ts'
import { parseVersion } from '../../../shared/domain/version.ts'
import {
  type Configuration,
  type OracleResolution,
  type OracleVerdict,
  oracleVersion,
  type RawObject,
} from './oracle.ts'

/** What the oracle tells of; the rest of our parameters came after its version. */
const parameters: readonly FelixParameter[] = [
  'KubeNodePortRanges',
  'IptablesMarkMask',
  'BPFEnabled',
  'WireguardEnabled',
  'WireguardEnabledV6',
  'InterfaceExclude',
  'DefaultEndpointToHostAction',
  'UseInternalDataplaneDriver',
]

export function resolveOurs(configuration: Configuration): FelixResolution {
  const calico = parseVersion(oracleVersion)
  return resolveFelix({
    nodeName: configuration.nodeName,
    nodeLabels: {},
    env: configuration.env.map((variable) => {
      const at = variable.indexOf('=')
      return { name: variable.slice(0, at), value: variable.slice(at + 1) }
    }),
    file: configuration.file,
    objects: configuration.objects.map(objectOf),
    api: configuration.v3 ? 'projectcalico.org/v3' : 'crd.projectcalico.org/v1',
    calico,
  })
}

const objectOf = ({ metadata, spec }: RawObject): FelixObject => ({
  ...metadata,
  uid: '',
  resourceVersion: '1',
  createdAt: '',
  labels: {},
  spec,
  managedFields: [],
})

const layers: Readonly<Record<string, string>> = {
  'environment variable': 'env',
  'config file': 'file',
  'datastore (per-host)': 'host',
  'datastore (global)': 'global',
}

/** In which respects our engine and Calico's code differ; empty where they agree. */
export function compare(ours: FelixResolution, theirs: OracleResolution): string[] {
  if (ours.outcome !== theirs.outcome)
    return [`outcome: ours ${told(ours)}, Calico's ${theirs.outcome} ${theirs.error ?? ''}`]
  if (ours.outcome === 'error') {
    const stage = layers[theirs.stage ?? ''] ?? theirs.stage
    return ours.stage === stage ? [] : [`stage: ours ${ours.stage}, Calico's ${stage}: ${theirs.error}`]
  }
  const uncertain = ours.outcome === 'ok' ? [] : ours.parameters
  return [
    ...unequal('by chance', [...uncertain].sort(), [...theirs.uncertain].sort()),
    ...parameters.flatMap((name) => compareParameter(ours, theirs, name)),
    ...unequal('warnings', ourWarnings(ours), theirWarnings(theirs)),
  ]
}

const told = (ours: FelixResolution): string => (ours.outcome === 'error' ? `error ${ours.message}` : ours.outcome)

const unequal = (what: string, ours: unknown, theirs: unknown): string[] =>
  JSON.stringify(ours) === JSON.stringify(theirs)
    ? []
    : [`${what}: ours ${JSON.stringify(ours)}, Calico's ${JSON.stringify(theirs)}`]

type Answered = Exclude<FelixResolution, { outcome: 'error' }>

function compareParameter(ours: Answered, theirs: OracleResolution, name: FelixParameter): string[] {
  if (theirs.uncertain.includes(name)) return []
  const value = ours.values[name]
  const shown = name === 'KubeNodePortRanges' ? ours.values[name]?.map((it) => `${it.min}:${it.max}`) : value
  const ambiguous = ours.warnings.some((it) => it.kind === 'ambiguous' && it.parameter === name)
  return [
    ...unequal(name, shown, theirs.values[name]),
    ...unequal(`source of ${name}`, ours.sources[name], layers[theirs.sources[name] ?? ''] ?? 'default'),
    // Of several spellings with one meaning Felix keeps the text of either.
    ...(ambiguous ? [] : unequal(`text of ${name}`, ours.raw[name], theirs.raw[name])),
  ]
}

const ourWarnings = (ours: Answered): string[] =>
  unique(
    ours.warnings
      .filter((it) => it.kind === 'invalid' || it.kind === 'empty')
      .map((it) => `${it.kind} ${it.parameter?.toLowerCase()} ${it.source}`),
  )

function theirWarnings(theirs: OracleResolution): string[] {
  const known = new Set(parameters.map((name) => name.toLowerCase()))
  return unique(
    theirs.warnings.flatMap((line) => {
      const [, kind, name = '', layer = ''] = /^(\w+) (\S+) (.*)$/.exec(line) ?? []
      return known.has(name.toLowerCase()) ? [`${kind} ${name.toLowerCase()} ${layers[layer]}`] : []
    }),
  )
}

const unique = (lines: string[]): string[] => [...new Set(lines)].sort()

export function comparePattern(expression: string, text: string, theirs: OracleVerdict): string[] {
  const pattern = compileGo(expression)
  return unequal('pattern', { valid: pattern !== undefined, matches: pattern?.matches(text) ?? false }, theirs)
}

export function compareSelector(text: string, labels: Record<string, string>, theirs: OracleVerdict): string[] {
  const parsed = parseSelector(text)
  return unequal(
    'selector',
    { valid: parsed.ok, matches: parsed.ok && parsed.matches(new Map(Object.entries(labels))) },
    theirs,
  )
}
