import { setTimeout as sleep } from 'node:timers/promises'
import { type CalicoApi, serveCalicoApi } from '../../../lab/control-plane/calico-api.ts'
import type { Chapter, Claim } from './claim.ts'
import { disturbance } from './disturbance.ts'
import { felixConfigurations, type Ground, mergePatch, rangeAnnotation } from './ground.ts'
import { nodePortsIn, otherwise } from './rules.ts'
import { paceFlags, rangeFlag, runTool, typed } from './tool.ts'

/** All that Calico's API server has a default for, and none of it as the default would be. */
const spec = {
  bpfConnectTimeLoadBalancing: 'Disabled',
  bpfHostNetworkedNATWithoutCTLB: 'Disabled',
  bpfLogLevel: 'Debug',
  floatingIPs: 'Enabled',
}
const [throughV3, throughV1] = ['20000:32767', '25000:32767'] as const
const copy = 'projectcalico.org/metadata'

interface Default {
  metadata: { annotations?: Record<string, string> }
  spec?: { floatingIPs?: string }
}

const readDefault = async ({ cluster }: Ground): Promise<Default> =>
  (await cluster.request('GET', `${felixConfigurations}/default`)) as Default

/** A change, and whether it did to the nodes what it should and nothing else. */
const change = async (ground: Ground, range: string) => {
  const { nodes } = ground
  const before = await Promise.all(nodes.map(async (node) => otherwise(await node.rules())))
  const since = Date.now()
  const ran = await runTool(ground, 'sync', '--yes', ...rangeFlag(range), '-o', 'json', ...paceFlags())
  // What removing an override that said too much would set off comes two seconds later.
  await sleep(5_000)
  const rules = await Promise.all(nodes.map((node) => node.rules()))
  const { starts, atOnce } = disturbance(nodes, since)
  const ports = rules.map(nodePortsIn)
  const same = rules.every((lines, index) => otherwise(lines) === before[index])
  const { calico } = JSON.parse(ran.out) as { calico?: { api?: string } }
  return {
    seen: `rules for ${ports.join(', ')}, otherwise ${same ? 'the same' : 'changed'}; ${starts.join(', ')} starts of Felix, ${atOnce} at once`,
    isRight:
      ran.code === 0 && ports.every((it) => it === range) && same && starts.every((it) => it === 1) && atOnce === 1,
    api: calico?.api,
  }
}

/** The same change through Calico's own API server, and then through the stored objects that it has left its mark on. */
export const v3Api: Chapter = {
  name: 'v3-api',
  title: 'Through Calico’s own API server',
  ground: { nodes: 3, felixConfigurations: [{ metadata: { name: 'default' }, spec }] },
  prove: async (ground, claim) => {
    const api = await serveCalicoApi(ground.cluster)
    try {
      await show(ground, api, claim)
    } finally {
      await api.stop()
    }
  },
}

const show = async (ground: Ground, api: CalicoApi, claim: (it: Claim) => void): Promise<void> => {
  const command = (range: string) => typed('sync', '--yes', ...rangeFlag(range))
  const first = await change(ground, throughV3)
  claim({
    claim:
      'With `floatingIPs: Enabled` and other values in `default` that differ from that server’s own defaults, an override changes the range and nothing else: one restart a node, none at promotion, none at removal.',
    command: command(throughV3),
    seen: `through ${first.api}: ${first.seen}`,
    holds: first.isRight && first.api === 'projectcalico.org/v3',
  })
  const { metadata, spec: left } = await readDefault(ground)
  const inCopy = (annotations: Record<string, string> = {}) =>
    (JSON.parse(annotations[copy] ?? '{}') as { annotations?: Record<string, string> }).annotations?.[rangeAnnotation]
  const since = Date.now()
  const direct = { metadata: { annotations: { [rangeAnnotation]: '26000:32767' } } }
  await ground.cluster.request('PATCH', `${felixConfigurations}/default`, direct, mergePatch)
  await sleep(5_000)
  const [ports, { starts }] = [await ground.ports(), disturbance(ground.nodes, since)]
  claim({
    claim:
      'What was written through it is stored a second time, in an annotation `projectcalico.org/metadata`, which takes precedence over the direct one: a patch of only the direct one has no effect.',
    command: `kubectl patch felixconfigurations.crd.projectcalico.org default --type=merge -p '${JSON.stringify(direct)}'`,
    seen: `in the copy ${inCopy(metadata.annotations) ?? 'nothing'}; rules for ${ports.join(', ')}; ${starts.join(', ')} starts of Felix; floatingIPs is ${left?.floatingIPs ?? 'absent'}`,
    holds:
      inCopy(metadata.annotations) === throughV3 &&
      left?.floatingIPs === 'Enabled' &&
      ports.every((it) => it === throughV3) &&
      starts.every((it) => it === 0),
  })
  await api.unregister()
  const second = await change(ground, throughV1)
  claim({
    claim: 'When that server is gone and the stored objects are written instead, the new value takes effect.',
    command: command(throughV1),
    seen: `through ${second.api}: ${second.seen}`,
    holds: second.isRight && second.api === 'crd.projectcalico.org/v1',
  })
}
