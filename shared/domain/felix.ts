import type { ConfigMapState, EnvFrom, EnvVar, FelixObject } from './cluster.ts'
import type { FelixResolution, ParameterLayer, RangeLayer } from './felix-values.ts'
import type { Read } from './read.ts'
import type { CalicoApi } from './report.ts'
import type { CalicoVersion } from './version.ts'

export type {
  DerivedValues,
  FelixError,
  FelixOk,
  FelixParameter,
  FelixPartly,
  FelixResolution,
  FelixValues,
  FelixWarning,
  ParameterLayer,
  RangeLayer,
} from './felix-values.ts'

/** What bears on Felix's configuration on one node. */
export interface FelixNode {
  nodeName: string
  nodeLabels: Record<string, string>
  /** In the order of the process environment; the last of several spellings of one name counts. */
  env: { name: string; value: string }[]
  /** Variables whose value cannot be known from outside. */
  unknownEnv?: string[]
  /** Contents of /etc/calico/felix.cfg where known: parameter to value. */
  file?: Record<string, string>
}

/** The FelixConfigurations of a cluster and how they were read. */
export interface FelixSource {
  objects: FelixObject[]
  /** The group the objects were read through: through v3 the copy in `projectcalico.org/metadata` is merged already. */
  api: CalicoApi
  /** The objects are stored as projectcalico.org/v3 CRDs (no API server of Calico's in between). */
  nativeV3?: boolean
  /** Undefined: not known. Then only what all versions agree on is told. */
  calico?: CalicoVersion
}

export type FelixInputs = FelixNode & FelixSource

/** The objects of a cluster, decoded once and looked up per node. */
export interface FelixIndex {
  resolve(node: FelixNode): FelixResolution
  /** Everything that says something about a parameter (in any spelling) on this node, highest first. */
  layers(node: FelixNode, parameter: string): ParameterLayer[]
  rangeLayers(node: FelixNode): RangeLayer[]
}

export interface ResolvedEnv {
  env: { name: string; value: string }[]
  unknownEnv: string[]
}

/** For many nodes: decodes each object once, parses each text once; nodes with the same layers share one answer. */
export declare function indexFelix(source: FelixSource): FelixIndex

export declare function resolveFelix(inputs: FelixInputs): FelixResolution

export declare function rangeLayers(inputs: FelixInputs): RangeLayer[]

/** The kubelet's order: envFrom first, env over it; what cannot be resolved is named, never guessed. */
export declare function resolveEnv(
  from: { env: EnvVar[]; envFrom: EnvFrom[]; namespace: string },
  configMaps: Record<string, Read<ConfigMapState | undefined>>,
): ResolvedEnv
