import type { ClusterComparison } from './identity.ts'
import type { Neighbour } from './mark.ts'
import type { Read, ReadFailure } from './read.ts'
import type { CalicoApi, ClusterIdentity, ServiceRange } from './report.ts'

/**
 * Everything that was read from one cluster at one time: the whole input of an assessment and, as JSON, the state
 * file of `capture` and `check --state`. It contains no secrets: of environments only Felix's own variables. Times
 * are RFC 3339. A section that could not be read has a failure (`Read`); an object that does not exist is `undefined`
 * inside.
 */
export interface ClusterState {
  schemaVersion: 1
  cluster: ClusterIdentity
  observedAt: string
  /** Absent if no EKS API answers for the cluster (kubeconfig only). */
  eks?: Read<EksState>
  /**
   * The cluster that EKS describes and the connected cluster, to compare. Absent: the connection was made from EKS's
   * description.
   */
  identity?: ClusterComparison
  /**
   * How the command line reached the cluster, beyond the context, so that printed commands reach it too. `listing`:
   * it represents all clusters of its region.
   */
  reachedBy?: { kubeconfig?: string; role?: string; profile?: string; inCluster?: boolean; listing?: boolean }
  /** From the command line or a probe; used only where the EKS API gives no answer. */
  givenServiceRange?: ServiceRange
  /** Set if the API server was probed for the range and gave no answer. */
  probeFailure?: ReadFailure
  /** As /version returns it: `v1.36.3-eks-1a2b3c4`. */
  kubernetesVersion: Read<string>
  nodes: Read<NodeState[]>
  /**
   * DaemonSets that run kube-proxy, calico-node (or calico-node-windows), or other programs that mark packets,
   * whatever their names.
   */
  daemonSets: Read<DaemonSetState[]>
  /** kube-proxy's and calico-node's pods. */
  pods: Read<PodState[]>
  /** By `namespace/name`: kube-proxy's configuration and what the environment of calico-node refers to. `undefined`: not there. */
  configMaps: Record<string, Read<ConfigMapState | undefined>>
  felix: Read<FelixConfigurations>
  /** `undefined` inside: the object does not exist. */
  clusterInformation: Read<{ calicoVersion?: string } | undefined>
  /** The operator's Installation `default`. */
  installation: Read<InstallationState | undefined>
  /** Services that hold node ports. */
  nodePorts: Read<NodePortUse[]>
  /** By pod `namespace/name`: evidence from its log. Only pods whose logs were read. */
  logs: Record<string, Read<LogEvidence>>
  /** By node: Warning Events `IPVSDeprecation` and answers of `/proxyMode`, if any were found. */
  modeEvidence?: Record<string, ModeEvidence[]>
  /**
   * Names of nodes with a pod that serves a webhook for the tool's own writes. Absent: not read, because nothing was
   * to be planned.
   */
  webhookNodes?: Read<string[]>
  /** Our Lease with the rollout's state in its annotations. */
  rollout: Read<RolloutRecord | undefined>
}

export interface EksState {
  status: string
  version?: string
  arn: string
  /** A cluster that was created again under the same name has the same ARN and another creation time. */
  createdAt?: string
  /** Absent: never set, and then 30000–32767 by EKS's documentation. */
  serviceNodePortRange?: { min: number; max: number }
  autoMode: boolean
  /** The kube-proxy add-on; `undefined` inside: kube-proxy is self-managed or absent. */
  kubeProxyAddon: Read<AddonState | undefined>
  /** Updates in progress that affect range, mode or version. */
  updates: Read<EksUpdate[]>
  tags: Record<string, string>
}

export interface AddonState {
  version?: string
  status: string
  /** JSON or YAML, as stored. */
  configurationValues?: string
}

export interface EksUpdate {
  id: string
  type: string
  status: string
  addon?: string
  nodegroup?: string
  startedAt?: string
}

export interface NodeState {
  name: string
  labels: Record<string, string>
  /** Labels in the annotation `projectcalico.org/labels`: Felix's selectors see them, the scheduler does not. */
  calicoLabels?: Record<string, string>
  createdAt: string
  ready: boolean
  readySince?: string
  unschedulable: boolean
  /** Taints that keep pods off the node. */
  taints?: Taint[]
  /** The kubelet's pod limit (`status.allocatable.pods`). */
  podsMax?: number
  kubeletVersion?: string
  /** `6.1.141-155.222.amzn2023.x86_64` */
  kernelVersion?: string
}

export interface Taint {
  key: string
  value?: string
  effect: string
}

export interface Toleration {
  key?: string
  operator?: string
  value?: string
  effect?: string
}

export interface NodeRequirement {
  key: string
  operator: string
  values: string[]
}

/** All of the term's requirements must hold. */
export interface NodeTerm {
  labels: NodeRequirement[]
  /** Of the node's name. */
  fields: NodeRequirement[]
}

