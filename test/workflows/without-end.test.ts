import { describe, expect, test } from '@jest/globals'
import type { PodState } from '../../shared/domain/cluster.ts'
import { read, valueOf } from '../../shared/domain/read.ts'
import type { Strategy } from '../../shared/domain/report.ts'
import { changeKey, changedAtKey, rangeAnnotation } from '../../shared/domain/rollout/annotations.ts'
import { soundRollout } from '../../shared/domain/rollout/parse.ts'
import type { Rollout } from '../../shared/domain/rollout/rollout.ts'
import { control } from '../../shared/workflows/rollout/control.ts'
import { takeStep } from '../../shared/workflows/rollout/step.ts'
import type { Outcome } from '../../shared/workflows/rollout/tools.ts'
import { calicoPod, felixObject, ranges, startRollout, worldOf, type World } from './world.ts'

/** What must not keep a rollout waiting without end, and what must not halt it. */
const target = '20000:32767'
const former = '30000:32766'
const deadline = 120
const pace = (strategy: Strategy): Rollout['pace'] => ({
  strategy,
  maxUnavailable: 1,
  canarySeconds: 30,
  settleSeconds: 10,
  nodeDeadlineSeconds: deadline,
})
/** After it was seen that a node is not well: its deadline, and twice the time to settle. */
const bound = deadline + 4 * 30

const begun = (strategy: Strategy, nodes = ['n0', 'n1', 'n2'], over: Partial<Rollout> = {}): World => {
  const world = worldOf(nodes, [felixObject('default', { [rangeAnnotation]: former })])
  startRollout(world, { target, pace: pace(strategy), canary: 'n0', ...over })
  return world
}

/** Each step is one of a process of its own: nothing but the cluster is remembered. */
const run = async (world: World, each: (world: World) => void = () => undefined, most = 300): Promise<Outcome> => {
  for (let step = 0; step < most; step += 1) {
    const outcome = await takeStep(world.tools)
    each(world)
    if (outcome.next === 'over') return outcome
    if (outcome.next === 'wait') world.clock += outcome.seconds * 1000
  }
  throw new Error('the rollout does not come to an end')
}

const touched = (world: World) => [...new Set(world.felixRestarts.map(({ node }) => node))]
const rolloutIn = (world: World) => soundRollout(world.lease, Infinity) as Rollout
const secondsSince = (world: World, at: number) => (world.clock - at) / 1000
const inPods = (world: World, change: (pod: PodState) => PodState): void => {
  const { pods } = world.tools.kube
  const changed: typeof pods = async (...args) => {
    const answer = await pods(...args)
    return read((valueOf(answer) ?? []).map(change))
  }
  world.tools = { ...world.tools, kube: { ...world.tools.kube, pods: changed } }
}

/** Ready for the last seconds of each 25, from its change on. */
const flapping = (world: World, node: string, seconds = 5): void =>
  inPods(world, (pod) => {
    const at = world.felixRestarts.find((it) => it.node === node)?.at
    if (at === undefined || pod.node !== node || ranges(world).get(node) !== target) return pod
    const phase = (world.clock - at) % 25_000
    const readyAt = 25_000 - seconds * 1000
    const ready = phase >= readyAt
    const readySince = new Date(world.clock - (ready ? phase - readyAt : phase)).toISOString()
    return { ...pod, ready, readySince }
  })

/** The next time at which a node that is flapping has been Ready for a second. */
const readyMoment = (world: World, node: string): number => {
  const at = world.felixRestarts.find((it) => it.node === node)?.at ?? Number.NaN
  const phase = (world.clock - at) % 25_000
  return world.clock - phase + (phase <= 21_000 ? 21_000 : 46_000)
}

/** For 11 seconds from each of these moments on. */
const failing = (world: World, node: string): number[] => {
  const failures: number[] = []
  inPods(world, (pod) => {
    const at = failures.findLast((it) => it <= world.clock)
    if (pod.node !== node || at === undefined) return pod
    const ready = world.clock >= at + 11_000
    return { ...pod, ready, readySince: new Date(ready ? at + 11_000 : at).toISOString() }
  })
  return failures
}

const losePod = (world: World, node: string): void => {
  world.pods = world.pods.filter((pod) => pod.node !== node)
  world.bare.add(node)
}

