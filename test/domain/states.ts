import type {
  ClusterState,
  ConfigMapState,
  DaemonSetState,
  EksState,
  FelixObject,
  LogEvidence,
  ManagedFields,
  NodeState,
  PodState,
} from '../../shared/domain/cluster.ts'
import { read, valueOf } from '../../shared/domain/read.ts'

/** A healthy cluster in the order in which such a one comes to be, and what may be otherwise in it. */

export const times = {
  installed: '2026-11-01T08:00:00Z',
  joined: '2026-11-01T09:00:00Z',
  /** Between the two a change may lie. */
  changed: '2026-11-10T12:00:00Z',
  restarted: '2026-11-10T13:00:00Z',
  observed: '2026-11-20T10:00:00Z',
} as const

export interface Wish {
  nodes?: number
  /** As it stands in kube-proxy's configuration. */
  mode?: string
  calico?: string
  kubernetes?: string
  eks?: Partial<EksState> | false
  felix?: Record<string, unknown>[]
  podsMax?: number
}

const labels = { 'kubernetes.io/os': 'linux' }

export const nodeNamed = (name: string, over: Partial<NodeState> = {}): NodeState => ({
  name,
  labels,
  createdAt: times.joined,
  ready: true,
  readySince: times.joined,
  unschedulable: false,
  podsMax: 110,
  ...over,
})

export const owns = (manager: string, path: readonly string[], time: string): ManagedFields => ({
  manager,
  operation: 'Update',
  time,
  fields: path.reduceRight<Record<string, unknown>>((inner, key) => ({ [key]: inner }), {}),
})

const status = (desired: number): DaemonSetState['status'] => ({
  observedGeneration: 1,
  desired,
  current: desired,
  updated: desired,
  ready: desired,
  unavailable: 0,
})

export const kubeProxySet = (count: number, over: Partial<DaemonSetState> = {}): DaemonSetState => ({
  role: 'kube-proxy',
  namespace: 'kube-system',
  name: 'kube-proxy',
  uid: 'uid-kube-proxy',
  generation: 1,
  createdAt: times.installed,
  labels: {},
  annotations: {},
  updateStrategy: { type: 'RollingUpdate', maxUnavailable: '10%' },
  selector: { 'k8s-app': 'kube-proxy' },
  template: {
    image: 'kube-proxy:v1.34.1-eksbuild.2',
    command: ['kube-proxy', '--v=2', '--config=/var/lib/kube-proxy-config/config', '--hostname-override=$(NODE_NAME)'],
    env: [],
    envFrom: [],
    configMapMounts: [
      { mountPath: '/var/lib/kube-proxy', configMap: 'kube-proxy' },
      { mountPath: '/var/lib/kube-proxy-config', configMap: 'kube-proxy-config' },
    ],
    annotations: {},
  },
  status: status(count),
  managedFields: [owns('eks', ['f:spec', 'f:template', 'f:spec'], times.installed)],
  ...over,
})

export const calicoSet = (count: number, version: string, over: Partial<DaemonSetState> = {}): DaemonSetState => ({
  ...kubeProxySet(count),
  role: 'calico-node',
  namespace: 'calico-system',
  name: 'calico-node',
  uid: 'uid-calico-node',
  selector: { 'k8s-app': 'calico-node' },
  nodeSelector: labels,
  updateStrategy: { type: 'RollingUpdate', maxUnavailable: 1 },
  template: {
    image: `quay.io/calico/node:${version}`,
    command: [],
    env: [],
    envFrom: [],
    configMapMounts: [],
    annotations: {},
  },
  ...over,
})

export const podOf = (set: DaemonSetState, node: string, over: Partial<PodState> = {}): PodState => ({
  role: set.role as PodState['role'],
  namespace: set.namespace,
  name: `${set.name}-${node}`,
  uid: `uid-${set.name}-${node}`,
  node,
  daemonSet: set.uid,
  revision: 'r1',
  image: set.template.image,
  createdAt: times.joined,
  startedAt: times.joined,
  ready: true,
  readySince: times.joined,
  restartCount: 0,
  env: set.template.env,
  envFrom: set.template.envFrom,
  ...over,
})

export const proxyConfig = (mode: string, over: Partial<ConfigMapState> = {}): ConfigMapState => ({
  data: {
    config: `apiVersion: kubeproxy.config.k8s.io/v1alpha1\nkind: KubeProxyConfiguration\nmode: "${mode}"\niptables:\n  masqueradeBit: 14\nportRange: ""\n`,
  },
  createdAt: times.installed,
  managedFields: [owns('eks', ['f:data', 'f:config'], times.installed)],
  labels: {},
  annotations: {},
  ...over,
})

