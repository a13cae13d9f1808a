import { setTimeout as sleep } from 'node:timers/promises'
import { until } from '../../until.ts'
import { felixConfigurations, mergePatch } from '../proof/ground.ts'
import { runTool, typed } from '../proof/tool.ts'
import { type Chapter, isTimeout, list } from './claim.ts'
import type { Ground } from './ground.ts'
import { askPause, inNamespace, linkOf } from './network.ts'
import type { MachineNode } from './node.ts'
import { notTried, outcomes, tryOnce } from './probe.ts'
import { isPod, rangeFlag, setScene } from './scene.ts'
import { createService, startPod } from './workload.ts'

/** Felix's own default, 16 bits. */
const wholeMask = 0xffff0000
/** Seven bits: three are left for endpoints. */
const small = 0x7f000000
const near = { name: 'near', nodePort: 30090, policy: 'Cluster' } as const
const names = Array.from({ length: 8 }, (_, nth) => `limited-${nth + 1}`)
const web = "app == 'web'"

/** Policies of pods that call a Service, and what is right for them. */
const policies = [
  {
    what: 'may reach everything but the pods behind the Service',
    selector: "app == 'limited'",
    rules: { types: ['Egress'], egress: [{ action: 'Deny', destination: { selector: web } }, { action: 'Allow' }] },
    isRight: isTimeout,
    isWrong: isPod,
  },
  {
    what: 'may reach the pods behind the Service, and nothing else',
    selector: "app == 'limited'",
    rules: { types: ['Egress'], egress: [{ action: 'Allow', destination: { selector: web } }] },
    isRight: isPod,
    isWrong: isTimeout,
  },
  {
    what: 'are not let in by the policy of the pods behind the Service, on the same node',
    selector: web,
    rules: {
      types: ['Ingress'],
      ingress: [{ action: 'Deny', source: { selector: "app == 'limited'" } }, { action: 'Allow' }],
    },
    isRight: isTimeout,
    isWrong: isPod,
  },
]

/** More pods than the mark has numbers for. */
export const maskRoom: Chapter = {
  name: 'mask-room',
  title: 'A mark mask without room',
  continues: 'stale-link',
  prove: async (ground, claim) => {
    const [node] = ground.nodes
    if (!node) throw new Error('There is no node.')
    const { pods } = await setScene(ground)
    await createService(ground, near, pods.slice(0, 1))
    await Promise.all(names.map((name) => startPod(ground, node, name, { app: 'limited' })))
    const target = `tcp/${await clusterAddress(ground, near.name)}:80`
    // Or a policy would seem to deny what does not work yet.
    await until('every pod reaches the Service', () => allReach(ground, target), 180, askPause)
    const before: string[][] = []
    for (const policy of policies) before.push(await underPolicy(ground, policy, target, () => true))
    const markedBefore = await markedLinks(node, wholeMask)
    const [lives, written] = [node.lives.length, node.felixLog().length - 1]
    const change = { spec: { iptablesMarkMask: small } }
    await ground.cluster.request('PATCH', `${felixConfigurations}/default`, change, mergePatch)
    await until('a new start of Felix', () => node.lives.length > lives, 300)
    const command = `kubectl patch felixconfigurations.crd.projectcalico.org default --type=merge -p '${JSON.stringify(change)}'`
    const endpoints = names.length + 2
    const { room, codes } = await said(ground, node)
    const marked = await markedLinks(node, small)
    const [starts, complaints] = [node.lives.length - lives, node.felixLog().slice(written).filter(complains)]
    const has = names.map((name) => marked.has(linkOf('default', name)))
    claim({
      claim: `With a mask of seven bits Felix gives a mark to as many endpoints of the node as the tool says there is room for, and none to the others: it starts once for the mask, and logs no warning of it. The tool says so: \`MARK_CAPACITY\`.`,
      command: typed('check', ...rangeFlag),
      before: `${endpoints} endpoints on ${node.name.split('.')[0]}: ${names.length + 1} pods and its host endpoint; with the default mask ${markedBefore.size} have a mark`,
      after: `${marked.size} have a mark; ${starts} start of Felix, ${complaints.length} lines of its log warn of marks; the tool: room for ${room}, ${codes.join(', ')}`,
      holds:
        markedBefore.size === endpoints &&
        marked.size === room &&
        room < endpoints &&
        starts === 1 &&
        complaints.length === 0 &&
        codes.includes('MARK_CAPACITY') &&
        has.includes(false),
    })
    for (const [index, policy] of policies.entries()) {
      const after = await underPolicy(ground, policy, target, (nth) => has[nth] ?? false)
      const [withMark, without] = [after.filter((_, nth) => has[nth]), after.filter((_, nth) => !has[nth])]
      claim({
        claim: `Pods that ${policy.what}: with a mark the policy decides as before; beyond the room the opposite happens.`,
        command,
        before: list(before[index] ?? []),
        after: `${list(withMark) || 'none'} with a mark; ${list(without)} without`,
        holds:
          (before[index] ?? []).every(policy.isRight) &&
          withMark.length > 0 &&
          withMark.every(policy.isRight) &&
          without.length > 0 &&
          without.every(policy.isWrong),
      })
    }
  },
}