/** As a controller does that keeps the annotations that it knows. */
const strip = (world: World, name: string, annotations: Record<string, string>): void => {
  const object = world.objects.get(name)
  if (!object || Object.keys(object.annotations).length === Object.keys(annotations).length) return
  const managedFields = [{ manager: 'cleanup-job', operation: 'Update', time: world.iso(), fields: {} }]
  const resourceVersion = `${object.resourceVersion}0`
  world.objects.set(name, { ...object, resourceVersion, managedFields, annotations })
}

describe('a node that was changed', () => {
  test('and whose pod never comes back halts the rollout: its override goes, and nobody else is touched', async () => {
    const world = begun('staged')
    let lostAt = 0
    const outcome = await run(world, (it) => {
      if (lostAt > 0 || it.felixRestarts.length === 0) return
      lostAt = it.clock
      losePod(it, 'n0')
    })
    expect(outcome).toMatchObject({
      state: 'halted',
      why: expect.stringMatching(/^n0: not well since .*: there was no calico-node pod/),
    })
    expect(touched(world)).toEqual(['n0'])
    expect(world.objects.has('node.n0')).toBe(false)
    expect(secondsSince(world, lostAt)).toBeLessThanOrEqual(bound)
    expect(rolloutIn(world).evidence).toMatchObject({ node: 'n0', wrote: { object: 'FelixConfiguration/node.n0' } })
  })

  test('so it does where somebody took our marks from its override', async () => {
    const world = begun('staged')
    const outcome = await run(world, (it) => {
      strip(it, 'node.n0', { [rangeAnnotation]: target })
      if (it.felixRestarts.length > 0 && it.bare.size === 0) losePod(it, 'n0')
    })
    expect(outcome).toMatchObject({
      state: 'halted',
      why: expect.stringMatching(/^n0: not well since .*: there was no calico-node pod/),
    })
    expect(touched(world)).toEqual(['n0'])
  })

  test.each([true, false])(
    'and whose pod is missing for less than its deadline halts nothing (changed lately: %s)',
    async (lately) => {
      const world = begun('staged')
      let lostAt = 0
      const outcome = await run(world, (it) => {
        if (lostAt === 0 && it.felixRestarts.length === 1) {
          if (!lately) it.clock += 3_600_000
          lostAt = it.clock
          losePod(it, 'n0')
        }
        if (it.bare.size === 0 || secondsSince(it, lostAt) < deadline - 20) return
        it.bare.clear()
        it.pods.push(calicoPod('n0', { name: 'again', createdAt: it.iso(), readySince: it.iso() }))
      })
      expect(outcome).toMatchObject({ state: 'done' })
    },
  )

  test('and was not well when nobody looked for an hour has its whole deadline', async () => {
    const world = begun('staged')
    await takeStep(world.tools)
    losePod(world, 'n0')
    world.clock += 61_000
    await takeStep(world.tools)
    expect(rolloutIn(world).unwell).toHaveLength(1)
    world.clock += 3_600_000
    world.bare.clear()
    world.pods.push(calicoPod('n0', { name: 'again', createdAt: world.iso(), readySince: world.iso() }))
    expect(await run(world)).toMatchObject({ state: 'done' })
  })

  test('and was well while nobody looked for minutes has its whole deadline when it fails just before somebody does', async () => {
    const world = begun('staged')
    await takeStep(world.tools)
    const at = world.clock
    failing(world, 'n0').push(at + 55_000, at + 258_000)
    world.clock = at + 61_000
    await takeStep(world.tools)
    expect(rolloutIn(world).unwell).toMatchObject([{ node: 'n0' }])
    world.clock = at + 261_000
    expect(await run(world)).toMatchObject({ state: 'done' })
  })

  test('and that fails again and again halts the rollout also where its Lease is held for longer', async () => {
    const nodeDeadlineSeconds = 3 * deadline
    const world = begun('staged', ['n0', 'n1'], { pace: { ...pace('staged'), nodeDeadlineSeconds } })
    world.tools = { ...world.tools, leaseSeconds: 900 }
    flapping(world, 'n0')
    expect(await run(world)).toMatchObject({ state: 'halted', why: expect.stringMatching(/^n0: not well since 2026/) })
    expect(secondsSince(world, world.felixRestarts[0]?.at ?? 0)).toBeLessThanOrEqual(
      bound - deadline + nodeDeadlineSeconds,
    )
  })

  test('and that fails again and again halts the rollout, and its override goes', async () => {
    const world = begun('staged')
    flapping(world, 'n1')
    const outcome = await run(world)
    expect(outcome).toMatchObject({
      state: 'halted',
      why: expect.stringMatching(/^n1: not well since 2026/),
    })
    expect(touched(world)).toEqual(['n0', 'n1'])
    expect(world.objects.has('node.n1')).toBe(false)
    const changedAt = world.felixRestarts.find(({ node }) => node === 'n1')?.at ?? 0
    expect(secondsSince(world, changedAt)).toBeLessThanOrEqual(bound)
  })

  test('so it is with restarts', async () => {
    const world = worldOf(['n0', 'n1', 'n2'])
    startRollout(world, { restart: world.pods.map(({ name }) => name), pace: pace('staged') })
    inPods(world, (pod) => {
      const at = Date.parse(pod.createdAt)
      const phase = (world.clock - at) % 25_000
      const ready = phase >= 20_000
      if (!pod.name.endsWith('again')) return pod
      return { ...pod, ready, readySince: new Date(world.clock - (ready ? phase - 20_000 : phase)).toISOString() }
    })
    expect(await run(world)).toMatchObject({ state: 'halted', why: expect.stringMatching(/^n0: .*after its restart/) })
    expect(world.podRestarts).toHaveLength(1)
  })

  test('and failed long ago has its whole deadline when it fails again, and after a resume', async () => {
    const world = begun('staged')
    const fails = (seconds: number) => {
      const until = world.clock + seconds * 1000
      const from = world.iso()
      inPods(world, (pod) => {
        if (pod.node !== 'n0' || world.clock < Date.parse(from)) return pod
        const ready = world.clock >= until
        return { ...pod, ready, readySince: ready ? new Date(until).toISOString() : from }
      })
    }
    await takeStep(world.tools)
    fails(deadline - 10)
    for (let step = 0; step < 40 && touched(world).length < 2; step += 1) {
      const outcome = await takeStep(world.tools)
      if (outcome.next === 'wait') world.clock += outcome.seconds * 1000
    }
    expect(rolloutIn(world).unwell).toBeUndefined()
    fails(deadline - 10)
    expect(await run(world)).toMatchObject({ state: 'done' })
    const again = begun('staged')
    flapping(again, 'n0')
    await run(again)
    await control(again.tools.kube, 'resume', { by: 'x', now: again.tools.now, force: true })
    expect(rolloutIn(again).unwell).toBeUndefined()
  })
})

