import { setTimeout as sleep } from 'node:timers/promises'
import { rolloutRestart } from '../../../lab/fixtures/changes.ts'
import { untilSettled } from '../../../lab/fixtures/settle.ts'
import type { Chapter } from './claim.ts'
import { disturbance } from './disturbance.ts'
import { builtIn } from './ground.ts'
import { rollKubeProxy, rollTyped } from './kube-proxy.ts'
import { daemonSetOf, podsOf } from './pods.ts'
import { paceFlags, rangeFlag, runTool, typed } from './tool.ts'
import { quoted, verdictOf, writable } from './verdict.ts'

/** Felix ends two seconds after it has seen a change that it must restart for. */
const longEnough = 6_000
const args = rangeFlag(builtIn)
const inWords = (ports: readonly string[]) => `rules for ${ports.map((it) => it || 'no node ports').join(', ')}`

/** What kube-proxy leaves behind keeps Felix in IPVS mode, whoever restarts what. */
export const staleLink: Chapter = {
  name: 'stale-link',
  title: 'From IPVS to iptables: the device remains, and only its removal helps',
  ground: { nodes: 3 },
  prove: async (ground, claim) => {
    const { cluster, nodes, ports, untilPorts } = ground
    let since = Date.now()
    await rollKubeProxy(ground, 'iptables')
    await sleep(longEnough)
    let seen = await ports()
    let { starts } = disturbance(nodes, since)
    claim({
      claim:
        'kube-proxy leaves `kube-ipvs0` behind when it changes from IPVS to iptables; while the device exists, Felix stays in IPVS mode.',
      command: rollTyped('iptables'),
      seen: `${inWords(seen)}; ${starts.join(', ')} starts of Felix`,
      holds: seen.every((it) => it === builtIn) && starts.every((it) => it === 0),
    })
    let verdict = await verdictOf(ground, 'check', ...args)
    claim({
      claim: 'The tool reports it: out of step, `STALE_IPVS_DEVICE`, from Felix’s own log.',
      command: typed('check', ...args),
      seen: `${quoted(verdict)}; ${inWords(seen)}`,
      holds: verdict.code === 1 && verdict.codes.includes('STALE_IPVS_DEVICE'),
    })
    const before = await writable(cluster)
    since = Date.now()
    const ran = await runTool(ground, 'sync', '--yes', ...args, ...paceFlags())
    await sleep(longEnough)
    ;({ starts } = disturbance(nodes, since))
    const untouched = (await writable(cluster)) === before
    claim({
      claim: '`sync` restarts nothing, because that would not help, and reports that the cluster is still out of step.',
      command: typed('sync', '--yes', ...args),
      seen: `exit status ${ran.code}; ${untouched ? 'nothing' : 'something'} was written; ${starts.join(', ')} starts of Felix`,
      holds: ran.code === 1 && untouched && starts.every((it) => it === 0),
    })
    since = Date.now()
    const old = new Set((await podsOf(cluster, 'calico-node')).map(({ uid }) => uid))
    await rolloutRestart(cluster, daemonSetOf('calico-node'))
    await untilSettled(cluster, daemonSetOf('calico-node'), { pods: nodes.length, timeout: 120_000 })
    await sleep(longEnough)
    const replaced = (await podsOf(cluster, 'calico-node')).filter(({ uid }) => !old.has(uid)).length
    ;({ starts } = disturbance(nodes, since))
    seen = await ports()
    claim({
      claim: 'Restarting calico-node does not help, as the tool says: the new Felix is in IPVS mode again.',
      command: 'kubectl -n calico-system rollout restart daemonset calico-node',
      seen: `${replaced} of ${nodes.length} pods are new; ${starts.join(', ')} starts of Felix; ${inWords(seen)}`,
      holds: replaced === nodes.length && starts.every((it) => it === 1) && seen.every((it) => it === builtIn),
    })
    since = Date.now()
    const [first, ...others] = nodes
    await first?.link(false)
    await sleep(longEnough)
    seen = await ports()
    ;({ starts } = disturbance(nodes, since))
    claim({
      claim: 'Removing the device helps: Felix restarts by itself on that node only, and its IPVS rules are gone.',
      command: 'ip link delete kube-ipvs0, on the first node',
      seen: `${inWords(seen)}; ${starts.join(', ')} starts of Felix`,
      holds: seen.join() === ['', builtIn, builtIn].join() && starts.join() === '1,0,0',
    })
    verdict = await verdictOf(ground, 'check', ...args)
    claim({
      claim: 'The tool distinguishes the nodes: those that still have the device are out of step.',
      command: typed('check', ...args),
      seen: `${quoted(verdict)}, ${verdict.outOfStep.length} of ${nodes.length} nodes out of step; ${inWords(seen)}`,
      holds:
        verdict.outOfStep.toSorted().join() ===
        others
          .map(({ name }) => name)
          .toSorted()
          .join(),
    })
    await Promise.all(others.map((node) => node.link(false)))
    await untilPorts('')
    verdict = await verdictOf(ground, 'check', ...args)
    seen = await ports()
    claim({
      claim: 'When the device is gone on all nodes, the tool reports no finding.',
      command: typed('check', ...args),
      seen: `${quoted(verdict)}; ${inWords(seen)}`,
      holds: verdict.code === 0 && !verdict.codes.includes('STALE_IPVS_DEVICE') && seen.every((it) => it === ''),
    })
  },
}