const allReach = async (ground: Ground, target: string): Promise<boolean> =>
  (await fromPods(ground, target)).every(isPod)

const path = '/apis/crd.projectcalico.org/v1/globalnetworkpolicies'

/** What comes of each pod's call while only this policy is there. `isOrdinary`: it is expected of this pod that the policy decides. */
async function underPolicy(
  ground: Ground,
  { selector, rules, isRight }: (typeof policies)[number],
  target: string,
  isOrdinary: (nth: number) => boolean,
): Promise<string[]> {
  await ground.cluster.request('POST', path, {
    apiVersion: 'crd.projectcalico.org/v1',
    kind: 'GlobalNetworkPolicy',
    metadata: { name: 'default.limited' },
    spec: { tier: 'default', order: 5, selector, ...rules },
  })
  // Nothing tells when Felix is done with it where it changes nothing for a pod.
  const changesAll = !isRight('web-1') && names.every((_, nth) => isOrdinary(nth))
  if (!changesAll) await sleep(10_000)
  let last = names.map(() => notTried)
  const settled = async () => {
    last = await fromPods(ground, target)
    return last.every((it, nth) => isRight(it) || !isOrdinary(nth))
  }
  await until('the policy', settled, 90, askPause).catch(() => undefined)
  await ground.cluster.request('DELETE', `${path}/default.limited`)
  return last
}

/** A line of Felix's log that would tell of an endpoint without a mark. */
const complains = (line: string): boolean => /\[(WARNING|ERROR|FATAL|PANIC)\].*\bmarks?\b/i.test(line)

const setsMark = /^-A cali-sm-(\S+) .*--set-x?mark 0x[0-9a-f]+\/(0x[0-9a-f]+)/

/** Links whose packets Felix marks, once no rule is left that it made under a wider mask than this. */
async function markedLinks(node: MachineNode, mask: number): Promise<Set<string>> {
  let links = new Set<string>()
  const renewed = async () => {
    const rules = (await node.rules()).map((rule) => setsMark.exec(rule)).filter((it) => it !== null)
    links = new Set(rules.map(([, link = '']) => link))
    return node.isReady() && rules.length > 0 && rules.every(([, , bits]) => isWithin(Number(bits), mask))
  }
  await until('marks within the mask', renewed, 180, askPause).catch(() => undefined)
  return links
}

const isWithin = (bits: number, mask: number): boolean => (bits & ~mask) === 0

async function said(ground: Ground, node: MachineNode): Promise<{ room: number; codes: string[] }> {
  const { out } = await runTool(ground, 'check', ...rangeFlag, '-o', 'json')
  const report = JSON.parse(out) as { findings: { code: string }[]; nodes: { name: string; markCapacity?: number }[] }
  const room = report.nodes.find(({ name }) => name === node.name)?.markCapacity ?? Number.NaN
  return { room, codes: [...new Set(report.findings.map((it) => it.code))].toSorted() }
}

const clusterAddress = async ({ cluster }: Ground, name: string): Promise<string> => {
  const service = (await cluster.request('GET', `/api/v1/namespaces/default/services/${name}`)) as {
    spec: { clusterIP: string }
  }
  return service.spec.clusterIP
}

const fromPods = (ground: Ground, target: string): Promise<string[]> =>
  Promise.all(
    names.map(async (pod) => {
      const attempts = await tryOnce(ground, [target], (command) => inNamespace(pod, command))
      return outcomes([target], attempts)[0] ?? ''
    }),
  )
