import { goLower, parseUint32 } from './go.ts'
import { compileGo } from './regex.ts'
import type { FelixParameter, FelixValues } from './values.ts'
import { parsePortList } from '../ports.ts'
import { atLeast, type CalicoVersion } from '../version.ts'

/** How Felix parses one text; the reason is in Felix's own words. */
export type Parsed<T = unknown> = { ok: true; value: T } | { ok: false; reason: string }

export interface Parameter {
  name: string
  parse(raw: string): Parsed
  /** The default, which also replaces a rejected text. */
  builtIn: unknown
  /** What `none` means. Absent: the text `none` stops Felix. */
  zero?: { value: unknown }
  /** Felix stops if it rejects the text, instead of using the default. */
  fatal: boolean
  /** How the field of the spec is decoded, if the parameter has a relevant one. */
  spec?: { field: string; kind: SpecKind }
}

export type SpecKind = 'bool' | 'string' | 'enum' | 'uint32' | 'int64' | 'ports'

const yes = new Set(['true', '1', 'yes', 'y', 't'])
const no = new Set(['false', '0', 'no', 'n', 'f'])

function parseBool(raw: string): Parsed<boolean> {
  const text = goLower(raw)
  if (yes.has(text)) return { ok: true, value: true }
  return no.has(text) ? { ok: true, value: false } : { ok: false, reason: 'invalid boolean' }
}

export function parseMark(raw: string): Parsed<number> {
  const value = parseUint32(raw)
  if (value === undefined) return { ok: false, reason: 'invalid mark: should be 32-bit int' }
  const single = (value & (value - 1)) === 0
  return single ? { ok: false, reason: 'invalid mark: needs to have 2 bits set' } : { ok: true, value }
}

const parsePorts = (raw: string): Parsed => {
  const list = parsePortList(raw)
  return list.ok ? { ok: true, value: list.ranges } : list
}

const oneOf = (...options: string[]): ((raw: string) => Parsed) => {
  const canonical = new Map(options.map((option) => [goLower(option), option]))
  return (raw) => {
    const value = canonical.get(goLower(raw))
    return value === undefined ? { ok: false, reason: 'unknown option' } : { ok: true, value }
  }
}

// RegexpIfaceElemRegexp and NonRegexpIfaceElemRegexp; Go's \s is ASCII only.
const patternElement = /^\/[^\t\n\f\r ]+\/$/
const nameElement = /^[a-zA-Z0-9_-]{1,15}$/
const badInterface = { ok: false, reason: 'list contains invalid Linux interface name or regex pattern' } as const

function parseInterfaces(raw: string): Parsed<string[]> {
  const patterns: string[] = []
  for (const element of raw.split(',')) {
    if (patternElement.test(element)) {
      const pattern = element.slice(1, -1)
      if (!compileGo(pattern)) return badInterface
      patterns.push(pattern)
    } else if (nameElement.test(element)) patterns.push(`^${element}$`)
    else return badInterface
  }
  return { ok: true, value: patterns }
}

function parsePrefixes(raw: string): Parsed {
  return raw.split(',').every((name) => nameElement.test(name))
    ? { ok: true, value: raw }
    : { ok: false, reason: 'invalid Linux interface name' }
}

const bool = (name: FelixParameter, field: string, builtIn: boolean): Parameter => ({
  name,
  parse: parseBool,
  builtIn,
  zero: { value: false },
  fatal: false,
  spec: { field, kind: 'bool' },
})

const mask = (name: FelixParameter, field: string, kind: SpecKind): Parameter => ({
  name,
  parse: parseMark,
  builtIn: 0xffff0000,
  fatal: true,
  spec: { field, kind },
})

const action = (name: string, field: string, options: string[]): Parameter => ({
  name,
  parse: oneOf(...options),
  builtIn: options[0],
  fatal: true,
  spec: { field, kind: 'string' },
})

// A rejected text is only ignored, but `none` stops Felix (flag non-zero in felix/config/config_params.go).
const nonZero = (names: string[]): Parameter[] =>
  names.map((name) => ({ name, parse: (raw) => ({ ok: true, value: raw }), builtIn: undefined, fatal: false }))

