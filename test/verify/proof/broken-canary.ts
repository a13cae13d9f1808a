import { setTimeout as sleep } from 'node:timers/promises'
import { watch } from '../../../lab/watch.ts'
import type { FelixNode } from '../felix-nodes/node.ts'
import { until } from '../../until.ts'
import { type Chapter, type Claim, shortName } from './claim.ts'
import { disturbance } from './disturbance.ts'
import { builtIn, felixConfigurations, type Ground, mergePatch } from './ground.ts'
import { paceFlags, rangeFlag, runTool, typed } from './tool.ts'

/** The first node must stay well for longer than Felix takes to end and its pod to be seen as not ready: 2 s and three probes. */
const patient = { canarySeconds: 7, settleSeconds: 3, nodeDeadlineSeconds: 8 }
/** From the write to the override's end: Felix ends after 2 s, three probes fail, the deadline passes; and some for the steps themselves. */
const haltedBySeconds = 2 + 3 + patient.nodeDeadlineSeconds + 6

const syncTo = (range: string): string[] => ['sync', '--yes', ...rangeFlag(range), '--max-unavailable', '2']

/** How the first node is kept from coming back, and what brings it back. */
interface Trouble {
  what: string
  /** The moment its override is there. */
  strike: (ground: Ground, canary: FelixNode) => Promise<void>
  /** Of what the tool shows as evidence. */
  evidence: RegExp
  repair: (ground: Ground, canary: FelixNode) => Promise<void>
  /** Whether our override goes, or is left because it holds what somebody else wrote. */
  override: 'goes' | 'is left'
  /** As the claim has it: when the first node is well again. */
  back: string
}

/** 0x000f0000: its four bits are all that Felix takes for itself, and in IPVS mode it marks endpoints as well. */
const fourBits = { spec: { iptablesMarkMask: 0x000f0000 } }
const noMask = { spec: { iptablesMarkMask: null } }

const mask: Trouble = {
  what: 'somebody else writes a mask with too few bits for IPVS into its override',
  strike: async ({ cluster }, { name }) =>
    void (await cluster.request('PATCH', `${felixConfigurations}/node.${name}`, fourBits, mergePatch)),
  evidence: /Not enough mark bits available for endpoint mark/,
  repair: async ({ cluster }, { name }) =>
    void (await cluster.request('PATCH', `${felixConfigurations}/node.${name}`, noMask, mergePatch)),
  override: 'is left',
  back: 'The override contains somebody else’s value, so it is left in place and reported: when the mask is removed again,',
}

const cutOff: Trouble = {
  what: 'its connection to the API server is cut when its Felix restarts with the new value',
  strike: async (_, { lives, way }) => {
    const [before] = lives.slice(-1)
    await until(
      () => 'Felix does not end',
      () => before?.endedAt !== undefined,
      20,
    )
    way.cut()
  },
  evidence: /not Ready/,
  repair: async (_, { way }) => way.restore(),
  override: 'goes',
  back: 'The override is removed: when the connection to the API server works again,',
}

