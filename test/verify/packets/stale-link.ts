import { paceFlags, runTool } from '../proof/tool.ts'
import { type Chapter, count, isTimeout, list } from './claim.ts'
import { untilOutcomes } from './probe.ts'
import { isPod, rangeFlag, services, setScene } from './scene.ts'
import { startHostProcess } from './workload.ts'

const port = 31_500

/** Leaving IPVS: kube-proxy leaves its link behind, and Felix goes by the link. */
export const staleLink: Chapter = {
  name: 'stale-link',
  title: 'The link that is left behind',
  prove: async (ground, claim) => {
    const { targets } = await setScene(ground)
    await runTool(ground, 'sync', '--yes', ...rangeFlag, ...paceFlags(ground.pace))
    const processes = await Promise.all(
      ground.nodes.map((node) => startHostProcess(ground, node, 'host-process', port)),
    )
    const open = ground.nodes.flatMap(({ address }) => [`tcp/${address}:${port}`])
    const inIpvs = await untilOutcomes(ground, open, (it) => it === 'host-process')
    for (const node of ground.nodes) await node.startProxy('iptables')
    const served = await untilOutcomes(ground, targets(services.inside), isPod)
    const links = await Promise.all(
      ground.nodes.map(({ namespace }) => ground.machine.run(`ip -n ${namespace} -o link`)),
    )
    const stale = await untilOutcomes(ground, open, (it) => it === 'host-process')
    for (const node of ground.nodes) await node.link(false)
    const closed = await untilOutcomes(ground, open, isTimeout)
    claim({
      claim: `kube-proxy that leaves IPVS for iptables leaves \`kube-ipvs0\` behind, and Felix goes on as in IPVS mode: a process of the node on port ${port}, inside the range, is reached past the node's policy though no Service has that port. Once the link is deleted it is closed.`,
      command: 'ip link delete kube-ipvs0',
      before: `${links.filter((it) => it.includes('kube-ipvs0')).length} of ${links.length} links left; ${list(inIpvs)} in IPVS mode, ${list(stale)} in iptables mode; Services: ${list(served)}`,
      after: list(closed),
      holds:
        links.every((it) => it.includes('kube-ipvs0')) &&
        stale.every((it) => it === 'host-process') &&
        closed.every(isTimeout) &&
        served.every(isPod),
      figures: { before: count(stale, isTimeout), after: count(closed, isTimeout) },
    })
    for (const it of processes) it.end()
    const since = ground.nodes.map(({ lives }) => lives.length)
    for (const node of ground.nodes) await node.startProxy('ipvs')
    const noticed = await untilOutcomes(ground, open, (it) => it === 'connection refused')
    claim({
      claim:
        'Felix from 3.23 notices by itself that IPVS begins: it restarts when the link appears, and no pod of calico-node does.',
      command: 'kube-proxy --proxy-mode=ipvs',
      before: list(closed),
      after: `${list(noticed)}; Felix started ${ground.nodes.map(({ lives }, index) => lives.length - (since[index] ?? 0)).join(', ')} times`,
      holds:
        noticed.every((it) => it === 'connection refused') &&
        ground.nodes.every(({ lives }, index) => lives.length === (since[index] ?? 0) + 1),
    })
  },
}