export interface DaemonSetState {
  /**
   * `neighbour`: another program that marks packets. Only its nodes, its image and the variable that defines its bits
   * are read.
   */
  role: 'kube-proxy' | 'calico-node' | 'calico-node-windows' | 'neighbour'
  /** Which of them. */
  neighbour?: Neighbour
  namespace: string
  name: string
  uid: string
  generation: number
  createdAt: string
  labels: Record<string, string>
  annotations: Record<string, string>
  updateStrategy: { type: 'RollingUpdate' | 'OnDelete'; maxUnavailable?: string | number }
  selector: Record<string, string>
  nodeSelector?: Record<string, string>
  /** The required node affinity: one matching term is enough. */
  affinity?: NodeTerm[]
  /** Tolerations of the template; the controller adds some more to every DaemonSet's pods. */
  tolerations?: Toleration[]
  template: {
    image: string
    /** command and args of the main container, one list. */
    command: string[]
    env: EnvVar[]
    envFrom: EnvFrom[]
    /** Mounted ConfigMaps of the main container: where each is mounted and what it holds there. */
    configMapMounts: { mountPath: string; configMap: string; items?: Record<string, string> }[]
    annotations: Record<string, string>
  }
  status: {
    observedGeneration: number
    desired: number
    current: number
    updated: number
    ready: number
    unavailable: number
  }
  managedFields: ManagedFields[]
}

/** One entry of a container's environment. Only `FELIX_*` and `CALICO_*` names (in any case) are kept. */
export interface EnvVar {
  name: string
  value?: string
  /** ConfigMap references are resolved against `configMaps`; other sources are not read. */
  from?: { configMap: string; key: string; optional: boolean } | { unknown: string }
}

/** All keys of an object as variables. A Secret is not read, so any variable could come from it. */
export type EnvFrom = ({ configMap: string; optional: boolean } | { unknown: string }) & { prefix?: string }

export interface PodState {
  role: Exclude<DaemonSetState['role'], 'neighbour'>
  namespace: string
  name: string
  uid: string
  node: string
  /** UID of the DaemonSet that owns it. */
  daemonSet?: string
  /** Label `controller-revision-hash`. */
  revision?: string
  image: string
  /** For kube-proxy as a static pod: its `--config=` and `--proxy-mode=`. */
  flags?: string[]
  createdAt: string
  /** When the main container last started. */
  startedAt?: string
  ready: boolean
  /** Last transition of the Ready condition. */
  readySince?: string
  deletedAt?: string
  restartCount: number
  /** `CrashLoopBackOff` and the like. */
  waiting?: string
  env: EnvVar[]
  envFrom: EnvFrom[]
}

export interface ConfigMapState {
  data: Record<string, string>
  createdAt: string
  managedFields: ManagedFields[]
  labels: Record<string, string>
  annotations: Record<string, string>
}

/** An entry of `metadata.managedFields`, with its fields in the server's nested form. */
export interface ManagedFields {
  manager: string
  operation: string
  time?: string
  fields: Record<string, unknown>
}

export interface FelixConfigurations {
  api: CalicoApi
  /**
   * The objects are stored as `projectcalico.org/v3` (Calico 3.32 and newer, by choice): Calico's API server is not
   * involved.
   */
  nativeV3?: true
  /** Set if `projectcalico.org/v3` is registered but does not answer, and the stored objects were read instead. */
  v3Failure?: ReadFailure
  objects: FelixObject[]
}

export interface FelixObject {
  name: string
  uid: string
  resourceVersion: string
  createdAt: string
  /** It was deleted, and finalizers keep it. */
  deletedAt?: string
  /** Never empty. */
  finalizers?: string[]
  labels: Record<string, string>
  annotations: Record<string, string>
  spec: Record<string, unknown>
  managedFields: ManagedFields[]
}

export interface InstallationState {
  calicoVersion?: string
  linuxDataplane?: string
  cniType?: string
  variant?: string
  annotations: Record<string, string>
}

export interface NodePortUse {
  port: number
  /** `namespace/name` */
  service: string
  field: 'nodePort' | 'healthCheckNodePort'
  protocol?: string
}

export interface LogEvidence {
  /**
   * kube-proxy: the mode in its log; calico-node: whether Felix logged that it is in IPVS mode. Neither: the log has
   * no evidence.
   */
  mode?: 'iptables' | 'ipvs' | 'nftables'
  felixIpvs?: boolean
  line?: string
  at?: string
  /** kube-proxy up to 1.25: kernel modules that were not loaded, so that it falls back from ipvs to iptables. */
  missing?: string[]
  /** If kube-proxy does not run: the last error of the previous process. */
  ended?: string
  /** calico-node: when Felix last logged that it ignores the existing `kube-ipvs0`, as in eBPF mode. */
  linkSeen?: { line: string; at?: string }
}

export interface ModeEvidence {
  kind: 'event' | 'proxyMode'
  mode: 'iptables' | 'ipvs' | 'nftables'
  at?: string
}

/**
 * The tool's Lease: the lock for one rollout per cluster, with the state of the rollout in annotations. Read by
 * `rollout status`, kubectl and every step.
 */
export interface RolloutRecord {
  resourceVersion: string
  holder?: string
  renewedAt?: string
  leaseSeconds?: number
  annotations: Record<string, string>
}