const showHalt = async (
  ground: Ground,
  claim: (claim: Claim) => void,
  { trouble, range, old }: { trouble: Trouble; range: string; old: string },
): Promise<void> => {
  const { nodes, cluster, ports } = ground
  const since = Date.now()
  const before = await ground.cluster.request('GET', `${felixConfigurations}/default`)
  let canary: FelixNode | undefined
  let struck: Promise<void> | undefined
  const times = { written: 0, gone: 0 }
  const felix = await watch(cluster, { path: felixConfigurations }, ({ type, object }) => {
    if (type === 'DELETED') times.gone = Date.now()
    if (type !== 'ADDED' || canary) return
    canary = nodes.find(({ name }) => object.metadata.name === `node.${name}`)
    times.written = Date.now()
    if (canary) struck = trouble.strike(ground, canary)
  })
  try {
    const args = syncTo(range)
    const ran = await runTool(ground, ...args, ...paceFlags(patient))
    await struck
    if (!canary) throw new Error(`No override was written: ${ran.err}`)
    const first = canary
    const status = await runTool(ground, 'rollout', 'status')
    const goes = trouble.override === 'goes'
    const checked = await runTool(ground, 'check', ...rangeFlag(range))
    const isTold = checked.out.includes('ROLLOUT_STATE_INVALID')
    const seconds = ((goes ? times.gone : Date.now()) - times.written) / 1000
    const evidence = trouble.evidence.exec(status.out)?.[0]
    const ended = status.out.split('\n')[0]?.split(' ')[0] ?? ''
    claim({
      claim: `The first node does not become Ready again, because ${trouble.what}: the rollout halts at its deadline and reports what it observed.`,
      command: typed(...args),
      seen:
        `exit status ${ran.code}; the override ${goes ? `gone after ${seconds.toFixed(1)} s` : `left, ${isTold ? 'and told (ROLLOUT_STATE_INVALID)' : 'and not told'}`}; ` +
        `\`rollout status\`: ${ended}, ${evidence ?? 'no evidence'}`,
      holds:
        ran.code === 1 &&
        goes === times.gone > 0 &&
        goes !== isTold &&
        seconds <= haltedBySeconds + (goes ? 0 : 10) &&
        ended === 'HALTED' &&
        evidence !== undefined,
    })

    const others = nodes.filter((node) => node !== first)
    const after = await cluster.request('GET', `${felixConfigurations}/default`)
    const [rules, theirs] = [await ports(), disturbance(others, since)]
    const same = JSON.stringify(after) === JSON.stringify(before)
    claim({
      claim: 'Nothing else was touched: neither the other nodes’ rules, nor their Felix, nor `default`.',
      command: typed(...args),
      seen: `rules for ${rules.join(', ')}; ${theirs.starts.join(', ')} starts of Felix on the others; \`default\` is ${same ? 'as it was' : 'changed'}`,
      holds: rules.every((it) => it === old) && theirs.starts.every((it) => it === 0) && theirs.atOnce === 0 && same,
    })

    await trouble.repair(ground, first)
    await until(() => `Felix is not ready on ${shortName(first)}`, first.isReady, 30).catch(() => undefined)
    await sleep(3_000)
    await felix.caughtUp()
    const [mine, overrides] = [
      (await ports())[nodes.indexOf(first)],
      [...felix.objects.keys()].filter((it) => it !== 'default'),
    ]
    claim({
      claim: `${trouble.back} the first node is ready again with ${goes ? 'the rules it had, and no override is left' : 'the new range, and nothing but our override is there'}.`,
      command: typed(...args),
      seen: `rules for ${mine}; Felix ${first.isReady() ? 'ready' : 'not ready'}; ${overrides.length} overrides`,
      holds: mine === (goes ? old : range) && first.isReady() && overrides.length === (goes ? 0 : 1),
    })

    const resumedAt = Date.now()
    const resumed = await runTool(ground, 'rollout', 'resume')
    const finished = await runTool(ground, ...args, ...paceFlags(patient))
    await sleep(3_000)
    const [seen, all] = [await ports(), disturbance(nodes, resumedAt)]
    claim({
      claim: `The cause is removed and the rollout is resumed: every node’s rules show the new range, and each Felix ${goes ? '' : 'that did not have it '}restarted once for it.`,
      command: `${typed('rollout', 'resume')} && ${typed(...args)}`,
      seen: `exit status ${finished.code}; rules for ${seen.join(', ')}; ${all.starts.join(', ')} starts of Felix, ${all.atOnce} at once`,
      holds:
        resumed.code === 0 &&
        finished.code === 0 &&
        seen.every((it) => it === range) &&
        all.starts.every((it, at) => it === (goes || nodes[at] !== first ? 1 : 0)) &&
        all.atOnce <= 2,
    })
  } finally {
    felix.stop()
  }
}

/** A change that its first node cannot take, twice over. */
export const brokenCanary: Chapter = {
  name: 'broken-canary',
  title: 'A first node that does not come back',
  ground: { nodes: 5 },
  prove: async (ground, claim) => {
    await showHalt(ground, claim, { trouble: mask, range: '20000:32767', old: builtIn })
    await showHalt(ground, claim, { trouble: cutOff, range: '25000:32767', old: '20000:32767' })
  },
}
