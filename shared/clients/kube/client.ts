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
import type { LookLimits } from './budget.ts'
import type { Callee, Webhook } from '../../domain/webhooks.ts'

/** What is read of one cluster. Nothing throws: a failure is part of the answer. One call is one request unless a list has several pages. */
export interface KubeReads {
  /** Requests sent so far, pages and repetitions included. */
  calls: () => number
  /** `v1.36.3-eks-1a2b3c4` */
  version: () => Promise<Read<string>>
  /** Every group and version that the server lists in `/apis`: `projectcalico.org/v3`. */
  apis: () => Promise<Read<string[]>>
  /** All, or the one of that name, if it is there. */
  nodes: (name?: string) => Promise<Read<NodeState[]>>
  /** Those that run kube-proxy or calico-node, of all namespaces. */
  daemonSets: () => Promise<Read<DaemonSetState[]>>
  pods: (of: PodsOf) => Promise<Read<PodState[]>>
  /** `undefined`: not there. */
  configMap: (namespace: string, name: string) => Promise<Read<ConfigMapState | undefined>>
  /**
   * Through `projectcalico.org/v3` where it is among the APIs, else `crd.projectcalico.org/v1`. Where v3 does not answer
   * and v1 is among the APIs too, the raw objects with `v3Failure` set. Given one API alone: exactly one list of it.
   * Calico's definitions missing altogether: a failure of kind `unavailable` with status 404.
   */
  felixConfigurations: (apis: readonly string[]) => Promise<Read<FelixConfigurations>>
  clusterInformation: (apis: readonly string[]) => Promise<ClusterState['clusterInformation']>
  /** `undefined`, and no request, where the operator's API is not among the APIs. */
  installation: (apis: readonly string[]) => Promise<Read<InstallationState | undefined>>
  nodePorts: () => Promise<Read<NodePortUse[]>>
  podLog: (pod: LoggingPod) => Promise<Read<LogEvidence>>
  /** The last lines of a pod's log, as they stand there: at most 40, of 16 KiB together. */
  podTail: (pod: Pick<PodState, 'namespace' | 'name'>) => Promise<Read<string[]>>
  /** kube-proxy's Warning Events `IPVSDeprecation`: those that happen to be there, in one request. */
  ipvsDeprecations: () => Promise<Read<ModeSaid[]>>
  /** What kube-proxy answers to `/proxyMode` on that port, asked through the API server. */
  proxyMode: (pod: LoggingPod, port: number) => Promise<Read<Mode>>
  /** Admission webhooks, of both kinds, that the API server reaches through a Service: two requests. */
  webhooks: () => Promise<Read<Webhook[]>>
  /** Names of the nodes with pods of that Service, by its EndpointSlices. */
  servingNodes: (service: Callee) => Promise<Read<string[]>>
  /** Our Lease; `undefined`: there is none. */
  lease: () => Promise<Read<RolloutRecord | undefined>>
  /** Asks the server whether we may (SelfSubjectAccessReview). */
  mayI: (access: Access) => Promise<Read<boolean>>
}

/**
 * One cluster's Kubernetes API in the domain's words. Writes throw `KubeError` and are never repeated by the client.
 */
export interface KubeClient extends KubeReads {
  /** The same connection for one look: all that is read through it shares that budget. */
  within: (look: LookLimits) => KubeReads

  /** Creates our Lease (no `resourceVersion`) or changes it where it still has that version. Else a `conflict`. */
  putLease: (change: LeaseChange) => Promise<RolloutRecord>
  createFelix: (api: CalicoApi, draft: FelixDraft, options?: WriteOptions) => Promise<FelixObject>
  /** A merge patch: what is not named stays. Another `resourceVersion` by now: a `conflict`. */
  patchFelix: (api: CalicoApi, patch: FelixPatch, options?: WriteOptions) => Promise<FelixObject>
  /** `false`: it was gone already. Another UID or version by now: a `conflict`. */
  deleteFelix: (api: CalicoApi, object: Pick<FelixObject, 'name' | 'uid' | 'resourceVersion'>) => Promise<boolean>
  /** `false`: that very pod (by UID) is gone already. */
  deletePod: (pod: Pick<PodState, 'namespace' | 'name' | 'uid'>) => Promise<boolean>
  /** Closes idle connections. */
  close: () => void
}

/** Several values of a label: any of them. `uid` given: pods that another controller owns are left out. */
export type PodsOf = Pick<PodState, 'role' | 'namespace'> & {
  selector: Record<string, string | readonly string[]>
  uid?: string | readonly string[]
}

/** `ended`: it does not run; the log of the process before is meant. */
export type LoggingPod = Pick<PodState, 'role' | 'namespace' | 'name'> & { ended?: boolean }

/** What kube-proxy on a node said of itself at a time (RFC 3339). */
export interface ModeSaid {
  node: string
  mode: Mode
  at: string
}

export interface LeaseChange {
  resourceVersion?: string
  /** `null` gives it up. */
  holder?: string | null
  renewedAt?: string
  leaseSeconds?: number
  /** `null` removes a key; keys not named stay. */
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
  /** The server goes through all of it and stores nothing. */
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