describe.each(['direct', 'canary'] as const)('after `default` was written with %s', (strategy) => {
  const isWritten = ({ objects }: World) => objects.get('default')?.annotations[rangeAnnotation] === target
  /** Nodes that joined since the beginning are younger. */
  const withAges = (world: World): Map<string, string> => {
    const born = new Map<string, string>()
    const { nodes } = world.tools.kube
    const aged: typeof nodes = async (...args) =>
      read((valueOf(await nodes(...args)) ?? []).map((it) => ({ ...it, createdAt: born.get(it.name) ?? it.createdAt })))
    world.tools = { ...world.tools, kube: { ...world.tools.kube, nodes: aged } }
    return born
  }
  const join = (world: World, born: Map<string, string>, node: string, ready: boolean): void => {
    const at = world.iso()
    born.set(node, at)
    world.pods.push(calicoPod(node, { createdAt: at, startedAt: at, readySince: at, ready }))
  }

  test('a node that joins and never becomes Ready does not halt the rollout', async () => {
    const world = begun(strategy)
    const born = withAges(world)
    expect(
      await run(world, (it) => {
        if (isWritten(it) && born.size === 0) join(it, born, 'x0', false)
      }),
    ).toMatchObject({ state: 'done' })
    expect(isWritten(world)).toBe(true)
  })

  test('it does where all nodes were replaced by such ones', async () => {
    const world = begun(strategy, ['n0'])
    const born = withAges(world)
    const outcome = await run(world, (it) => {
      if (!isWritten(it) || born.size > 0) return
      it.pods = []
      join(it, born, 'x0', false)
    })
    expect(outcome).toMatchObject({ state: 'halted', why: expect.stringContaining('x0') })
  })

  test('nodes that join and leave all the time do not keep it from its end', async () => {
    const world = begun(strategy, ['n0', 'n1', 'n2', ...Array.from({ length: 60 }, (_, index) => `o${index}`)])
    const born = withAges(world)
    let [writtenAt, looks] = [0, 0]
    const outcome = await run(world, (it) => {
      if (!isWritten(it)) return
      writtenAt ||= it.clock
      looks += 1
      join(it, born, `x${looks}`, true)
      const leaving = it.iso()
      it.pods = it.pods.flatMap((pod) => {
        if (pod.deletedAt) return []
        return pod.node === `o${looks}` ? [{ ...pod, deletedAt: leaving }] : [pod]
      })
    })
    expect(outcome).toMatchObject({ state: 'done' })
    expect(secondsSince(world, writtenAt)).toBeLessThanOrEqual(deadline + bound)
  })

  test('a node that fails again and again halts it, and `default` gets its former value back', async () => {
    const world = begun(strategy)
    flapping(world, 'n1')
    expect(await run(world)).toMatchObject({ state: 'halted', why: expect.stringContaining('n1') })
    expect([ranges(world).get('n1'), ranges(world).get('n2')]).toEqual([former, target])
  })

  test('somebody takes our marks from the overrides that keep the value of the others: they are written once', async () => {
    const world = begun(strategy)
    world.broken = new Set(['n1'])
    const outcome = await run(world, (it) => {
      for (const { name } of it.objects.values()) if (name !== 'default') strip(it, name, { [rangeAnnotation]: target })
    })
    expect(outcome).toMatchObject({ state: 'halted' })
    expect([...ranges(world).values()]).toEqual([target, former, target])
  })

  test.each([
    { when: 'at each look', ill: [], after: 0 },
    { when: 'after the first override was written', ill: [], after: 1 },
    { when: 'beside one that never is', ill: ['n2'], after: 0 },
  ])('and so it is where that node is Ready just then: $when', async ({ ill, after }) => {
    const world = begun(strategy, ['n0', 'n1', 'n2', 'n3'])
    world.broken = new Set(ill)
    flapping(world, 'n1')
    const outcome = await run(world, (it) => {
      const kept = [...it.objects.keys()].filter((name) => name !== 'default' && name !== 'node.n0').length
      if (rolloutIn(it).state === 'halted' && kept >= after) it.clock = readyMoment(it, 'n1')
    })
    expect(outcome).toMatchObject({ state: 'halted' })
    const others = ['n2', 'n3'].map((node) => (ill.includes(node) ? former : target))
    expect(['n0', 'n1', 'n2', 'n3'].map((node) => ranges(world).get(node))).toEqual([target, former, ...others])
    expect(world.objects.has('node.n1')).toBe(false)
  })

  const overridesGo: [string, (world: World, name: string) => void][] = [
    ['deletes', ({ objects }, name) => objects.delete(name)],
    ['empties', ({ objects }, name) => objects.set(name, { ...felixObject(name), resourceVersion: '1000' })],
  ]
  test.each(overridesGo)(
    'somebody %s the overrides that keep the value of the others: they are written once, and `default` is restored',
    async (_, go) => {
      const world = begun(strategy)
      world.broken = new Set(['n1'])
      const written: string[] = []
      const tell: World['tools']['tell'] = ({ what, node = '' }) => what === 'override written' && written.push(node)
      world.tools = { ...world.tools, tell }
      const outcome = await run(world, ({ objects }) => {
        if (rolloutIn(world).state !== 'halted') return
        for (const name of objects.keys()) if (name !== 'default') go(world, name)
      })
      expect(outcome).toMatchObject({ state: 'halted' })
      expect(written.toSorted()).toEqual(['n0', 'n2'])
      expect([...ranges(world).values()]).toEqual([former, former, former])
    },
  )

  test('somebody writes it again, as it was, after its former value was restored: that is left', async () => {
    const world = begun(strategy)
    world.broken = new Set(['n1'])
    let [again, ours] = [0, world.objects.get('default')!]
    const outcome = await run(world, (it) => {
      const base = it.objects.get('default')!
      if (isWritten(it)) ours = base
      else if (rolloutIn(it).state === 'halted') {
        again += 1
        it.objects.set('default', { ...ours, resourceVersion: `${base.resourceVersion}0` })
      }
    })
    expect(outcome).toMatchObject({ state: 'halted' })
    expect(again).toBe(1)
    expect(rolloutIn(world).journal?.entries.at(-1)).toMatchObject({ what: 'left' })
  })

  describe.each([
    ['takes our marks from it', {}],
    [
      'puts marks of another rollout there',
      { [changeKey]: JSON.stringify({ by: 'somebody', rollout: 'r0', atOnce: true }) },
    ],
  ])('somebody %s and leaves the value', (_, marks) => {
    const unmark = (world: World): void => {
      if (isWritten(world)) strip(world, 'default', { [rangeAnnotation]: target, ...marks })
    }

    test('its nodes are watched all the same, and one that does not become Ready halts the rollout', async () => {
      const world = begun(strategy)
      world.broken = new Set(['n1'])
      expect(await run(world, unmark)).toMatchObject({ state: 'halted', why: expect.stringContaining('n1') })
      const last = rolloutIn(world).journal?.entries.findLast(({ what }) => what === 'left')
      expect(last?.why).toContain('somebody changed it')
    })

    test('where all are well it ends when they have stayed so', async () => {
      const world = begun(strategy)
      let writtenAt = 0
      const outcome = await run(world, (it) => {
        if (isWritten(it)) writtenAt ||= it.clock
        unmark(it)
      })
      expect(outcome).toMatchObject({ state: 'done' })
      expect(secondsSince(world, writtenAt)).toBeGreaterThanOrEqual(10)
      expect(secondsSince(world, writtenAt)).toBeLessThan(60)
    })
  })
})

