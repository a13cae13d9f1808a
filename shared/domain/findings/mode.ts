import { leftOutByAll } from '../facts/applicability.ts'
import type { ClusterFacts } from '../facts/facts.ts'
import { followsTheLink } from '../facts/felix-view.ts'
import type { NodeState } from '../cluster.ts'
import type { NodeCheck, Trouble } from './checks.ts'
import { kubectl, onCluster, onObjects, rolloutRestart } from './remedy.ts'
import { quoted } from '../shell.ts'
import type { ProxyConfiguration } from '../proxy-mode/configured.ts'
import { podId } from '../proxy-mode/samples.ts'
import { type RunningMode, tookPresentMode } from '../proxy-mode/running.ts'
import type { Evidence, Finding, Mode } from '../report.ts'

const isRolling = ({ underWay }: ClusterFacts): boolean => underWay.length > 0

/** kube-proxy reads its mode only when it starts: a changed configuration has no effect until it is restarted. */
export const modeNotRolled: NodeCheck = (it, cluster) => {
  const { running, configuredMode } = it
  const { configuration } = running ?? {}
  if (!running || running.mode === 'unknown' || !configuration || configuredMode === undefined) return []
  // The add-on's configuration may differ from what kube-proxy reads.
  if (configuredMode === running.mode || configuration.failure || isRolling(cluster)) return []
  const set = configuration.daemonSet
  const at = configuration.changes?.at(-1)
  const fellBack =
    configuredMode === 'ipvs' && running.mode === 'iptables' && tookPresentMode(running.pod, configuration) === 'yes'
  return [
    {
      code: 'MODE_NOT_ROLLED',
      severity: 'warning',
      breaks: false,
      subject: `DaemonSet/${set.namespace}/${set.name}`,
      message: `kube-proxy is configured for ${configuredMode} but runs ${running.mode}: ${fellBack ? `it fell back, as it does up to 1.25 where kernel modules are missing (${modulesOf(running.missing)})` : 'it has not been restarted since'}. Calico is compared with the running mode.`,
      evidence: [
        { ...configuration.evidence, ...(at === undefined ? {} : { at }) },
        ...(fellBack ? running.evidence : []),
      ],
      seen: { object: `Node/${it.node.name}`, field: 'kube-proxy', value: `${running.mode} (${running.confidence})` },
      remedy: fellBack ? loadModules(running.missing) : rolloutRestart(cluster, set),
    },
  ]
}

const ipvsModules = ['ip_vs', 'ip_vs_rr', 'ip_vs_wrr', 'ip_vs_sh', 'nf_conntrack']
const modulesOf = (missing: readonly string[] = ipvsModules): string => missing.join(', ')

/** A restart alone does not help: the kernel modules would still be missing. */
const loadModules = (missing: readonly string[] = ipvsModules): string =>
  `On the nodes: modprobe -a ${missing.join(' ')}, and have it loaded at boot (/etc/modules-load.d/, or the user data of the node group). After that, kube-proxy uses ipvs when its pod is recreated.`

/** There is no evidence of kube-proxy's mode, or none of whether Felix noticed it. */
export const modeUnproven: NodeCheck = (it, cluster) => {
  if (it.starting !== undefined || isRolling(cluster) || cluster.gaps.needed.length > 0) return []
  const { running, view } = it
  if (it.leftLink && !running) return []
  if (running && running.mode !== 'unknown')
    return view.doubt === undefined
      ? []
      : [{ ...unproven(cluster, view.doubt, view.evidence), remedy: seeTheLink(cluster) }]
  if (!running) return [unproven(cluster, noProxy(it.node, cluster), [])]
  const trouble = unproven(cluster, `kube-proxy's running mode is not known: ${running.reason}`, running.evidence)
  return [running.pod.startedAt === undefined ? { ...trouble, remedy: startKubeProxy(running, cluster) } : trouble]
}

const seeTheLink = (cluster: ClusterFacts): string =>
  `On the node, ls /sys/class/net/kube-ipvs0 shows the link if it is there.\nRead all logs: ${onCluster(cluster, 'check')} --deep\nA log is evidence if it contains the start of Felix and its level (logSeverityScreen) is Info, as in a recreated calico-node pod.`

function startKubeProxy({ pod, missing }: RunningMode, cluster: ClusterFacts): string {
  const place = `${kubectl(cluster)} -n ${quoted(pod.namespace)}`
  if (missing) return loadModules(missing)
  return pod.restartCount > 0
    ? `See why it exits: ${place} logs ${quoted(pod.name.startsWith('-') ? `pod/${pod.name}` : pod.name)} --previous`
    : `See what it waits for: ${place} describe ${onObjects('pod', pod.name)}`
}

function noProxy(node: NodeState, { configurations, nodes }: ClusterFacts): string {
  if (configurations.length === 0) {
    const elsewhere = nodes.some(({ running }) => running !== undefined)
    return elsewhere ? 'no kube-proxy pod is on this node' : 'no kube-proxy was found in this cluster'
  }
  const leftOut = leftOutByAll(
    configurations.map(({ daemonSet }) => daemonSet),
    node,
  )
  return leftOut === undefined
    ? 'no kube-proxy pod is on this node'
    : `the DaemonSet kube-proxy excludes this node: ${leftOut}`
}

