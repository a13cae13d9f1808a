import type { FelixSettings, FelixSetting } from './decode.ts'
import { goLower } from './go.ts'
import type { Parameter, Parsed } from './params.ts'
import type { FelixParameter, FelixValues } from './values.ts'
import type { RangeSource } from '../report.ts'

/** All settings of one source. For each parameter Felix uses only the highest layer that sets it. */
export interface Layer {
  source: Exclude<RangeSource, 'default'>
  /** `FelixConfiguration/default`, `environment`, `felix.cfg` */
  object: string
  entries: FelixSettings
  /** Lower-case names that are set here to a value that is not read. */
  unknown?: ReadonlySet<string>
}

export interface Rules {
  parameters: ReadonlyMap<string, Parameter>
  /** Felix's own parser, with a cache: many nodes share few texts. */
  parse(parameter: Parameter, raw: string): Parsed
  /** Which mask is effective, if `NFTablesMode` is known. */
  usesNftablesMask(mode: FelixValues['NFTablesMode']): boolean
}

export const felixParameters: readonly FelixParameter[] = [
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

/** Felix's word for the zero value, in any case. */
export const isNone = (raw: string): boolean => raw.length === 4 && goLower(raw) === 'none'

/** How an object is named in evidence, journals and messages. */
export const objectName = (name: string): string => `FelixConfiguration/${name}`

export const objectOf = (layer: Layer, entry: FelixSetting): string =>
  entry.kind === 'env' ? `env ${entry.key}` : layer.object
