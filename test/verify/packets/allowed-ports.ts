import { paceFlags, runTool, typed } from '../proof/tool.ts'
import { type Chapter, isTimeout, list } from './claim.ts'
import type { Ground } from './ground.ts'
import { builtIn, podPort, services } from './ports.ts'
import { outcomes, tryOnce, untilOutcomes } from './probe.ts'
import { isPod, rangeFlag, type Scene, setScene } from './scene.ts'
import { allowNodePorts, allowPorts, removePolicy } from './workload.ts'

const command = ['sync', '--yes', ...rangeFlag]
const named = [services.inside.nodePort, services.outside.nodePort]
const localPorts = [services.insideLocal.nodePort, services.outsideLocal.nodePort]

/** Policies of the nodes that let ports in after load balancing or without it. `opens`: what answers before `sync` and after it, for a node port inside of Felix's own range and one outside. */
const policies = [
  {
    what: 'forwarded traffic too, to the port of the pods',
    ports: [podPort],
    applyOnForward: true,
    opens: { before: [true, false], after: [true, true] },
  },
  {
    what: 'forwarded traffic too, to the node ports',
    ports: localPorts,
    applyOnForward: true,
    opens: { before: [false, true], after: [false, false] },
  },
  {
    what: 'only traffic to the node, to the node ports',
    ports: localPorts,
    applyOnForward: false,
    opens: { before: [true, true], after: [true, true] },
  },
] as const

type When = 'before' | 'after'

/** What policy on node ports decides whatever Felix takes for one, and what it does not. */
export const allowedPorts: Chapter = {
  name: 'allowed-ports',
  title: 'Node ports that policy lets in by name',
  continues: 'too-small',
  prove: async (ground, claim, measured) => {
    const scene = await setScene(ground)
    const { targets } = scene
    const [allowed, others] = [
      targets(services.inside, services.outside),
      targets(services.insideLocal, services.outsideLocal),
    ]
    const look = async () => {
      const attempts = await tryOnce(ground, [...allowed, ...others])
      return { answers: outcomes(allowed, attempts), rest: outcomes(others, attempts) }
    }
    const without = outcomes(others, await tryOnce(ground, others))
    const ruledBefore = await underEach(ground, scene)
    await allowNodePorts(ground, named)
    const before = await look()
    const { code, err } = await runTool(ground, ...command, ...paceFlags(ground.pace))
    if (code !== 0) process.stderr.write(err)
    // At once: the tool says that it is done when it is.
    const after = await look()
    await removePolicy(ground, 'pre-dnat')
    const ruledAfter = await underEach(ground, scene)
    const open = await untilOutcomes(ground, others, isPod)
    claim({
      claim: `Where pre-DNAT policy lets node ports in by name (${named.join(' and ')}) and denies what else comes from outside, these answer whatever Felix's range is (${builtIn}, and after \`${typed('sync')}\` the API server's): a packet that it accepts is not judged again. What it does not name is closed, inside of the range too.`,
      command: typed(...command),
      before: `${list(before.answers)}; not named: ${list(before.rest)}`,
      after: `${list(after.answers)}; not named: ${list(after.rest)}; exit status ${code}; without that policy these answer: ${list(open)}`,
      holds:
        [before, after].every(({ answers, rest }) => answers.every(isPod) && rest.every(isTimeout)) &&
        without.some(isPod) &&
        open.every(isPod) &&
        code === 0,
    })
    measured({
      title: 'What policy of the node that is not pre-DNAT does to node ports',
      head: ['it lets in', 'ports', ...localPorts.map(String), ...localPorts.map((it) => `${it} after \`sync\``)],
      rows: policies.map(({ what, ports }, nth) => [
        what,
        ports.join(', '),
        ...[ruledBefore[nth], ruledAfter[nth]].flatMap((it) => (it ?? []).map(list)),
      ]),
    })
    const isAs = (when: When, seen: string[][][]) =>
      policies.every(({ opens }, nth) =>
        opens[when].every((isOpen, at) => seen[nth]?.[at]?.every(isOpen ? isPod : isTimeout)),
      )
    claim({
      claim: `A policy of the node that is not pre-DNAT and counts for forwarded traffic too (\`applyOnForward\`) sees a node port inside of Felix's range as the port of the pod, one outside as it is: \`sync\` opens a node port outside where that policy lets the pods' port in, and closes it where it names the node port. One that does not count for forwarded traffic and names the node ports has both open, before and after.`,
      command: typed(...command),
      before: said(ruledBefore),
      after: said(ruledAfter),
      holds: isAs('before', ruledBefore) && isAs('after', ruledAfter) && code === 0,
    })
  },
}

const said = (seen: string[][][]): string =>
  policies
    .map(
      ({ ports }, nth) =>
        `lets in ${ports.join(', ')}: ${(seen[nth] ?? []).map((it, at) => `${localPorts[at]} ${list(it)}`).join(', ')}`,
    )
    .join('; ')

/** Of each policy, while only it is there, what comes of calls to a node port inside of Felix's own range and to one outside. Their Services forward to pods of the same node only: its policy alone decides. */
async function underEach(ground: Ground, { targets }: Scene): Promise<string[][][]> {
  const all: string[][][] = []
  for (const [nth, { ports, applyOnForward }] of policies.entries()) {
    const name = `ports-${nth + 1}`
    await allowPorts(ground, { name, ports, applyOnForward })
    const of = [targets(services.insideLocal), targets(services.outsideLocal)]
    const attempts = await tryOnce(ground, of.flat())
    all.push(of.map((it) => outcomes(it, attempts)))
    await removePolicy(ground, name)
  }
  return all
}
