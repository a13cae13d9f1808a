import { setTimeout as sleep } from 'node:timers/promises'
import { until } from '../../until.ts'
import { podsOf } from '../proof/pods.ts'
import { type Chapter, count, isTimeout, list } from './claim.ts'
import type { Ground } from './ground.ts'
import { askPause } from './network.ts'
import type { MachineNode } from './node.ts'
import { services } from './ports.ts'
import { outcomes, tryOnce, untilOutcomes } from './probe.ts'
import { isPod, longEnough, setScene } from './scene.ts'
import { startHostProcess } from './workload.ts'

const port = 31_500

/** Leaving IPVS: kube-proxy leaves its link behind, and Felix goes by the link. */
export const staleLink: Chapter = {
  name: 'stale-link',
  title: 'The link that is left behind',
  prove: async (ground, claim) => {
    const { targets } = await setScene(ground)
    const processes = await Promise.all(
      ground.nodes.map((node) => startHostProcess(ground, node, 'host-process', port)),
    )
    const open = ground.nodes.flatMap(({ address }) => [`tcp/${address}:${port}`])
    const inIpvs = await untilOutcomes(ground, open, (it) => it === 'host-process')
    const [left, livesThen] = [Date.now(), ground.nodes.map(({ lives }) => lives.length)]
    for (const node of ground.nodes) await node.startProxy('iptables')
    await until(
      () => `kube-proxy in iptables mode has made no rules: ${ground.nodes.map(lastWords).join('; ')}`,
      () => servedByIptables(ground),
      240,
      askPause,
    )
    const served = await untilOutcomes(ground, targets(services.inside), isPod)
    const links = await Promise.all(
      ground.nodes.map(({ namespace }) => ground.machine.run(`ip -n ${namespace} -o link`)),
    )
    await sleep(Math.max(0, left + longEnough - Date.now()))
    const stale = outcomes(open, await tryOnce(ground, open))
    const isSameFelix = ground.nodes.every(({ lives }, index) => lives.length === livesThen[index])
    for (const node of ground.nodes) await node.link(false)
    const closed = await untilOutcomes(ground, open, isTimeout)
    claim({
      claim: `kube-proxy that leaves IPVS for iptables leaves \`kube-ipvs0\` behind, and Felix continues as in IPVS mode: a process of the node on port ${port}, inside the range, is reached past the node's policy though no Service has that port. Once the link is deleted it is closed.`,
      command: 'ip link delete kube-ipvs0',
      before: `${links.filter((it) => it.includes('kube-ipvs0')).length} of ${links.length} links left; ${list(inIpvs)} in IPVS mode, ${list(stale)} in iptables mode; Services: ${list(served)}`,
      after: list(closed),
      holds:
        links.every((it) => it.includes('kube-ipvs0')) &&
        inIpvs.every((it) => it === 'host-process') &&
        stale.every((it) => it === 'host-process') &&
        isSameFelix &&
        closed.every(isTimeout) &&
        served.every(isPod),
      figures: { before: count(stale, isTimeout), after: count(closed, isTimeout) },
    })
    for (const it of processes) it.end()
    const since = ground.nodes.map(({ lives }) => lives.length)
    const pods = await calicoNodes(ground)
    for (const node of ground.nodes) await node.startProxy('ipvs')
    const noticed = await untilOutcomes(ground, open, (it) => it === 'connection refused')
    const same = (await calicoNodes(ground)).filter((it) => pods.includes(it)).length
    claim({
      claim:
        'Felix notices by itself that IPVS begins: it restarts when the link appears, and no pod of calico-node does.',
      command: 'kube-proxy --proxy-mode=ipvs',
      before: list(closed),
      after: `${list(noticed)}; Felix started ${ground.nodes.map(({ lives }, index) => lives.length - (since[index] ?? 0)).join(', ')} times; ${same} of ${pods.length} pods are the same`,
      holds:
        noticed.every((it) => it === 'connection refused') &&
        same === pods.length &&
        ground.nodes.every(({ lives }, index) => lives.length === (since[index] ?? 0) + 1),
    })
  },
}

const lastWords = (node: MachineNode): string => node.proxyLog().slice(-3).join(' | ')

/** Services answer from what is left of IPVS too: these rules are of the kube-proxy that has just started. */
const servedByIptables = async ({ nodes }: Ground): Promise<boolean> => {
  const all = await Promise.all(nodes.map((node) => node.rules()))
  const port = new RegExp(`^-A KUBE-NODEPORTS .*--dport ${services.inside.nodePort} `)
  return all.every((rules) => rules.some((rule) => port.test(rule)))
}

const calicoNodes = async ({ cluster }: Ground): Promise<string[]> =>
  (await podsOf(cluster, 'calico-node')).map(({ uid }) => uid)