const unproven = (cluster: ClusterFacts, why: string, evidence: readonly Evidence[]): Trouble => ({
  code: 'MODE_UNPROVEN',
  severity: 'warning',
  breaks: false,
  message: `It is not known whether Calico is in step, because ${why}.`,
  evidence: evidence.slice(0, 2),
  remedy: [
    `${onCluster(cluster, 'check')} --deep   # reads all pod logs (get pods/log)`,
    'curl -s 127.0.0.1:10249/proxyMode; ls /sys/class/net/kube-ipvs0   # on the node',
  ].join('\n'),
})

/** A Felix that does not follow the link checks it again only when its pod is restarted. */
export const felixMissedMode: NodeCheck = (it, cluster) => {
  const { running, view, version, calicoPod } = it
  if (!running || view.ipvs === undefined || !calicoPod) return []
  const missed = view.missed || (running.mode === 'ipvs' && !view.ipvs && it.values.BPFEnabled !== true)
  if (!missed) return []
  const helpless = followsTheLink(version) !== true
  return [
    {
      code: 'FELIX_MISSED_MODE',
      severity: 'critical',
      breaks: true,
      message: `kube-proxy runs ${running.mode}, but Felix (${version?.text ?? 'version unknown'}) works as if ${view.ipvs ? 'IPVS were active' : 'IPVS were not'}: ${helpless ? 'up to Calico 3.22 it checks only when it starts, and calico-node started before the change' : 'its log says so although this version restarts itself'}.`,
      evidence: view.evidence.filter(({ object }) => object !== `Pod/${podId(calicoPod)}`),
      seen: {
        object: `Pod/${podId(calicoPod)}`,
        field: 'started',
        ...(calicoPod.startedAt && { at: calicoPod.startedAt }),
      },
      remedy: `One pod at a time; wait until it is Ready again: ${kubectl(cluster)} -n ${quoted(calicoPod.namespace)} delete ${onObjects('pod', calicoPod.name)}`,
    },
  ]
}

/** When kube-proxy changes from ipvs to iptables it does not remove the link, and Felix checks only the link. */
export const staleDevice: NodeCheck = (it) => {
  const { running, view, calicoPod } = it
  if (running?.mode === 'ipvs' || running?.mode === 'unknown' || !running || view.ipvs !== true || view.missed)
    return []
  return [
    {
      code: 'STALE_IPVS_DEVICE',
      severity: 'warning',
      breaks: true,
      message: `kube-proxy runs ${running.mode}, but Felix is still in IPVS mode, because the link kube-ipvs0 remained. Restarting calico-node does not help; the link must be removed.`,
      evidence: view.evidence,
      ...(calicoPod && { seen: { object: `Pod/${podId(calicoPod)}`, field: 'felix', value: 'IPVS mode' } }),
      remedy: `On the node: ip link delete kube-ipvs0 (or kube-proxy --cleanup, or replace the node).${followsTheLink(it.version) === true ? ' Felix then restarts itself.' : ' Then restart its calico-node pod.'}`,
    },
  ]
}

/** Compares all nodes: kube-proxy runs in different modes. */
export function modeMixed({ nodes, configurations }: ClusterFacts): Finding[] {
  const byMode = new Map<Mode, string[]>()
  for (const { running, node } of nodes) {
    if (!running || running.mode === 'unknown') continue
    const names = byMode.get(running.mode) ?? []
    names.push(node.name)
    byMode.set(running.mode, names)
  }
  if (byMode.size < 2) return []
  const intended = new Set(configurations.map(({ mode }) => mode)).size > 1
  const counts = [...byMode].map(([mode, names]) => `${mode} on ${names.length}`)
  return [
    {
      code: 'MODE_MIXED',
      severity: intended ? 'info' : 'warning',
      subject: 'cluster',
      message: `kube-proxy does not run the same mode on all nodes: ${counts.join(', ')}${intended ? ', as its DaemonSets are configured' : ''}.`,
      evidence: [...byMode].flatMap(([mode, names]) =>
        names.slice(0, 5).map((name) => ({ object: `Node/${name}`, field: 'kube-proxy', value: mode })),
      ),
      remedy:
        'Restart the kube-proxy pods that do not run the configured mode, or keep different modes per node group intentionally.',
    },
  ]
}

/** The running mode is known, but kube-proxy could not start again with its present configuration. */
export function modeMisconfigured({ configurations, nodes }: ClusterFacts): Finding[] {
  const isKnown = ({ daemonSet }: ProxyConfiguration): boolean =>
    nodes.some(({ running }) => running?.pod.daemonSet === daemonSet.uid && running.mode !== 'unknown')
  return configurations.filter(isKnown).flatMap(({ problem, failure, evidence, daemonSet }): Finding[] =>
    problem === undefined || failure
      ? []
      : [
          {
            code: 'MODE_UNPROVEN',
            severity: 'warning',
            subject: `DaemonSet/${daemonSet.namespace}/${daemonSet.name}`,
            message: `kube-proxy's configured mode cannot be read: ${evidence.object} ${problem}.`,
            evidence: [evidence],
            remedy: 'Set the mode to iptables, ipvs or nftables in the file that --config names.',
          },
        ],
  )
}