export const felixObject = (over: Partial<FelixObject> = {}): FelixObject => ({
  name: 'default',
  uid: `uid-${over.name ?? 'default'}`,
  resourceVersion: '7',
  createdAt: times.installed,
  labels: {},
  annotations: {},
  spec: {},
  managedFields: [],
  ...over,
})

export const rangeKey = 'config.projectcalico.org/KubeNodePortRanges'

const eksState = (over: Partial<EksState>): EksState => ({
  status: 'ACTIVE',
  version: '1.34',
  arn: 'arn:aws:eks:eu-central-1:111122223333:cluster/blue',
  autoMode: false,
  kubeProxyAddon: read({ version: 'v1.34.1-eksbuild.2', status: 'ACTIVE' }),
  updates: read([]),
  tags: {},
  ...over,
})

export function healthy(wish: Wish = {}): ClusterState {
  const count = wish.nodes ?? 3
  const names = Array.from({ length: count }, (_, at) => `node-${`${at + 1}`.padStart(4, '0')}`)
  const version = wish.calico ?? 'v3.30.3'
  const sets = [kubeProxySet(count), calicoSet(count, version)]
  return {
    schemaVersion: 1,
    cluster: { name: 'blue', account: '111122223333', region: 'eu-central-1' },
    observedAt: times.observed,
    ...(wish.eks === false ? {} : { eks: read(eksState(wish.eks ?? {})) }),
    kubernetesVersion: read(wish.kubernetes ?? 'v1.34.1-eks-1a2b3c4'),
    nodes: read(names.map((name) => nodeNamed(name, { podsMax: wish.podsMax ?? 110 }))),
    daemonSets: read(sets),
    pods: read(names.flatMap((name) => sets.map((set) => podOf(set, name)))),
    configMaps: { 'kube-system/kube-proxy-config': read(proxyConfig(wish.mode ?? 'ipvs')) },
    felix: read({ api: 'projectcalico.org/v3', objects: (wish.felix ?? [{}]).map((it) => felixObject(it)) }),
    clusterInformation: read({ calicoVersion: version }),
    installation: read({ calicoVersion: version, linuxDataplane: 'Iptables', cniType: 'AmazonVPC', annotations: {} }),
    nodePorts: read([]),
    logs: {},
    rollout: read(undefined),
  }
}

/** A copy with the change made. */
export function edited(state: ClusterState, change: (copy: ClusterState) => void): ClusterState {
  const copy = structuredClone(state)
  change(copy)
  return copy
}

const all = <T>(it: { value: T[] } | { failure: unknown }): T[] => ('value' in it ? it.value : [])

export const podsOf = (state: ClusterState, role: PodState['role']): PodState[] =>
  all(state.pods).filter((it) => it.role === role)

export const setOf = (state: ClusterState, role: DaemonSetState['role']): DaemonSetState => {
  const set = all(state.daemonSets).find((it) => it.role === role)
  if (!set) throw new Error(`no DaemonSet ${role} in this state`)
  return set
}

export const nodesOf = (state: ClusterState): NodeState[] => all(state.nodes)

export const objectsOf = (state: ClusterState): FelixObject[] => valueOf(state.felix)?.objects ?? []

export const objectNamed = (state: ClusterState, name: string): FelixObject => {
  const found = objectsOf(state).find((it) => it.name === name)
  if (found) return found
  const made = felixObject({ name })
  objectsOf(state).push(made)
  return made
}

/** The mode was changed in the ConfigMap after the nodes had joined. */
export const modeChanged = (state: ClusterState, mode: string): ClusterState =>
  edited(state, (copy) => {
    const config = proxyConfig(mode, { managedFields: [owns('kubectl-edit', ['f:data', 'f:config'], times.changed)] })
    copy.configMaps['kube-system/kube-proxy-config'] = read(config)
  })

export const restarted = (state: ClusterState, role: PodState['role'], names?: string[]): ClusterState =>
  edited(state, (copy) => {
    for (const pod of podsOf(copy, role)) {
      if (names && !names.includes(pod.node)) continue
      Object.assign(pod, { createdAt: times.restarted, startedAt: times.restarted, readySince: times.restarted })
    }
  })

export const logged = (
  state: ClusterState,
  role: PodState['role'],
  log: LogEvidence,
  names?: readonly string[],
): ClusterState =>
  edited(state, (copy) => {
    for (const pod of podsOf(copy, role)) {
      if (!names || names.includes(pod.node)) copy.logs[`${pod.namespace}/${pod.name}`] = read(log)
    }
  })
