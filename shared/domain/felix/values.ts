import type { PortRange } from '../ports.ts'
import type { RangeSource } from '../report.ts'

/** The parameters that an assessment needs, in Felix's own spelling. */
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
   * `invalid`: Felix uses the built-in default instead · `empty`: ignored, the next lower layer counts ·
   * `ambiguous`: two spellings of one key, Felix takes one by chance · `unknown`: the value cannot be seen from outside ·
   * `selector-overlap`: several selector objects match, the oldest counts · `selector-invalid`: the object is ignored ·
   * `undecodable`: an object Felix cannot read; this version starts all the same, but its watch fails until it is fixed ·
   * `not-understood`: by this version; the setting does nothing · `vast`: too long to be compared, whatever Felix makes of it.
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
  /** Cut where it is absurdly long. */
  raw?: string
  /** It is about the layer that decides the parameter, not about one that is shadowed anyway. */
  decides: boolean
  message: string
}

export type FelixResolution =
  | FelixOk
  | FelixError
  /** Felix would take one of several values by chance. */
  | ({ outcome: 'nondeterministic' } & FelixPartly)
  /** Something that decides is not visible from outside, or depends on a version that is not known. */
  | ({ outcome: 'unknown' } & FelixPartly)

export interface FelixOk {
  outcome: 'ok'
  values: FelixValues & DerivedValues
  sources: Record<FelixParameter, RangeSource>
  /** The text Felix compares, of the layer that decided; absent where the built-in default counts. */
  raw: Partial<Record<FelixParameter, string>>
  warnings: FelixWarning[]
}

/** Felix would not start; one that runs keeps its old configuration or stops. */
export interface FelixError {
  outcome: 'error'
  message: string
  /** Where Felix stops: reading the objects, or parsing a layer. */
  stage: 'read' | RangeSource
  objects: string[]
  /** Of objects that cannot be read: the field that is to blame, and what it holds. */
  places?: Pick<FelixWarning, 'object' | 'field' | 'raw'>[]
  parameter?: FelixParameter
  warnings: FelixWarning[]
}

export interface FelixPartly {
  /** Those without a certain value; they are absent from `values`. */
  parameters: FelixParameter[]
  values: Partial<FelixValues & DerivedValues>
  sources: Partial<Record<FelixParameter, RangeSource>>
  raw: Partial<Record<FelixParameter, string>>
  warnings: FelixWarning[]
}

/** One place that says something about a parameter, highest first in a list. */
export interface ParameterLayer {
  source: Exclude<RangeSource, 'default'>
  /** `FelixConfiguration/node.ip-10-0-1-1`, `env FELIX_KUBENODEPORTRANGES`, `felix.cfg` */
  object: string
  /** `spec.kubeNodePortRanges`, `metadata.annotations[…]`; absent for environment and file. */
  field?: string
  kind: 'env' | 'file' | 'annotation' | 'spec'
  /** The text Felix compares. Absent where it cannot be seen from outside. */
  raw?: string
  /** This layer's value, or its refusal, is what Felix goes by; everything below is shadowed. */
  decides: boolean
  /** A higher layer hides this one. */
  shadowed: boolean
}

export interface RangeLayer extends ParameterLayer {
  /** What Felix would parse; absent where it refuses the text (and then uses 30000:32767). */
  ranges?: PortRange[]
  reason?: string
}