describe('where the first node must stay well for longer than the deadline of a node', () => {
  const long = (strategy: Strategy, nodes?: string[]): World =>
    begun(strategy, nodes, { pace: { ...pace(strategy), canarySeconds: 5 * deadline } })

  test.each(['staged', 'canary', 'direct'] as const)(
    'a later node that fails again and again halts it as soon as elsewhere, with %s',
    async (strategy) => {
      const world = long(strategy)
      flapping(world, 'n1')
      expect(await run(world)).toMatchObject({ state: 'halted', why: expect.stringMatching(/^n1: not well since/) })
      const changedAt = world.felixRestarts.find(({ node }) => node === 'n1')?.at ?? 0
      expect(secondsSince(world, changedAt)).toBeLessThanOrEqual(bound)
    },
  )

  test('two short failures of a later node are not one long failure', async () => {
    const world = long(
      'staged',
      Array.from({ length: 30 }, (_, index) => `n${index}`),
    )
    const failures = failing(world, 'n1')
    const outcome = await run(world, (it) => {
      if (failures.length > 0 || !touched(it).includes('n1')) return
      it.clock += 11 * deadline * 1000
      failures.push(it.clock, it.clock + (deadline + 30) * 1000)
    })
    expect(outcome).toMatchObject({ state: 'done' })
    expect(world.clock).toBeGreaterThan(failures[1] ?? Infinity)
  })

  test('the first node, Ready at its deadline, halts it by no short failure after that', async () => {
    const world = long('staged')
    const begunAt = world.clock
    failing(world, 'n0').push(...[590, 1180, 1400].map((seconds) => begunAt + seconds * 1000))
    for (; secondsSince(world, begunAt) < 2020; world.clock += 5_000) await takeStep(world.tools)
    expect(rolloutIn(world)).toMatchObject({ state: 'running' })
    expect(touched(world)).toEqual(['n0', 'n1'])
  })
})

