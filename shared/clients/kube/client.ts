import type {
  ClusterState,
  ConfigMapState,
  DaemonSetState,
  FelixConfigurations,
  FelixObject,
  InstallationState,
  LogEvidence,
  NodePortUse,
  NodeState,
  PodState,
  RolloutRecord,
} from '../../domain/cluster.ts'
import type { Read } from '../../domain/read.ts'
import type { CalicoApi, Mode } from '../../domain/report.ts'
import type { ObservationLimits } from './budget.ts'
import type { Callee, Webhook } from '../../domain/webhooks.ts'

/**
 * The reads of one cluster. Nothing throws: a failure is part of the result. One call is one request unless a list
 * has several pages.
 */
export interface KubeReads {
  /** Requests sent so far, pages and repetitions included. */
  calls: () => number
  /** `v1.36.3-eks-1a2b3c4` */
  version: () => Promise<Read<string>>
  /** Every group and version that the server lists in `/apis`: `projectcalico.org/v3`. */
  apis: () => Promise<Read<string[]>>
  /** All, or the one with that name, if it exists. */
  nodes: (name?: string) => Promise<Read<NodeState[]>>
  /** Those that run kube-proxy or calico-node, of all namespaces. */
  daemonSets: () => Promise<Read<DaemonSetState[]>>
  pods: (of: PodsOf) => Promise<Read<PodState[]>>
  /** `undefined`: it does not exist. */
  configMap: (namespace: string, name: string) => Promise<Read<ConfigMapState | undefined>>
  /**
   * Through `projectcalico.org/v3` if it is served, else `crd.projectcalico.org/v1`. If v3 does not answer and v1 is
   * served too, the stored objects with `v3Failure` set. With a single given API: exactly one list of it. Without
   * Calico's CRDs: a failure of kind `unavailable` with status 404.
   */
  felixConfigurations: (apis: readonly string[]) => Promise<Read<FelixConfigurations>>
  clusterInformation: (apis: readonly string[]) => Promise<ClusterState['clusterInformation']>
  /** `undefined`, without a request, if the operator's API is not served. */
  installation: (apis: readonly string[]) => Promise<Read<InstallationState | undefined>>
  nodePorts: () => Promise<Read<NodePortUse[]>>
  podLog: (pod: LoggingPod) => Promise<Read<LogEvidence>>
  /** The last lines of a pod's log, unchanged: at most 40 lines and 16 KiB. */
  podTail: (pod: Pick<PodState, 'namespace' | 'name'>) => Promise<Read<string[]>>
  /** kube-proxy's Warning Events `IPVSDeprecation`: the existing ones, in one request. */
  ipvsDeprecations: () => Promise<Read<ModeSaid[]>>
  /** kube-proxy's answer to `/proxyMode` on that port, through the API server. */
  proxyMode: (pod: LoggingPod, port: number) => Promise<Read<Mode>>
  /** Admission webhooks, of both kinds, that the API server reaches through a Service: two requests. */
  webhooks: () => Promise<Read<Webhook[]>>
  /** Names of the nodes with pods of that Service, by its EndpointSlices. */
  servingNodes: (service: Callee) => Promise<Read<string[]>>
  /** The tool's Lease; `undefined`: there is none. */
  lease: () => Promise<Read<RolloutRecord | undefined>>
  /** Checks a permission (SelfSubjectAccessReview). */
  mayI: (access: Access) => Promise<Read<boolean>>
}

/** One cluster's Kubernetes API with domain types. Writes throw `KubeError` and are never retried by the client. */
export interface KubeClient extends KubeReads {
  /** The same connection for one observation: all reads through it share that budget. */
  within: (look: ObservationLimits) => KubeReads

  /** Creates the Lease (no `resourceVersion`) or changes it if it still has that version. Else a `conflict`. */
  putLease: (change: LeaseChange) => Promise<RolloutRecord>
  createFelix: (api: CalicoApi, draft: FelixDraft, options?: WriteOptions) => Promise<FelixObject>
  /** A merge patch: other fields do not change. If the `resourceVersion` has changed: a `conflict`. */
  patchFelix: (api: CalicoApi, patch: FelixPatch, options?: WriteOptions) => Promise<FelixObject>
  /** `false`: it was already deleted. If UID or version have changed: a `conflict`. */
  deleteFelix: (api: CalicoApi, object: Pick<FelixObject, 'name' | 'uid' | 'resourceVersion'>) => Promise<boolean>
  /** `false`: the pod with this UID was already deleted. */
  deletePod: (pod: Pick<PodState, 'namespace' | 'name' | 'uid'>) => Promise<boolean>
  /** Closes idle connections. */
  close: () => void
}

/** Several values of a label: any of them. `uid` given: pods that another controller owns are left out. */
export type PodsOf = Pick<PodState, 'role' | 'namespace'> & {
  selector: Record<string, string | readonly string[]>
  uid?: string | readonly string[]
}

/** `ended`: it does not run; the log of the previous process is read. */
export type LoggingPod = Pick<PodState, 'role' | 'namespace' | 'name'> & { ended?: boolean }

/** The mode that kube-proxy on a node reported at a time (RFC 3339). */
export interface ModeSaid {
  node: string
  mode: Mode
  at: string
}

export interface LeaseChange {
  resourceVersion?: string
  /** `null` releases it. */
  holder?: string | null
  renewedAt?: string
  leaseSeconds?: number
  /** `null` removes a key; other keys do not change. */
  annotations?: Record<string, string | null>
}

export interface FelixDraft {
  name: string
  labels?: Record<string, string>
  annotations?: Record<string, string>
  spec: Record<string, unknown>
}

export interface FelixPatch {
  name: string
  resourceVersion: string
  metadata?: { labels?: Record<string, string | null>; annotations?: Record<string, string | null> }
  spec?: Record<string, unknown>
}

export interface WriteOptions {
  /** A dry run: the server validates the request and stores nothing. */
  dryRun?: boolean
}

export interface Access {
  verb: string
  /** `''`: the core group. */
  group: string
  resource: string
  subresource?: string
  namespace?: string
  name?: string
}
