import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { overrideKey, rangeAnnotation } from '../../shared/domain/rollout/annotations.ts'
import { soundRollout } from '../../shared/domain/rollout/parse.ts'
import { control } from '../../shared/workflows/rollout/control.ts'
import { takeStep } from '../../shared/workflows/rollout/step.ts'
import type { Outcome } from '../../shared/workflows/rollout/tools.ts'
import { watched, type Watched } from './disturbances.ts'
import { calicoPod, felixObject, ranges, startRollout, worldOf, type World } from './world.ts'

/** From any state that mishaps, people and other processes can bring about, a rollout ends, within its budget and scope. */
const target = '20000:32767'
/** Each run begins from other numbers, so that the runs of many days together are many. */
const numRuns = Number(process.env['PROPERTY_RUNS'] ?? 100)
const pace = { canarySeconds: 30, settleSeconds: 10, nodeDeadlineSeconds: 120 }

type Event =
  | { is: 'step' | 'two at once' | 'join' | 'pause' | 'resume' | 'abort' }
  | { is: 'cut short'; write: number; done: boolean }
  | { is: 'leave' | 'fail' | 'recover' | 'replace' | 'terminate' | 'lose pod'; which: number }
  | { is: 'time'; seconds: number }

const which = fc.nat({ max: 20 })
const events = (people: boolean): fc.Arbitrary<Event> =>
  fc.oneof(
    { weight: 8, arbitrary: fc.constant<Event>({ is: 'step' }) },
    {
      weight: 3,
      arbitrary: fc.record({ is: fc.constant('time' as const), seconds: fc.constantFrom(1, 5, 12, 40, 200) }),
    },
    {
      weight: 4,
      arbitrary: fc.record({ is: fc.constant('cut short' as const), write: fc.nat({ max: 2 }), done: fc.boolean() }),
    },
    { weight: 2, arbitrary: fc.constant<Event>({ is: 'two at once' }) },
    { weight: 1, arbitrary: fc.constant<Event>({ is: 'join' }) },
    {
      weight: 2,
      arbitrary: fc.record({
        is: fc.constantFrom('leave', 'fail', 'recover', 'replace', 'terminate', 'lose pod'),
        which,
      }),
    },
    { weight: people ? 1 : 0, arbitrary: fc.constantFrom('pause', 'resume', 'abort').map((is) => ({ is })) },
  )

interface Situation {
  nodes: number
  theirs: number
  maxUnavailable: number
  range: boolean
  restarts: boolean
}

const situations: fc.Arbitrary<Situation> = fc.record({
  nodes: fc.integer({ min: 1, max: 9 }),
  theirs: fc.nat({ max: 2 }),
  maxUnavailable: fc.integer({ min: 1, max: 4 }),
  range: fc.boolean(),
  restarts: fc.boolean(),
})

/** Objects of somebody else on the first nodes: out of scope. */
const build = ({ nodes, theirs, maxUnavailable, range, restarts }: Situation): Watched => {
  const names = Array.from({ length: nodes }, (_, index) => `n${index}`)
  const skip = names.slice(0, Math.min(theirs, nodes - 1))
  const owned = skip.map((node) => felixObject(`node.${node}`, { [rangeAnnotation]: '31000' }))
  const world = worldOf(names, [felixObject('default'), ...owned])
  const touchable = world.pods.filter(({ node }) => !skip.includes(node)).map(({ name }) => name)
  startRollout(world, {
    skip: range ? skip : [],
    pace: { ...pace, strategy: 'staged', maxUnavailable },
    ...(range && { target }),
    restart: restarts || !range ? touchable : [],
  })
  return watched(world, { maxUnavailable, settleSeconds: pace.settleSeconds, outOfScope: skip })
}

const happen = async ({ world, cutShort }: Watched, event: Event): Promise<void> => {
  const swallowed = () => undefined
  switch (event.is) {
    case 'step':
      await takeStep(world.tools).catch(swallowed)
      return
    case 'two at once':
      await Promise.allSettled([takeStep(world.tools), takeStep({ ...world.tools })])
      return
    case 'cut short':
      await takeStep(cutShort(event)).catch(swallowed)
      return
    case 'time':
      world.clock += event.seconds * 1000
      return
    case 'pause':
    case 'resume':
    case 'abort':
      await control(world.tools.kube, event.is)
      return
    case 'join':
      world.pods = [...world.pods, fresh(world, `x${born}`)]
      return
    case 'leave':
    case 'fail':
    case 'recover':
    case 'replace':
    case 'terminate':
    case 'lose pod':
      befall(world, event)
  }
}

let born = 0
const fresh = (world: World, node: string) => {
  born += 1
  const at = world.iso()
  return calicoPod(node, {
    name: `calico-node-${born}`,
    uid: `uid-${born}`,
    createdAt: at,
    startedAt: at,
    readySince: at,
  })
}