test.each(['staged', 'canary', 'direct'] as const)(
  'a node that was not Ready since its change, and is just after another one halted the rollout, is not disturbed: %s',
  async (strategy) => {
    const world = begun(strategy, undefined, { pace: { ...pace(strategy), maxUnavailable: 3 } })
    const turn = (nodes: string[], ready: boolean): boolean => {
      world.clock += 2_000
      world.pods = world.pods.map((pod) =>
        nodes.includes(pod.node) ? { ...pod, ready, readySince: world.iso() } : pod,
      )
      return true
    }
    let [failed, back] = [false, false]
    const outcome = await run(world, (it) => {
      failed ||= touched(it).includes('n2') && turn(['n1', 'n2'], false)
      back ||= rolloutIn(it).state === 'halted' && turn(['n2'], true)
    })
    expect(outcome).toMatchObject({ state: 'halted', why: expect.stringContaining('n1') })
    expect([...ranges(world).values()]).toEqual([target, former, target])
    expect(world.felixRestarts.filter(({ node }) => node === 'n2')).toHaveLength(1)
  },
)

test('the longer time applies to the node that was touched first, also where another was to be the first', async () => {
  const canarySeconds = 40
  const world = begun('staged', ['n0', 'n1', 'n2'], { canary: 'gone', pace: { ...pace('staged'), canarySeconds } })
  flapping(world, 'n0', canarySeconds / 2)
  expect(await run(world)).toMatchObject({ state: 'halted', why: expect.stringMatching(/^n0: not well since/) })
  expect(touched(world)).toEqual(['n0'])
})

