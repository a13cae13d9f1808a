import type { KubeReads, LoggingPod } from '../../clients/kube/client.ts'
import type { ClusterState, DaemonSetState, PodState } from '../../domain/cluster.ts'
import { logsWorthReading } from '../../domain/facts/logs-worth-reading.ts'
import { failed, failureOf, type ReadFailure, read, valueOf } from '../../domain/read.ts'
import { configMapsToRead } from './config-maps.ts'
import { observeModeEvidence } from './mode.ts'
import { agreeing } from './nodes.ts'
import { headOf, type Observation, unobserved } from './observation.ts'
import { podLists } from './pods.ts'

/**
 * Reads a whole cluster. Independent reads run in parallel; any of them may fail and is then recorded as failed. The
 * first request checks whether the server answers at all, so that there are not twelve timeouts.
 */
export async function observe(it: Observation): Promise<ClusterState> {
  const { kube } = it
  const [kubernetesVersion, served] = await Promise.all([kube.version(), kube.apis()])
  const closed = [failureOf(served), failureOf(kubernetesVersion)].find((failure) => failure && isClosed(failure))
  if (closed) return unobserved(it, closed)
  const apis = valueOf(served) ?? everyApi
  const [workloads, nodes, felix, clusterInformation, nodePorts, rollout] = await Promise.all([
    observeWorkloads(kube, apis),
    kube.nodes(),
    kube.felixConfigurations(apis),
    kube.clusterInformation(apis),
    kube.nodePorts(),
    kube.lease(),
  ])
  const all = {
    nodes: agreeing(nodes, valueOf(workloads.pods) ?? []),
    ...workloads,
    felix,
    clusterInformation,
    nodePorts,
    rollout,
  }
  const seen = { kubernetesVersion, ...all }
  const state: ClusterState = { ...headOf(it), ...seen, logs: {} }
  const withLogs = { ...state, logs: await readLogs(kube, state, it.deep ?? false) }
  const modeEvidence = await observeModeEvidence(kube, withLogs, it.deep ?? false)
  return Object.keys(modeEvidence).length === 0 ? withLogs : { ...withLogs, modeEvidence }
}

const isClosed = ({ kind }: ReadFailure) => kind === 'unreachable' || kind === 'unauthenticated'

/** If the list of APIs cannot be read, each API is tried. */
const everyApi = ['projectcalico.org/v3', 'crd.projectcalico.org/v1', 'operator.tigera.io/v1']

type Workloads = Pick<ClusterState, 'daemonSets' | 'pods' | 'configMaps' | 'installation'>

async function observeWorkloads(kube: KubeReads, apis: readonly string[]): Promise<Workloads> {
  const daemonSets = await kube.daemonSets()
  const found = valueOf(daemonSets) ?? []
  const lists = podLists(found).map((of) => kube.pods(of))
  const named = configMapsToRead(found).map(async ({ namespace, name }) => {
    return [`${namespace}/${name}`, await kube.configMap(namespace, name)] as const
  })
  const [pods, configMaps, installation] = await Promise.all([
    Promise.all(lists),
    Promise.all(named),
    isByManifest(found) ? read(undefined) : kube.installation(apis),
  ])
  const failure = [failureOf(daemonSets), ...pods.map((list) => failureOf(list))].find((it) => it !== undefined)
  return {
    daemonSets,
    pods: failure ? failed(failure) : read(pods.flatMap((list) => valueOf(list) ?? [])),
    configMaps: Object.fromEntries(configMaps),
    installation,
  }
}

/**
 * The operator runs calico-node in `calico-system`; calico-node in `kube-system` was installed by manifest, whatever
 * else is installed.
 */
function isByManifest(daemonSets: readonly DaemonSetState[]): boolean {
  const calico = daemonSets.filter(({ role }) => role === 'calico-node')
  return calico.length > 0 && calico.every(({ namespace }) => namespace === 'kube-system')
}

const logOfProcess = (pod: PodState): LoggingPod => (pod.startedAt === undefined ? { ...pod, ended: true } : pod)

async function readLogs(kube: KubeReads, state: ClusterState, deep: boolean): Promise<ClusterState['logs']> {
  const pods = logsWorthReading(state, { deep })
  const logs = pods.map(async (pod) => [`${pod.namespace}/${pod.name}`, await kube.podLog(logOfProcess(pod))] as const)
  return Object.fromEntries(await Promise.all(logs))
}
