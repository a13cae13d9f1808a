import { setTimeout as sleep } from 'node:timers/promises'
import type { Chapter, Claim } from './claim.ts'
import { disturbance } from './disturbance.ts'
import { builtIn, type Ground } from './ground.ts'
import { rollKubeProxy, rollTyped } from './kube-proxy.ts'
import { podsOf } from './pods.ts'
import { paceFlags, rangeFlag, runTool, typed } from './tool.ts'
import { quoted, verdictOf, writable } from './verdict.ts'

/** Felix ends two seconds after it has seen a change that it must restart for, and is back in one more. */
const longEnough = 6_000

/** Rules, starts of Felix and pods, from a moment on. */
async function seenSince({ cluster, nodes, ports }: Ground, since: number, before: readonly { uid: string }[]) {
  const seen = await ports()
  const { starts } = disturbance(nodes, since)
  const uids = (await podsOf(cluster, 'calico-node')).map(({ uid }) => uid)
  const kept = before.filter(({ uid }) => uids.includes(uid)).length
  const rules = seen.map((it) => it || 'no node ports').join(', ')
  const words = `rules for ${rules}; ${starts.join(', ')} starts of Felix; ${kept} of ${before.length} calico-node pods are the same`
  return { seen, starts, kept, words }
}

/** kube-proxy takes the mode; Felix follows, and there is nothing for us to do. `ports`: what the rules then say. */
async function follows(
  ground: Ground,
  { mode, ports, what }: { mode: 'ipvs' | 'nftables'; ports: string; what: string },
  claim: (it: Claim) => void,
): Promise<void> {
  const { cluster } = ground
  const pods = await podsOf(cluster, 'calico-node')
  let since = Date.now()
  await rollKubeProxy(ground, mode)
  await ground.untilPorts(ports)
  await sleep(longEnough)
  let seen = await seenSince(ground, since, pods)
  claim({
    claim: `Felix notices by itself that ${what}: it restarts once on each node, in the same calico-node pod.`,
    command: rollTyped(mode),
    seen: seen.words,
    holds:
      seen.seen.every((it) => it === ports) && seen.starts.every((it) => it === 1) && seen.kept === ground.nodes.length,
  })
  const args = rangeFlag(builtIn)
  const verdict = await verdictOf(ground, 'check', ...args)
  const unwanted = ['FELIX_MISSED_MODE', 'STALE_IPVS_DEVICE', 'MODE_UNPROVEN', 'MODE_NOT_ROLLED']
  claim({
    claim: `The tool reports that no restart is needed in ${mode} mode, which is correct: the rules are right without one.`,
    command: typed('check', ...args),
    seen: `${quoted(verdict)}; ${seen.words}`,
    holds:
      verdict.code === 0 && !verdict.codes.some((it) => unwanted.includes(it)) && seen.kept === ground.nodes.length,
  })
  const before = await writable(cluster)
  since = Date.now()
  const ran = await runTool(ground, 'sync', '--yes', ...args, ...paceFlags())
  await sleep(longEnough)
  seen = await seenSince(ground, since, pods)
  const untouched = (await writable(cluster)) === before
  claim({
    claim: `\`sync\` in ${mode} mode restarts no pod and writes nothing.`,
    command: typed('sync', '--yes', ...args),
    seen: `exit status ${ran.code}; ${untouched ? 'nothing' : 'something'} was written; ${seen.words}`,
    holds: ran.code === 0 && untouched && seen.starts.every((it) => it === 0) && seen.seen.every((it) => it === ports),
  })
}

/** From 3.23 on, Felix follows kube-proxy's device by itself. */
export const mode: Chapter = {
  name: 'mode',
  title: 'IPVS is switched on and off: a Felix that notices it needs no restart by the tool',
  ground: { nodes: 3, mode: 'iptables' },
  prove: async (ground, claim) => {
    await follows(ground, { mode: 'ipvs', ports: builtIn, what: 'kube-proxy works with IPVS' }, claim)
    await follows(
      ground,
      { mode: 'nftables', ports: '', what: 'kube-proxy has left IPVS and removed its device' },
      claim,
    )
  },
}