test('a node that is late halts the rollout, though at each look another one fails or has stayed well', async () => {
  const nodes = Array.from({ length: 50 }, (_, index) => `n${index}`)
  const world = begun('direct', nodes)
  world.broken = new Set(['n0'])
  inPods(world, (pod) => {
    const index = nodes.indexOf(pod.node)
    if (index === 0 || world.felixRestarts.length === 0) return pod
    const phase = (world.clock + index * 1000) % 50_000
    const ready = phase >= 5_000
    return { ...pod, ready, readySince: new Date(world.clock - (ready ? phase - 5_000 : phase)).toISOString() }
  })
  for (let look = 0; look < deadline + 10 && !rolloutIn(world).evidence; look += 1) {
    await takeStep(world.tools)
    world.clock += 1000
  }
  expect(rolloutIn(world).evidence).toMatchObject({ node: 'n0' })
})

describe('somebody takes our marks during an abort', () => {
  const aborted = async (unmark: (world: World) => void) => {
    const world = begun('staged')
    while (world.felixRestarts.length < 3) {
      const outcome = await takeStep(world.tools)
      if (outcome.next === 'wait') world.clock += outcome.seconds * 1000
    }
    world.clock += 60_000
    await control(world.tools.kube, 'abort')
    const restarts = world.felixRestarts.length
    const outcome = await run(world, unmark)
    return { world, outcome, back: world.felixRestarts.slice(restarts).map(({ at }) => at) }
  }
  test('from each override whose range was taken back: the next node still waits until this one has stayed well', async () => {
    const { outcome, back } = await aborted((world) => {
      for (const { name, annotations } of world.objects.values())
        if (name !== 'default' && annotations[rangeAnnotation] === undefined) strip(world, name, {})
    })
    expect(outcome).toMatchObject({ state: 'aborted' })
    expect(back).toHaveLength(3)
    for (const [index, at] of back.entries())
      if (index > 0) expect(at - back[index - 1]!).toBeGreaterThanOrEqual(10_000)
  })

  test('and leaves the range: it is kept, because it is not provably ours, and said', async () => {
    const { world, outcome, back } = await aborted((it) => strip(it, 'node.n1', { [rangeAnnotation]: target }))
    expect(outcome).toMatchObject({ state: 'aborted', why: expect.stringContaining('node.n1') })
    expect(ranges(world).get('n1')).toBe(target)
    expect(back).toHaveLength(2)
  })

  test('and updates the object all the time: the abort ends, by the time of our own write', async () => {
    const { world, outcome } = await aborted((it) => {
      strip(it, 'node.n1', { [rangeAnnotation]: target })
      const object = it.objects.get('node.n1')!
      const theirs = { manager: 'controller', operation: 'Update', time: it.iso(), fields: {} }
      const ours = { ...theirs, manager: 'calico-ipvs-sync', time: new Date(it.clock - 600_000).toISOString() }
      it.objects.set('node.n1', { ...object, managedFields: [ours, theirs] })
    })
    expect(outcome).toMatchObject({ state: 'aborted', why: expect.stringContaining('node.n1') })
    expect(ranges(world).get('n1')).toBe(target)
  })
})

