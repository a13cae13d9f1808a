import type { PortRange } from '../ports.ts'
import type { RangeSource } from '../report.ts'

/** The parameters that an assessment needs, with Felix's own names. */
export interface FelixValues {
  /** As Felix parsed it: its order, overlaps and duplicates. `effectiveRange` is the same set, normalised. */
  KubeNodePortRanges: PortRange[]
  IptablesMarkMask: number
  NftablesMarkMask: number
  NFTablesMode: 'Auto' | 'Enabled' | 'Disabled'
  BPFEnabled: boolean
  WireguardEnabled: boolean
  WireguardEnabledV6: boolean
  /** Regular expressions in Go's syntax; a plain name is `^name$`. */
  InterfaceExclude: string[]
  DefaultEndpointToHostAction: 'DROP' | 'RETURN' | 'ACCEPT'
  UseInternalDataplaneDriver: boolean
}

export type FelixParameter = keyof FelixValues

/** Values that follow from several parameters. */
export interface DerivedValues {
  effectiveRange: PortRange[]
  /** Which of the two masks Felix uses, by version and nftables mode (Config.MarkMask, felix/config/config_params.go). */
  effectiveMarkMask: number
}

export interface FelixWarning {
  /**
   * `invalid`: Felix uses the built-in default instead · `empty`: ignored, the next lower layer is used ·
   * `ambiguous`: two spellings of one key, Felix uses one at random · `unknown`: the value is not read ·
   * `selector-overlap`: several selector objects match, the oldest is used · `selector-invalid`: the object is
   * ignored · `undecodable`: an object that Felix cannot read; this version starts, but its watch fails until the
   * object is fixed · `not-understood`: not supported by this version; the setting has no effect · `vast`: too long
   * to compare.
   */
  kind:
    | 'invalid'
    | 'empty'
    | 'ambiguous'
    | 'unknown'
    | 'selector-overlap'
    | 'selector-invalid'
    | 'undecodable'
    | 'not-understood'
    | 'vast'
  parameter?: FelixParameter
  source: RangeSource
  /** `FelixConfiguration/default`, `env FELIX_BPFENABLED`, `felix.cfg` */
  object: string
  /** `metadata.annotations[config.projectcalico.org/KubeNodePortRanges]`, `spec.kubeNodePortRanges` */
  field?: string
  /** Cut if it is very long. */
  raw?: string
  /** It is about the layer that decides the parameter, not about a shadowed one. */
  decides: boolean
  message: string
}

export type FelixResolution =
  | FelixOk
  | FelixError
  /** Felix would use one of several values at random. */
  | ({ outcome: 'nondeterministic' } & FelixPartly)
  /** A relevant value is not read, or depends on a version that is not known. */
  | ({ outcome: 'unknown' } & FelixPartly)

export interface FelixOk {
  outcome: 'ok'
  values: FelixValues & DerivedValues
  sources: Record<FelixParameter, RangeSource>
  /** The text that Felix compares, from the deciding layer; absent if the built-in default is used. */
  raw: Partial<Record<FelixParameter, string>>
  warnings: FelixWarning[]
}

/** Felix does not start; a running Felix keeps its old configuration or stops. */
export interface FelixError {
  outcome: 'error'
  message: string
  /** The stage at which Felix stops: reading the objects, or parsing a layer. */
  stage: 'read' | RangeSource
  objects: string[]
  /** For objects that cannot be read: the invalid field and its content. */
  places?: Pick<FelixWarning, 'object' | 'field' | 'raw'>[]
  parameter?: FelixParameter
  warnings: FelixWarning[]
}

export interface FelixPartly {
  /** The parameters without a certain value; they are absent from `values`. */
  parameters: FelixParameter[]
  values: Partial<FelixValues & DerivedValues>
  sources: Partial<Record<FelixParameter, RangeSource>>
  raw: Partial<Record<FelixParameter, string>>
  warnings: FelixWarning[]
}

/** One layer that sets a parameter; lists have the highest layer first. */
export interface ParameterLayer {
  source: Exclude<RangeSource, 'default'>
  /** `FelixConfiguration/node.ip-10-0-1-1`, `env FELIX_KUBENODEPORTRANGES`, `felix.cfg` */
  object: string
  /** `spec.kubeNodePortRanges`, `metadata.annotations[…]`; absent for environment and file. */
  field?: string
  kind: 'env' | 'file' | 'annotation' | 'spec'
  /** The text that Felix compares. Absent if it is not read. */
  raw?: string
  /** This layer decides, also if Felix rejects its value; all lower layers are shadowed. */
  decides: boolean
  /** A higher layer hides this one. */
  shadowed: boolean
}

export interface RangeLayer extends ParameterLayer {
  /** The parsed value; absent if Felix rejects the text (and then uses 30000:32767). */
  ranges?: PortRange[]
  reason?: string
}
