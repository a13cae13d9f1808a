import { type Chapter, list } from './claim.ts'
import { runTool, typed } from '../proof/tool.ts'
import { rangeFlag, services, setScene } from './scene.ts'
import { outcomes, tryOnce } from './probe.ts'
import { until } from '../../until.ts'
import type { Ground } from './ground.ts'
import { inNamespace } from './network.ts'
import { startPod } from './workload.ts'

const calico = '/apis/crd.projectcalico.org/v1'
const mergePatch = 'application/merge-patch+json'
/** Eight bits. The tool says for how many pods that is. */
const small = 0x7f800000
const count = 9

/** More pods than the mark has numbers for. */
export const maskRoom: Chapter = {
  name: 'mask-room',
  title: 'A mark mask without room',
  prove: async (ground, claim) => {
    const { cluster } = ground
    await setScene(ground)
    await cluster.request('POST', `${calico}/globalnetworkpolicies`, {
      apiVersion: 'crd.projectcalico.org/v1',
      kind: 'GlobalNetworkPolicy',
      metadata: { name: 'default.limited' },
      spec: {
        tier: 'default',
        order: 5,
        selector: "app == 'limited'",
        types: ['Egress'],
        egress: [{ action: 'Deny' }],
      },
    })
    const node = ground.nodes[0]
    if (!node) throw new Error('There is no node.')
    const pods: string[] = []
    for (let nth = 1; nth <= count; nth += 1)
      pods.push((await startPod(ground, node, `limited-${nth}`, { app: 'limited' })).name)
    const address = await clusterAddress(ground, services.inside.name)
    const target = `tcp/${address}:80`
    const enough = await untilSame(ground, pods, target, (all) => all.every((it) => it === 'timeout'))
    await cluster.request(
      'PATCH',
      `${calico}/felixconfigurations/default`,
      { spec: { iptablesMarkMask: small } },
      mergePatch,
    )
    await until('a new start of Felix', () => node.lives.length > 1, 120)
    const few = await untilSame(ground, pods, target, (all) => all.some((it) => it.startsWith('web-')))
    const { out, code } = await runTool(ground, 'check', ...rangeFlag, '-o', 'json')
    const report = JSON.parse(out) as { findings: { code: string }[]; nodes: { name: string; markCapacity?: number }[] }
    const room = report.nodes.find(({ name }) => name === node.name)?.markCapacity
    const through = few.filter((it) => it.startsWith('web-')).length
    claim({
      claim: `With a mask of eight bits (0x7f800000) Felix has no number for some of the node's ${count + 1} pods, and their policy is skipped on the way to a Service: pods that may send nothing get an answer. The tool says how many the mask has room for, and that it is too small.`,
      command: typed('check'),
      before: `${list(enough)} with the default mask`,
      after: `${list(few)}; the tool: room for ${room}, ${report.findings.map((it) => it.code).join(', ')}`,
      holds:
        enough.every((it) => it === 'timeout') &&
        code === 1 &&
        room !== undefined &&
        through === count + 1 - room &&
        report.findings.some((it) => it.code === 'MARK_CAPACITY'),
    })
  },
}

const clusterAddress = async ({ cluster }: Ground, name: string): Promise<string> => {
  const service = (await cluster.request('GET', `/api/v1/namespaces/default/services/${name}`)) as {
    spec: { clusterIP: string }
  }
  return service.spec.clusterIP
}

const fromPods = async (ground: Ground, pods: readonly string[], target: string): Promise<string[]> => {
  const all = await Promise.all(pods.map((pod) => tryOnce(ground, [target], (command) => inNamespace(pod, command))))
  return all.map((attempts) => outcomes([target], attempts)[0] ?? '')
}

/** The last outcomes, once they are as awaited, or after a minute. */
const untilSame = async (
  ground: Ground,
  pods: readonly string[],
  target: string,
  awaited: (all: readonly string[]) => boolean,
): Promise<string[]> => {
  let last: string[] = []
  await until('the outcomes', async () => awaited((last = await fromPods(ground, pods, target))), 60).catch(
    () => undefined,
  )
  return last
}
