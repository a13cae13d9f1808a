import type { ClusterComparison } from './identity.ts'
import type { Neighbour } from './mark.ts'
import type { Read, ReadFailure } from './read.ts'
import type { CalicoApi, ClusterIdentity, ServiceRange } from './report.ts'

/**
 * Everything that was seen of one cluster at one time: the whole input of an assessment, and as JSON the state file
 * of `capture` and `check --state`. It holds no secrets: of environments only Felix's own variables.
 * Times are RFC 3339. A section that could not be read says so (`Read`); one that does not exist is `undefined` inside.
 */
export interface ClusterState {
  schemaVersion: 1
  cluster: ClusterIdentity
  observedAt: string
  /** Absent where no EKS API answers for the cluster (a kubeconfig only). */
  eks?: Read<EksState>
  /** Compares the cluster that EKS describes with the one that is connected to. Absent: the connection was made from EKS's own answer. */
  identity?: ClusterComparison
  /** How the command line reached the cluster, beyond the context, so that printed commands reach it too. `listing`: it stands for all clusters of its region. */
  reachedBy?: { kubeconfig?: string; role?: string; profile?: string; inCluster?: boolean; listing?: boolean }
  /** From the command line or a probe; used only where the EKS API gives no answer. */
  givenServiceRange?: ServiceRange
  /** Set where the API server was to be probed for the range and gave no answer. */
  probeFailure?: ReadFailure
  /** `v1.36.3-eks-1a2b3c4` as /version says. */
  kubernetesVersion: Read<string>
  nodes: Read<NodeState[]>
  /** DaemonSets that run kube-proxy, calico-node (or calico-node-windows), or mark packets beside them, whatever their names. */
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
  /** By pod `namespace/name`: what a log line proved. Only pods whose logs were read. */
  logs: Record<string, Read<LogEvidence>>
  /** By node: Warning Events `IPVSDeprecation` and answers of `/proxyMode`, where they happened to be seen. */
  modeEvidence?: Record<string, ModeEvidence[]>
  /**
   * Nodes with a pod that answers a webhook which the API server calls for writes of ours, by name. Absent: not asked
   * for, because nothing was to be planned.
   */
  webhookNodes?: Read<string[]>
  /** Our Lease with the rollout's state in its annotations. */
  rollout: Read<RolloutRecord | undefined>
}

export interface EksState {
  status: string
  version?: string
  arn: string
  /** A cluster made again under its name has the same ARN and another time of creation. */
  createdAt?: string
  /** Absent: never set, and then 30000–32767 by EKS's documentation. */
  serviceNodePortRange?: { min: number; max: number }
  autoMode: boolean
  /** The kube-proxy add-on; `undefined` inside: kube-proxy is self-managed or absent. */
  kubeProxyAddon: Read<AddonState | undefined>
  /** Updates still under way that bear on range, mode or version. */
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
  /** `neighbour`: another program that marks packets. Only its place, its image and the variable that decides its bits are read. */
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
  /** ConfigMap references are resolved against `configMaps`; anything else cannot be known from outside. */
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
  /** Of a kube-proxy without a DaemonSet (a static pod): its `--config=` and `--proxy-mode=`. */
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

/** An entry of `metadata.managedFields`, its fields as the server's own nested form. */
export interface ManagedFields {
  manager: string
  operation: string
  time?: string
  fields: Record<string, unknown>
}

export interface FelixConfigurations {
  api: CalicoApi
  /** The objects are stored as `projectcalico.org/v3` (Calico 3.32 and newer, by choice): no server of Calico's in between. */
  nativeV3?: true
  /** Set where `projectcalico.org/v3` is registered but does not answer and the raw objects were read instead. */
  v3Failure?: ReadFailure
  objects: FelixObject[]
}

export interface FelixObject {
  name: string
  uid: string
  resourceVersion: string
  createdAt: string
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
  /** kube-proxy: the mode it said it runs; calico-node: whether Felix said it is in IPVS mode. Neither: nothing decisive in what could be read. */
  mode?: 'iptables' | 'ipvs' | 'nftables'
  felixIpvs?: boolean
  line?: string
  at?: string
  /** kube-proxy up to 1.25: kernel modules that were not loaded, so that it works as iptables in place of ipvs. */
  missing?: string[]
  /** kube-proxy that does not run: the last complaint of the process before. */
  ended?: string
  /** calico-node: where Felix last said that `kube-ipvs0` is there though it does not use it, as in eBPF mode. */
  linkSeen?: { line: string; at?: string }
}

export interface ModeEvidence {
  kind: 'event' | 'proxyMode'
  mode: 'iptables' | 'ipvs' | 'nftables'
  at?: string
}

/** Our Lease: the lock of one rollout per cluster, and in annotations where it stands. Read by `rollout status`, kubectl and every step. */
export interface RolloutRecord {
  resourceVersion: string
  holder?: string
  renewedAt?: string
  leaseSeconds?: number
  annotations: Record<string, string>
}
