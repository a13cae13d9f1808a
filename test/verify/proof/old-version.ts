import { copyFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { until } from '../../until.ts'
import type { Chapter } from './claim.ts'
import { absences, disturbance } from './disturbance.ts'
import { builtIn, type Ground } from './ground.ts'
import { aSecondLater, rollKubeProxy } from './kube-proxy.ts'
import { keepLogAsItIs, podsOf, replacePod } from './pods.ts'
import { paceFlags, rangeFlag, runTool, typed } from './tool.ts'
import { quoted, verdictOf, writable } from './verdict.ts'

/** The first node waits for clearly longer than those after it, so that it can be told apart by the gap behind it. */
const pace = { canarySeconds: 9, settleSeconds: 3, nodeDeadlineSeconds: 60 }
/** The API server tells since when a pod is ready in whole seconds. */
const rounding = 1.2

/**
 * kube-proxy goes to IPVS. Where Felix is old it stays as it was, and its log with it: the one that really runs notices and writes so, and
 * what it writes from here on is kept from who reads the pod's log. The pod of one node is made anew afterwards.
 */
async function missTheMode(ground: Ground): Promise<string> {
  const { cluster, nodes, untilPorts } = ground
  const renewed = nodes[1]?.name ?? ''
  await keepLogAsItIs(cluster, await podsOf(cluster, 'calico-node'), (file) => {
    copyFileSync(file, `${file}.kept`)
    return `${file}.kept`
  })
  await rollKubeProxy(ground, 'ipvs')
  await untilPorts(builtIn)
  await aSecondLater()
  await replacePod(cluster, 'calico-node', renewed)
  const isSteady = async () => (await podsOf(cluster, 'calico-node')).every(({ ready }) => ready)
  await until(() => 'calico-node is not ready on every node', isSteady, 30)
  return renewed
}

/** Seconds from a node's being back to the next one's end, in the order in which they went. */
const gapsBetween = (nodes: Ground['nodes'], since: number): number[] => {
  const all = nodes.flatMap((node) => absences(node, since)).toSorted((a, b) => a.from - b.from)
  return all.slice(1).map(({ from }, index) => (from - (all[index]?.to ?? 0)) / 1000)
}

const args = rangeFlag(builtIn)
const newRange = '20000:32767'
const said = 'Pods of Calico v3.21.6, which detects IPVS only at its start:'

/** Up to Calico 3.22 only a restart of the pod helps. */
export const oldVersion: Chapter = {
  name: 'old-version',
  title: 'The mode changes and an old Calico does not notice: exactly the pods that need it are restarted',
  ground: { nodes: 4, mode: 'iptables', calicoVersion: 'v3.21.6' },
  prove: async (ground, claim) => {
    const { cluster, nodes, ports } = ground
    const renewed = await missTheMode(ground)
    const before = await podsOf(cluster, 'calico-node')
    const due = before.filter(({ node }) => node !== renewed)
    const verdict = await verdictOf(ground, 'plan', ...args)
    const isExact =
      verdict.restarts.toSorted().join() ===
      due
        .map(({ name }) => name)
        .toSorted()
        .join()
    claim({
      claim: `${said} the plan restarts exactly those that started before the mode changed.`,
      command: typed('plan', ...args),
      seen: `${quoted(verdict)}; ${verdict.restarts.length} pods in the plan, ${due.length} of ${before.length} older than the mode`,
      holds: isExact && verdict.codes.includes('FELIX_MISSED_MODE') && verdict.code === 1,
    })
    const since = Date.now()
    const ran = await runTool(ground, 'sync', '--yes', ...args, ...paceFlags(pace))
    await sleep(3_000)
    const { starts, atOnce } = disturbance(nodes, since)
    const after = await podsOf(cluster, 'calico-node')
    const uids = new Set(after.map(({ uid }) => uid))
    const kept = before.filter(({ uid }) => uids.has(uid)).map(({ node }) => node)
    const seen = await ports()
    claim({
      claim: `${said} exactly those are replaced, each with its Felix (here a v3.28.4); on the node whose pod started after the change both stay.`,
      command: typed('sync', '--yes', ...args),
      seen: `exit status ${ran.code}; ${starts.join(', ')} starts of Felix; ${kept.length} of ${before.length} pods are the same; rules for ${seen.join(', ')}`,
      holds:
        ran.code === 0 &&
        kept.join() === renewed &&
        nodes.every(({ name }, index) => starts[index] === (name === renewed ? 0 : 1)) &&
        seen.every((it) => it === builtIn),
    })
    const gaps = gapsBetween(nodes, since)
    const [first = 0, ...others] = gaps
    claim({
      claim: `One at a time: the first must stay Ready for ${pace.canarySeconds} s before the second is restarted, each later one for ${pace.settleSeconds} s.`,
      command: typed('sync', '--yes', ...args, '--canary-seconds', '9', '--settle-seconds', '3'),
      seen: `${atOnce} at most without a ready Felix at one time; ${gaps.map((it) => it.toFixed(1)).join(' and ')} s between one becoming Ready and the end of the next`,
      holds:
        atOnce === 1 &&
        gaps.length === due.length - 1 &&
        first >= pace.canarySeconds - rounding &&
        others.every((it) => it >= pace.settleSeconds - rounding && it < first),
    })
    const stands = await writable(cluster)
    const again = await runTool(ground, 'sync', '--yes', ...args)
    const untouched = (await writable(cluster)) === stands
    claim({
      claim: 'The same command again restarts no pod.',
      command: typed('sync', '--yes', ...args),
      seen: `exit status ${again.code}; ${untouched ? 'nothing' : 'something'} was written`,
      holds: again.code === 0 && untouched,
    })
    const ranged = rangeFlag(newRange)
    const { out } = await runTool(ground, 'plan', ...ranged, '-o', 'json')
    const { plan } = JSON.parse(out) as { plan: { changes: { patch?: { spec?: object } }[] } }
    const specs = plan.changes.flatMap(({ patch }) => Object.entries(patch?.spec ?? {}))
    claim({
      claim: 'Its operator would crash on `spec.kubeNodePortRanges`, so only the annotation is planned to change.',
      command: typed('plan', ...ranged),
      seen: `${plan.changes.length} changes, ${specs.filter(([, value]) => value !== null).length} with a value in spec`,
      holds: plan.changes.length > 0 && specs.every(([, value]) => value === null),
    })
  },
}