describe('an abort', () => {
  /** All nodes have been changed, and are well. */
  const changed = async () => {
    const world = begun('staged')
    while (world.felixRestarts.length < 3) {
      const outcome = await takeStep(world.tools)
      if (outcome.next === 'wait') world.clock += outcome.seconds * 1000
    }
    world.clock += 600_000
    return world
  }
  const abort = (world: World) => control(world.tools.kube, 'abort', { by: 'x', now: world.tools.now })
  const secondsBetween = (from: { at: number }, to: { at: number }) => (to.at - from.at) / 1000

  test.each([600, 100, 1])(
    'is kept from the others by a node that was not well for %s s until its deadline, and not longer',
    async (seconds) => {
      const world = await changed()
      const ill = { ready: false, readySince: world.iso() }
      world.pods = world.pods.map((pod) => (pod.node === 'n1' ? { ...pod, ...ill } : pod))
      world.clock += seconds * 1000
      await abort(world)
      expect(await run(world)).toMatchObject({ state: 'aborted' })
      expect([...world.objects.keys()]).toEqual(['default'])
      const back = world.felixRestarts.slice(3)
      expect(back.map(({ node }) => node)).toEqual(['n1', 'n0', 'n2'])
      expect(secondsBetween(back[0]!, back[1]!)).toBeGreaterThanOrEqual(deadline)
      expect(secondsBetween(back[0]!, back[1]!)).toBeLessThanOrEqual(bound)
    },
  )

  test('and so it is by a node that was failing again and again', async () => {
    const world = await changed()
    failing(world, 'n1').push(...Array.from({ length: 100 }, (_, index) => world.clock + index * 15_000))
    world.clock += 5_000
    await abort(world)
    expect(await run(world)).toMatchObject({ state: 'aborted' })
    const back = world.felixRestarts.slice(3)
    expect(back.map(({ node }) => node)).toEqual(['n1', 'n0', 'n2'])
    expect(secondsBetween(back[0]!, back[1]!)).toBeGreaterThanOrEqual(deadline)
  })

  test.each([0, 60, 200])(
    'halts at a node that fails when its range was taken back, with a clock %s s behind, and goes on when it is asked for again',
    async (behind) => {
      const world = await changed()
      inPods(world, (pod) =>
        pod.ready
          ? pod
          : { ...pod, readySince: new Date(Date.parse(pod.readySince ?? '') - behind * 1000).toISOString() },
      )
      world.broken = new Set(['n0', 'n1'])
      const back = () => world.felixRestarts.slice(3).map(({ node }) => node)
      for (const node of ['n0', 'n1']) {
        await abort(world)
        expect(await run(world)).toMatchObject({ state: 'halted', why: expect.stringContaining(node) })
        expect(back().at(-1)).toBe(node)
        // Nobody looks for an hour.
        world.clock += 3_600_000
      }
      await abort(world)
      expect(await run(world)).toMatchObject({ state: 'aborted' })
      expect(back()).toEqual(['n0', 'n1', 'n2'])
      expect([...world.objects.keys()]).toEqual(['default'])
    },
  )

  describe.each([0, 400])(
    'of restarts, where a restarted node does not become Ready, with a clock %s s behind',
    (behind) => {
      const restarted = async () => {
        const world = worldOf(['n0', 'n1', 'n2'])
        startRollout(world, { restart: world.pods.map(({ name }) => name), pace: pace('staged') })
        world.broken = new Set(['n0'])
        inPods(world, (pod) =>
          pod.ready
            ? pod
            : { ...pod, readySince: new Date(Date.parse(pod.readySince ?? '') - behind * 1000).toISOString() },
        )
        while (world.podRestarts.length === 0) await takeStep(world.tools)
        return world
      }

      test('halts at its deadline, and ends when it is asked for again', async () => {
        const world = await restarted()
        await abort(world)
        expect(await run(world)).toMatchObject({ state: 'halted', why: expect.stringContaining('n0') })
        expect(secondsBetween(world.podRestarts[0]!, { at: world.clock })).toBeLessThanOrEqual(bound)
        await abort(world)
        expect(await run(world)).toMatchObject({ state: 'aborted' })
        expect(world.podRestarts).toHaveLength(1)
      })

      test('ends where the rollout had halted for that node', async () => {
        const world = await restarted()
        expect(await run(world)).toMatchObject({ state: 'halted', why: expect.stringContaining('n0') })
        await abort(world)
        expect(await run(world)).toMatchObject({ state: 'aborted' })
        expect(world.podRestarts).toHaveLength(1)
      })
    },
  )
})