const befall = (world: World, { is, which }: Extract<Event, { which: number }>): void => {
  const victim = world.pods[which % Math.max(1, world.pods.length)]
  if (!victim || ((is === 'leave' || is === 'lose pod') && world.pods.length === 1)) return
  if (is === 'lose pod') world.bare.add(victim.node)
  world.pods = world.pods.flatMap((pod) => {
    if (pod !== victim) return [pod]
    if (is === 'leave' || is === 'lose pod') return []
    if (is === 'terminate') return [{ ...pod, deletedAt: world.iso() }]
    if (is === 'replace') return [fresh(world, pod.node)]
    return pod.ready === (is === 'recover') ? [pod] : [{ ...pod, ready: is === 'recover', readySince: world.iso() }]
  })
}

/** Nothing more goes wrong, and who is asked says: go on. */
const toTheEnd = async ({ world }: Watched): Promise<Outcome> => {
  world.pods = [
    ...world.pods.map((pod) =>
      pod.deletedAt ? fresh(world, pod.node) : pod.ready ? pod : { ...pod, ready: true, readySince: world.iso() },
    ),
    ...[...world.bare].map((node) => fresh(world, node)),
  ]
  world.bare.clear()
  for (let step = 0; step < 80 * (world.pods.length + world.objects.size); step += 1) {
    const outcome = await takeStep(world.tools)
    if (outcome.next === 'wait') world.clock += outcome.seconds * 1000
    if (outcome.next !== 'over') continue
    if (outcome.state !== 'halted' && outcome.state !== 'paused') return outcome
    await control(world.tools.kube, 'resume')
  }
  throw new Error('the rollout does not come to an end')
}

const overridesOf = ({ objects }: World): string[] =>
  [...objects.values()].filter(({ annotations }) => annotations[overrideKey]).map(({ name }) => name)

const play = async (situation: Situation, happenings: Event[]): Promise<Watched & { end: Outcome }> => {
  const it = build(situation)
  for (const event of happenings) await happen(it, event)
  const end = await toTheEnd(it)
  return { ...it, end }
}

const sixNodes: Situation = { nodes: 6, theirs: 1, maxUnavailable: 2, range: false, restarts: false }
const settledThenTerminated: Event[] = [
  { is: 'step' },
  { is: 'time', seconds: 40 },
  { is: 'step' },
  { is: 'terminate', which: 19 },
  { is: 'two at once' },
]

/** Nobody restored the override that a process was about to take back. */
const oneNode: Situation = { nodes: 1, theirs: 0, maxUnavailable: 1, range: true, restarts: false }
const deadBeforeTwoWrites: Event[] = [
  { is: 'step' },
  { is: 'abort' },
  { is: 'cut short', write: 1, done: false },
  { is: 'cut short', write: 1, done: false },
]

describe('from any reachable state', () => {
  test('a rollout ends with every node right, within the budget, and never touches a node out of scope', async () => {
    await fc.assert(
      fc.asyncProperty(situations, fc.array(events(false), { maxLength: 60 }), async (situation, happenings) => {
        const { world, violations, end } = await play(situation, happenings)
        expect(violations).toEqual([])
        expect(end).toMatchObject({ state: 'done' })
        expect(overridesOf(world)).toEqual([])
        const rollout = soundRollout(world.lease, Infinity)
        const inScope = [...ranges(world)].filter(([node]) => !rollout?.skip.includes(node))
        if (situation.range) expect(inScope.filter(([, range]) => range !== target)).toEqual([])
      }),
      // A node that had settled and whose new pod is then on its way out counts as disturbed, whoever deleted it.
      { numRuns, examples: [[sixNodes, settledThenTerminated]] },
    )
  }, 60_000)

  test('people may pause, resume and abort at any moment: the same holds, and nothing of ours is left', async () => {
    await fc.assert(
      fc.asyncProperty(situations, fc.array(events(true), { maxLength: 60 }), async (situation, happenings) => {
        const { world, violations, end } = await play(situation, happenings)
        expect(violations).toEqual([])
        expect(['done', 'aborted']).toContain(end.next === 'over' && end.state)
        expect(overridesOf(world)).toEqual([])
      }),
      { numRuns, examples: [[oneNode, deadBeforeTwoWrites]] },
    )
  }, 60_000)

  test('no pod is restarted twice, and none that was not to be', async () => {
    await fc.assert(
      fc.asyncProperty(situations, fc.array(events(true), { maxLength: 60 }), async (situation, happenings) => {
        const it = build({ ...situation, restarts: true })
        const planned = new Set(soundRollout(it.world.lease, Infinity)?.restart)
        for (const event of happenings) await happen(it, event)
        await toTheEnd(it)
        const deleted = it.deleted.map(({ name }) => name)
        expect(new Set(deleted).size).toBe(deleted.length)
        expect(deleted.filter((name) => !planned.has(name))).toEqual([])
      }),
      { numRuns },
    )
  }, 60_000)
})
