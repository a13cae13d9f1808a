import type { FelixOnNode } from './felix-view.ts'
import { doubtfulGroups } from './felix-view.ts'
import { ebpfOn } from './node-felix.ts'
import { calicoVersions } from './version.ts'
import type { ClusterState, PodState } from '../cluster.ts'
import { configuredModes, type ProxyConfiguration } from '../proxy-mode/configured.ts'
import { type RunningMode, runningModes } from '../proxy-mode/running.ts'
import type { Group } from '../proxy-mode/samples.ts'
import { groupsOf, nodePods, podId, sampleOf } from '../proxy-mode/samples.ts'
import { valueOf } from '../read.ts'

/**
 * The kube-proxy and calico-node pods whose logs should be read before `assess`, those already in `state.logs` left
 * out: at most five of each group whose timestamps are not conclusive, or all with `deep`. None if no Calico runs.
 */
export function logsWorthReading(state: ClusterState, { deep }: { deep: boolean }): PodState[] {
  const calicoPods = nodePods(state, 'calico-node')
  if (calicoPods.size === 0) return []
  const proxyPods = nodePods(state, 'kube-proxy')
  const configurations = configuredModes(state)
  const running = runningModes(withoutLogs(state), configurations)
  const wanted = deep
    ? [...proxyPods.values(), ...calicoPods.values()].filter((it) => it.startedAt !== undefined || hasEnded(it))
    : [
        ...doubtfulProxies(running),
        ...sampleOf([...proxyPods.values()].filter(hasEnded)),
        ...doubtfulFelix(state, { calicoPods, running, configurations }),
      ]
  return wanted.filter((it) => state.logs[podId(it)] === undefined)
}

/** kube-proxy does not run; the log of the previous process has the reason. */
const hasEnded = ({ role, startedAt, restartCount }: PodState): boolean =>
  role === 'kube-proxy' && startedAt === undefined && restartCount > 0

type Running = Map<string, RunningMode>

/** Logs are ignored here, so that the sample is the same whether or not some logs were already read. */
const withoutLogs = (state: ClusterState): ClusterState => ({ ...state, logs: {} })

function doubtfulProxies(running: Running): PodState[] {
  const doubtful = [...running.values()].filter((it) => it.mode === 'unknown' || it.close)
  const changes = new Map(doubtful.map((it) => [it.pod, it.configuration?.changes]))
  return samples(groupsOf(changes.keys(), (pod) => changes.get(pod)))
}

interface PodsAndModes {
  calicoPods: Map<string, PodState>
  running: Running
  configurations: readonly ProxyConfiguration[]
}

function doubtfulFelix(state: ClusterState, { calicoPods, running, configurations }: PodsAndModes): PodState[] {
  const versionOf = calicoVersions(state)
  const nodes: FelixOnNode[] = (valueOf(state.nodes) ?? []).map((node) => {
    const calicoPod = calicoPods.get(node.name)
    return { node, running: running.get(node.name), calicoPod, version: versionOf(calicoPod) }
  })
  return [...samples(doubtfulGroups(nodes)), ...doubtfulLinks(state, nodes, configurations)]
}

/**
 * In eBPF mode: if `kube-ipvs0` remains from an earlier ipvs mode, Felix restarts in a loop inside its container, and
 * only its log shows that.
 */
function doubtfulLinks(
  state: ClusterState,
  nodes: readonly FelixOnNode[],
  configurations: readonly ProxyConfiguration[],
): PodState[] {
  const neverIpvs = configurations.length > 0 && configurations.every(({ initial, mode }) => initial && mode !== 'ipvs')
  const doubtful = neverIpvs ? [] : nodes.filter(({ running, calicoPod }) => !running && calicoPod)
  if (doubtful.length === 0) return []
  const inEbpf = ebpfOn(state)
  const pods = doubtful.flatMap(({ node, calicoPod }) => (calicoPod && inEbpf(node, calicoPod) ? [calicoPod] : []))
  return samples(groupsOf(pods, () => undefined))
}

const samples = (groups: Map<PodState, Group>): PodState[] =>
  [...new Set(groups.values())].flatMap((group) => sampleOf(group.pods))
