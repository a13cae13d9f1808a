import { setTimeout as sleep } from 'node:timers/promises'
import { until } from '../../until.ts'
import { rolloutRestart, setKubeProxyMode } from '../../../lab/fixtures/changes.ts'
import type { ProxyMode } from '../../../lab/fixtures/cluster-spec.ts'
import { untilSettled } from '../../../lab/fixtures/settle.ts'
import type { Ground } from './ground.ts'
import { daemonSetOf, podsOf } from './pods.ts'

/**
 * What the real kube-proxy does to the node's link when it starts: it makes it for IPVS, takes it away for nftables, and leaves it where
 * it is for iptables (`platformCleanup` of cmd/kube-proxy/app/server_linux.go).
 */
const linkAfter: Record<ProxyMode, boolean | undefined> = { ipvs: true, nftables: false, iptables: undefined }

/** The times of objects are whole seconds: what is to be later must be later by one. */
export const aSecondLater = (): Promise<void> => sleep(2_100)

/** The mode is changed and kube-proxy rolled; each new pod does to its node's link as the real one would. */
export async function rollKubeProxy({ cluster, nodes }: Ground, mode: ProxyMode): Promise<void> {
  const before = new Set((await podsOf(cluster, 'kube-proxy')).map(({ uid }) => uid))
  await aSecondLater()
  await setKubeProxyMode(cluster, mode)
  await aSecondLater()
  await rolloutRestart(cluster, daemonSetOf('kube-proxy'))
  const waiting = new Set(nodes)
  const present = linkAfter[mode]
  const follow = async (): Promise<boolean> => {
    const fresh = (await podsOf(cluster, 'kube-proxy')).filter(({ uid, ready }) => ready && !before.has(uid))
    for (const node of waiting) {
      if (!fresh.some((it) => it.node === node.name)) continue
      waiting.delete(node)
      if (present !== undefined) await node.link(present)
    }
    return waiting.size === 0
  }
  await until(() => `kube-proxy has not been replaced on ${waiting.size} nodes`, follow, 60)
  await untilSettled(cluster, daemonSetOf('kube-proxy'), { pods: nodes.length })
}

/** The same as a person would have it happen. */
export const rollTyped = (mode: ProxyMode): string =>
  `\`mode: "${mode}"\` in kube-proxy’s ConfigMap, then \`kubectl -n kube-system rollout restart daemonset kube-proxy\``
