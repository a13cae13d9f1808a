import { setTimeout as sleep } from 'node:timers/promises'
import { setKubeProxyMode } from '../../../lab/fixtures/changes.ts'
import { until } from '../../until.ts'
import type { Chapter, Claim } from './claim.ts'
import { disturbance } from './disturbance.ts'
import { builtIn, felixConfigurations, type Ground, mergePatch, rangeAnnotation } from './ground.ts'
import { aSecondLater } from './kube-proxy.ts'
import { replacePod } from './pods.ts'
import { paceFlags, rangeFlag, runTool, typed } from './tool.ts'
import { writable } from './verdict.ts'

/** Felix ends two seconds after it has seen a change that it must restart for. */
const longEnough = 6_000

const inWords = (ports: readonly string[]) => `rules for ${ports.map((it) => it || 'no node ports').join(', ')}`

/** `sync` must leave the cluster as it is. */
async function isLeftAlone(ground: Ground, range: string, claim: string): Promise<Claim> {
  const { cluster, nodes, ports } = ground
  const args = ['sync', '--yes', ...rangeFlag(range)]
  const [before, rules] = [await writable(cluster), await ports()]
  const since = Date.now()
  const ran = await runTool(ground, ...args, ...paceFlags())
  await sleep(longEnough)
  const untouched = (await writable(cluster)) === before
  const { starts } = disturbance(nodes, since)
  const seen = await ports()
  return {
    claim,
    command: typed(...args),
    seen: `exit status ${ran.code}; ${untouched ? 'nothing' : 'something'} was written; ${starts.join(', ')} starts of Felix; ${inWords(seen)}`,
    holds: ran.code === 0 && untouched && starts.every((it) => it === 0) && seen.join() === rules.join(),
  }
}

/** kube-proxy is to run with IPVS and is restarted on some nodes only. */
async function ipvsOn(ground: Ground, nodes: Ground['nodes']): Promise<void> {
  await setKubeProxyMode(ground.cluster, 'ipvs')
  await aSecondLater()
  for (const node of nodes) {
    await replacePod(ground.cluster, 'kube-proxy', node.name)
    await node.link(true)
  }
}

const untilPortsAre = async (ground: Ground, wanted: string[]): Promise<void> => {
  let seen: string[] = []
  const holds = async () => (seen = await ground.ports()).join(' ') === wanted.join(' ')
  await until(() => `There are ${inWords(seen)}, not for ${wanted.join(' ')}`, holds, 30)
  await until(
    () => 'Felix is not ready on every node',
    () => ground.nodes.every((it) => it.isReady()),
    30,
  )
}

/** The ports from 20000 to 32767 as somebody may have written them. */
const otherSpelling = '20000:25000,25001:32767'

const annotate = ({ cluster }: Ground, range: string) =>
  cluster.request(
    'PATCH',
    `${felixConfigurations}/default`,
    { metadata: { annotations: { [rangeAnnotation]: range } } },
    mergePatch,
  )

/** Wherever nothing needs a change, there is none. */
export const nothingToDo: Chapter = {
  name: 'nothing-to-do',
  title: 'Where there is nothing to do, nothing is written and nothing restarts',
  ground: { nodes: 3, mode: 'iptables' },
  prove: async (ground, claim) => {
    const { nodes, ports } = ground
    claim(
      await isLeftAlone(ground, '20000:32767', 'In a cluster without IPVS a range that differs is no reason to write.'),
    )
    const [without, ...withIpvs] = nodes
    await ipvsOn(ground, withIpvs)
    await untilPortsAre(ground, ['', builtIn, builtIn])
    claim(
      await isLeftAlone(
        ground,
        builtIn,
        'The range that is built into Felix is not written where it is the desired one, neither for nodes with IPVS nor for a node without.',
      ),
    )
    await annotate(ground, otherSpelling)
    await untilPortsAre(ground, ['', otherSpelling, otherSpelling])
    claim(
      await isLeftAlone(
        ground,
        '20000:32767',
        `The same ports in another spelling, \`${otherSpelling}\`, are left as they are, because Felix would restart for another text of the same ports.`,
      ),
    )
    const range = '25000:32767'
    const args = ['sync', '--yes', ...rangeFlag(range)]
    const since = Date.now()
    const ran = await runTool(ground, ...args, ...paceFlags())
    await sleep(longEnough)
    const seen = await ports()
    const { starts, atOnce } = disturbance(nodes, since)
    claim({
      claim:
        'If other nodes need another range, a node without IPVS gets it from `default` as well: it is changed in turn and restarts once; never two nodes at a time, and none at promotion.',
      command: typed(...args),
      seen: `exit status ${ran.code}; ${inWords(seen)}; ${starts.join(', ')} starts of Felix, ${atOnce} at one time`,
      holds:
        ran.code === 0 && seen.join() === ['', range, range].join() && starts.every((it) => it === 1) && atOnce === 1,
    })
    const firstStart = (node: Ground['nodes'][number] | undefined) =>
      node?.lives.find(({ startedAt }) => startedAt >= since)?.startedAt ?? 0
    const earlier = withIpvs.filter((node) => firstStart(node) < firstStart(without)).length
    claim({
      claim: 'It is not the first node, because a node that does not use the range would show little.',
      command: typed(...args),
      seen: `${earlier} of ${withIpvs.length} nodes with IPVS restarted before it`,
      holds: earlier >= 1,
    })
  },
}
