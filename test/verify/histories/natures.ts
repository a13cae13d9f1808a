import type { ClusterState } from '../../../shared/domain/cluster.ts'
import { read, valueOf } from '../../../shared/domain/read.ts'
import {
  edited,
  felixObject,
  healthy,
  type Wish,
  modeChanged,
  objectNamed,
  owns,
  podsOf,
  rangeKey,
  restarted,
  setOf,
  times,
} from '../../domain/states.ts'
import type { Random } from './random.ts'

export const v3 = 'projectcalico.org/v3'
export const v1 = 'crd.projectcalico.org/v1'
export const crds = 'apiextensions.k8s.io/v1'
const operator = 'operator.tigera.io/v1'

/** How a cluster is installed. */
export interface Nature {
  /** The mode was changed while calico-node ran, in a version that does not notice. */
  missed: boolean
  /** What its API server serves. */
  apis: readonly string[]
  /** Fields that the API server sets in every FelixConfiguration that it stores. */
  fills: Record<string, unknown>
  /** The stored objects have the copy of their metadata that Calico's API server keeps. */
  copies: boolean
  /** The first node has an object of its own, which sets something else. */
  ownObject: boolean
  /** calico-node runs in kube-system, and takes a setting from a ConfigMap. */
  byManifest: boolean
  /** Nodes are spread over so many zones; 0: they have no zone. */
  zones: number
  /** kube-proxy says its mode at its metrics port, to which a person at a terminal has a way. */
  metrics: boolean
  /** Pods of an admission webhook for our writes run on the first node. */
  webhook: boolean
  kubernetes: string
}

export const plainNature: Nature = {
  missed: false,
  apis: [v3, v1, operator],
  fills: {},
  copies: false,
  ownObject: false,
  byManifest: false,
  zones: 0,
  metrics: false,
  webhook: false,
  kubernetes: 'v1.34.1-eks-1a2b3c4',
}

export const natureOf = (random: Random): Nature => {
  const missed = random.chance(0.25)
  const apis = random.pick([
    [v3, v1, operator],
    [v3, v1, operator],
    [v1, operator],
    // CRDs of v3, and no API server of Calico.
    // Calico with its own etcd.
    [v3, operator],
    ...(missed ? [] : [[crds, v3, operator]]),
  ])
  return {
    missed,
    apis,
    fills: random.pick([{}, {}, { nftablesMode: 'Auto' }]),
    copies: !missed && !apis.includes(v3) && random.chance(0.5),
    ownObject: random.chance(0.25),
    byManifest: random.chance(0.2),
    zones: random.pick([0, 0, 2, 3]),
    metrics: random.chance(0.5),
    webhook: random.chance(0.2),
    // From then on kube-proxy says in an Event that it runs in mode ipvs.
    kubernetes: random.pick(['v1.34.1-eks-1a2b3c4', 'v1.35.2-eks-1a2b3c4']),
  }
}

const versionOf = ({ missed, apis }: Nature): string =>
  missed ? 'v3.22.5' : apis.includes(crds) ? 'v3.32.0' : 'v3.28.4'

/** The state of such a cluster, before anything happens. */
export const stateOf = (nature: Nature, wish: Pick<Wish, 'nodes' | 'eks'>): ClusterState => {
  const plain = healthy({ ...wish, calico: versionOf(nature), kubernetes: nature.kubernetes })
  const old = nature.missed ? restarted(modeChanged(plain, 'ipvs'), 'kube-proxy') : plain
  const edits = [
    withInstallers,
    nature.metrics && withMetrics,
    nature.byManifest && movedToKubeSystem,
    nature.ownObject && withOwnObject,
    nature.copies && withCopy,
  ]
  return edits.reduce<ClusterState>((state, edit) => (edit ? edited(state, edit) : state), old)
}

/** Before anybody else, `default` was written by those who installed Calico: one says no time. */
const withInstallers = (state: ClusterState): void => {
  const { time: _time, ...untimed } = owns('kubectl', ['f:spec', 'f:logSeverityScreen'], times.installed)
  objectNamed(state, 'default').managedFields.push(owns('calico-node', ['f:spec'], times.installed), untimed)
}

const withOwnObject = (state: ClusterState): void => {
  const [node] = valueOf(state.nodes) ?? []
  valueOf(state.felix)?.objects.push(felixObject({ name: `node.${node?.name}`, spec: ownSetting }))
}

export const ownSetting = { logSeverityScreen: 'Debug' }

const proxyConfig = 'kube-system/kube-proxy-config'

const withMetrics = (state: ClusterState): void => {
  const config = valueOf(state.configMaps[proxyConfig])
  if (!config) throw new Error('kube-proxy has its configuration in a ConfigMap')
  const text = `${config.data['config']}metricsBindAddress: 0.0.0.0:10249\n`
  state.configMaps[proxyConfig] = read({ ...config, data: { ...config.data, config: text } })
}

const movedToKubeSystem = (state: ClusterState): void => {
  const set = setOf(state, 'calico-node')
  set.namespace = 'kube-system'
  set.template.env = [
    { name: 'FELIX_BPFENABLED', from: { configMap: 'calico-config', key: 'bpf', optional: true } },
    { name: 'FELIX_IPINIPMTU', from: { configMap: 'calico-config', key: 'mtu', optional: true } },
    { name: 'FELIX_LOGSEVERITYSCREEN', value: 'info' },
  ]
  set.template.envFrom = [
    { configMap: 'calico-config', optional: true, prefix: 'CONFIG_' },
    { unknown: 'Secret/aws', prefix: 'AWS_' },
  ]
  state.configMaps['kube-system/calico-config'] = read({
    data: { bpf: 'false' },
    createdAt: set.createdAt,
    managedFields: [],
    labels: {},
    annotations: {},
  })
  for (const pod of podsOf(state, 'calico-node'))
    Object.assign(pod, { namespace: 'kube-system', env: set.template.env, envFrom: set.template.envFrom })
}

const withCopy = (state: ClusterState): void => {
  const range = '30000:32767'
  const copy = JSON.stringify({ annotations: { team: 'platform', [rangeKey]: range } })
  objectNamed(state, 'default').annotations = { [rangeKey]: range, 'projectcalico.org/metadata': copy }
}