/** Whoever writes a later time again and again, with or without our marks. */
const refreshes: [string, (world: World, name: string) => void][] = [
  [
    'the time of our write',
    (world, name) => {
      const object = world.objects.get(name)
      if (!object) return
      const annotations = { ...object.annotations, [changedAtKey]: world.iso() }
      world.objects.set(name, { ...object, resourceVersion: `${object.resourceVersion}0`, annotations })
    },
  ],
  [
    'the object, with nothing but its range',
    (world, name) => {
      const { [rangeAnnotation]: range } = world.objects.get(name)?.annotations ?? {}
      if (range === undefined) return
      const managedFields = [{ manager: 'controller', operation: 'Update', time: world.iso(), fields: {} }]
      const again = { ...felixObject(name, { [rangeAnnotation]: range }), createdAt: world.iso(), managedFields }
      world.objects.set(name, { ...again, resourceVersion: String(world.clock) })
    },
  ],
]

/** Nothing says any more when its range was taken back, and it is updated all the time. */
const unmarked = (world: World, name: string): void => {
  const managedFields = [{ manager: 'controller', operation: 'Update', time: world.iso(), fields: {} }]
  world.objects.set(name, { ...felixObject(name), resourceVersion: String(world.clock), managedFields })
}

/** Before each look. */
const onLook = (world: World, act: (world: World) => void): World => {
  const { felixConfigurations } = world.tools.kube
  const after: typeof felixConfigurations = (...args) => {
    act(world)
    return felixConfigurations(...args)
  }
  world.tools = { ...world.tools, kube: { ...world.tools.kube, felixConfigurations: after } }
  return world
}

describe.each(refreshes)('somebody writes %s again and again', (_, refresh) => {
  /** Our last write, the clocks' difference, and the time to settle. */
  const wait = 300 + 30

  test('on an override: the next node is changed when this one has stayed well, and not before', async () => {
    const world = begun('staged')
    expect(await run(onLook(world, (it) => refresh(it, 'node.n0')))).toMatchObject({ state: 'done' })
    const times = world.felixRestarts.map(({ at }) => at)
    expect(times).toHaveLength(3)
    expect(times[1]! - times[0]!).toBeGreaterThanOrEqual(30_000)
    expect(secondsSince(world, times[0]!)).toBeLessThanOrEqual(wait + 2 * 30)
  })

  test('on an override whose node is not well: that halts the rollout', async () => {
    const world = begun('staged')
    world.broken = new Set(['n0'])
    const outcome = await run(onLook(world, (it) => refresh(it, 'node.n0')))
    expect(outcome).toMatchObject({ state: 'halted', why: expect.stringContaining('n0') })
    expect(touched(world)).toEqual(['n0'])
  })

  test.each(['direct', 'canary'] as const)('on `default` with %s: the watch of its nodes ends', async (strategy) => {
    const world = begun(strategy)
    onLook(world, (it) => {
      if (it.objects.get('default')?.annotations[rangeAnnotation] === target) refresh(it, 'default')
    })
    const outcome = await run(world)
    expect(outcome).toMatchObject({ state: 'done' })
    expect(secondsSince(world, world.felixRestarts.at(-1)!.at)).toBeLessThanOrEqual(wait)
  })

  test.each(['direct', 'canary'] as const)(
    'on `default` with %s: a node that is not well halts it',
    async (strategy) => {
      const world = begun(strategy)
      world.broken = new Set(['n1'])
      const outcome = await run(world, (it) => {
        if (it.objects.get('default')?.annotations[rangeAnnotation] === target) refresh(it, 'default')
      })
      expect(outcome).toMatchObject({ state: 'halted', why: expect.stringContaining('n1') })
    },
  )

  test('during an abort: it ends, and each node still waits until the one before has stayed well', async () => {
    const world = begun('staged')
    while (world.felixRestarts.length < 3) {
      const outcome = await takeStep(world.tools)
      if (outcome.next === 'wait') world.clock += outcome.seconds * 1000
    }
    world.clock += 3_600_000
    await control(world.tools.kube, 'abort', { by: 'x', now: world.tools.now })
    onLook(world, (it) => {
      refresh(it, 'node.n1')
      for (const { name, annotations } of it.objects.values())
        if (name !== 'default' && annotations[rangeAnnotation] === undefined) unmarked(it, name)
    })
    expect(await run(world)).toMatchObject({ state: 'aborted' })
    const back = world.felixRestarts.slice(3)
    expect(back.map(({ node }) => node)).toEqual(['n0', 'n2'])
    expect(back[1]!.at - back[0]!.at).toBeGreaterThanOrEqual(10_000)
  })
})