const always: Parameter[] = [
  {
    name: 'KubeNodePortRanges',
    parse: parsePorts,
    builtIn: [{ min: 30000, max: 32767 }],
    zero: { value: [] },
    fatal: false,
    spec: { field: 'kubeNodePortRanges', kind: 'ports' },
  },
  bool('BPFEnabled', 'bpfEnabled', false),
  bool('WireguardEnabled', 'wireguardEnabled', false),
  bool('UseInternalDataplaneDriver', 'useInternalDataplaneDriver', true),
  {
    name: 'InterfaceExclude',
    parse: parseInterfaces,
    builtIn: ['^kube-ipvs0$'],
    zero: { value: [] },
    fatal: false,
    spec: { field: 'interfaceExclude', kind: 'string' },
  },
  {
    name: 'InterfacePrefix',
    parse: parsePrefixes,
    builtIn: 'cali',
    fatal: true,
    spec: { field: 'interfacePrefix', kind: 'string' },
  },
  action('ChainInsertMode', 'chainInsertMode', ['insert', 'append']),
  action('DefaultEndpointToHostAction', 'defaultEndpointToHostAction', ['DROP', 'RETURN', 'ACCEPT']),
  action('IptablesFilterAllowAction', 'iptablesFilterAllowAction', ['ACCEPT', 'RETURN']),
  action('IptablesMangleAllowAction', 'iptablesMangleAllowAction', ['ACCEPT', 'RETURN']),
  ...nonZero(['AWSSrcDstCheck', 'BPFExternalServiceMode', 'BPFLogLevel', 'MaxIpsetSize', 'WireguardInterfaceName']),
]

const mapSizes = ['Conntrack', 'IPSets', 'NATAffinity', 'NATBackend', 'NATFrontend', 'Route']

/** First Calico version with them, oldest first; a later entry replaces an earlier one of the same name. */
const since: [version: string, parameters: Parameter[]][] = [
  ['3.23', nonZero(['BPFEnforceRPF', ...mapSizes.map((size) => `BPFMapSize${size}`)])],
  [
    '3.24',
    [
      bool('WireguardEnabledV6', 'wireguardEnabledV6', false),
      ...nonZero(['BPFMapSizeIfState', 'WireguardInterfaceNameV6']),
    ],
  ],
  ['3.26', [action('IptablesFilterDenyAction', 'iptablesFilterDenyAction', ['DROP', 'REJECT'])]],
  ['3.27', nonZero(['BPFConnectTimeLoadBalancing', 'BPFHostNetworkedNATWithoutCTLB'])],
  [
    '3.29',
    [
      nftablesMode(['Enabled', 'Disabled'], 'Disabled'),
      mask('NftablesMarkMask', 'nftablesMarkMask', 'uint32'),
      action('NftablesFilterAllowAction', 'nftablesFilterAllowAction', ['ACCEPT', 'RETURN']),
      action('NftablesMangleAllowAction', 'nftablesMangleAllowAction', ['ACCEPT', 'RETURN']),
      action('NftablesFilterDenyAction', 'nftablesFilterDenyAction', ['DROP', 'REJECT']),
    ],
  ],
  ['3.32', [nftablesMode(['Enabled', 'Disabled', 'Auto'], 'Auto')]],
  [
    '3.33',
    [mask('NftablesMarkMask', 'nftablesMarkMask', 'int64'), mask('IptablesMarkMask', 'iptablesMarkMask', 'int64')],
  ],
]

function nftablesMode(options: string[], builtIn: string): Parameter {
  return {
    name: 'NFTablesMode',
    parse: oneOf(...options),
    builtIn,
    // The empty mode that `none` gives acts as Disabled (useNftables, felix/dataplane/linux/int_dataplane.go).
    zero: { value: 'Disabled' },
    fatal: false,
    spec: { field: 'nftablesMode', kind: 'enum' },
  }
}

/** The parameters that this version of Felix supports, by lower-case name. */
export function parametersOf(calico: CalicoVersion): ReadonlyMap<string, Parameter> {
  const known = [...always, mask('IptablesMarkMask', 'iptablesMarkMask', 'uint32')]
  for (const [version, parameters] of since) if (atLeast(calico, version)) known.push(...parameters)
  return new Map(known.map((parameter) => [parameter.name.toLowerCase(), parameter]))
}

/** The value if a version does not have the parameter. */
export const absent: Pick<FelixValues, 'NFTablesMode' | 'NftablesMarkMask' | 'WireguardEnabledV6'> = {
  NFTablesMode: 'Disabled',
  NftablesMarkMask: 0xffff0000,
  WireguardEnabledV6: false,
}

const everyParameter = [
  ...always,
  mask('IptablesMarkMask', 'iptablesMarkMask', 'uint32'),
  ...since.flatMap(([, parameters]) => parameters),
]
/** For all parameters that any version evaluates: their names in lower case, and their fields of the spec. */
export const parameterNames: ReadonlySet<string> = new Set(everyParameter.map(({ name }) => goLower(name)))
export const parameterFields: readonly string[] = everyParameter.flatMap(({ spec }) => spec?.field ?? [])
