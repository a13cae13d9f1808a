import { describe, expect, test } from '@jest/globals'
import { parseJournal } from '../../shared/domain/rollout/journal.ts'
import { soundRollout } from '../../shared/domain/rollout/parse.ts'
import { rangeAnnotation } from '../../shared/domain/rollout/annotations.ts'
import { control } from '../../shared/workflows/rollout/control.ts'
import { takeStep } from '../../shared/workflows/rollout/step.ts'
import type { Outcome, StepEvent } from '../../shared/workflows/rollout/tools.ts'
import { felixObject, startRollout, worldOf, type World } from './world.ts'

/** Somebody else does not want our overrides: a person, a cleanup job, an operator. We do not fight. */
const target = '20000:32767'

type Other = (world: World, name: string) => void

/** Felix sees what others write as it sees ours. */
const rewritten = (world: World, node: string, write: () => void): void => {
  write()
  world.felixRestarts.push({ node, at: world.clock })
}

const others: Record<string, Other> = {
  deletes: (world, name) => world.objects.delete(name),
  resets: (world, name) => {
    const object = world.objects.get(name) ?? felixObject(name)
    const annotations = { ...object.annotations, [rangeAnnotation]: '30000:32767' }
    const managedFields = [{ manager: 'cleanup-job', operation: 'Update', time: world.iso(), fields: {} }]
    world.objects.set(name, { ...object, resourceVersion: `${object.resourceVersion}0`, annotations, managedFields })
  },
  strips: (world, name) => {
    const object = world.objects.get(name) ?? felixObject(name)
    world.objects.set(name, { ...object, resourceVersion: `${object.resourceVersion}0`, annotations: {}, spec: {} })
  },
}

const has = (world: World, name: string): boolean => world.objects.get(name)?.annotations[rangeAnnotation] === target

const fight = async (world: World, other: Other, on = 'n1', step = takeStep): Promise<Outcome> => {
  for (let left = 400; left > 0; left -= 1) {
    const outcome = await step(world.tools)
    if (has(world, `node.${on}`)) rewritten(world, on, () => other(world, `node.${on}`))
    if (outcome.next === 'over') return outcome
    if (outcome.next === 'wait') world.clock += outcome.seconds * 1000
  }
  throw new Error('it fights without end')
}
const journalOf = (world: World) => parseJournal(world.lease?.annotations['calico-ipvs-sync/journal']).entries
const told = (world: World): StepEvent[] => {
  const events: StepEvent[] = []
  world.tools = { ...world.tools, tell: (event) => events.push(event) }
  return events
}

describe.each(Object.keys(others))('somebody %s an override in the middle of a rollout', (how) => {
  const fought = async (on = 'n1') => {
    const world = worldOf(['n0', 'n1', 'n2', 'n3'])
    const events = told(world)
    startRollout(world, { target })
    const outcome = await fight(world, others[how]!, on)
    return { world, events, outcome, restarts: world.felixRestarts.filter(({ node }) => node === on) }
  }

  test.each(['n0', 'n1'])(
    'which halts it, told once: no second write there, two restarts of Felix at most (%s)',
    async (on) => {
      const { events, outcome, restarts, world } = await fought(on)
      expect(outcome).toMatchObject({ state: 'halted', why: expect.stringContaining(`node.${on}`) })
      expect(events.filter(({ what }) => what === 'rollout halted')).toHaveLength(1)
      expect(events.filter(({ what, node }) => what === 'override written' && node === on)).toHaveLength(1)
      expect(restarts).toHaveLength(2)
      expect(world.felixRestarts.some(({ node }) => node === 'n2')).toBe(false)
    },
  )

  test('and the Lease remembers the write, and what was taken back', async () => {
    const { world } = await fought()
    const object = 'FelixConfiguration/node.n1'
    expect(journalOf(world).filter((it) => it.object === object)).toMatchObject([{ what: 'override', to: target }])
    expect(soundRollout(world.lease, Infinity)?.reverted).toMatchObject({
      object,
      ...(how === 'resets' && { by: 'cleanup-job' }),
    })
  })

  test('also where the process died right after the write: then at most one rewrite', async () => {
    const world = worldOf(['n0', 'n1', 'n2'])
    startRollout(world, { target })
    const { createFelix } = world.tools.kube
    let dies = true
    const kube: typeof world.tools.kube = {
      ...world.tools.kube,
      createFelix: async (api, draft, options) => {
        const made = await createFelix(api, draft, options)
        if (!dies || draft.name !== 'node.n1') return made
        dies = false
        throw new Error('the process died here')
      },
    }
    world.tools = { ...world.tools, kube }
    const patient: typeof takeStep = async (tools) => takeStep(tools).catch((): Outcome => ({ next: 'now' }))
    expect(await fight(world, others[how]!, 'n1', patient)).toMatchObject({ state: 'halted' })
    const writes = journalOf(world).filter(({ object, what }) => object.endsWith('node.n1') && what === 'override')
    expect(writes.length).toBeGreaterThan(0)
    expect(world.felixRestarts.filter(({ node }) => node === 'n1').length).toBeLessThanOrEqual(4)
  })
})

test('what was written is still known after a pause: what somebody deletes before the next write is not written again', async () => {
  const world = worldOf(['n0', 'n1', 'n2'])
  const events = told(world)
  startRollout(world, { target })
  await takeStep(world.tools)
  const { kube, now } = world.tools
  for (const act of ['pause', 'resume'] as const) await control(kube, act, { by: 'alice', now })
  expect(journalOf(world).map(({ what }) => what)).toEqual(['override', 'pause', 'resume'])
  world.objects.delete('node.n0')
  expect(await fight(world, () => undefined, 'none')).toMatchObject({
    state: 'halted',
    why: expect.stringContaining('somebody deleted it'),
  })
  expect(events.filter(({ what }) => what === 'override written')).toHaveLength(1)
  expect(await control(kube, 'resume', { by: 'alice', now, force: true })).toMatchObject({ changed: true })
  expect(await fight(world, () => undefined, 'none')).toMatchObject({ state: 'done' })
})

test('a value that is taken out of `default` again and again, with our marks, is written once', async () => {
  const world = worldOf(['n0', 'n1'])
  const events = told(world)
  startRollout(world, { target })
  const outcome = await fight(
    world,
    () => undefined,
    'none',
    async (tools) => {
      const step = await takeStep(tools)
      if (has(world, 'default')) others['strips']?.(world, 'default')
      return step
    },
  )
  expect(outcome).toMatchObject({ state: 'halted', why: expect.stringContaining('reverted it') })
  expect(events.filter(({ what }) => what === 'value written to default')).toHaveLength(1)
})

test('a write that the server refuses was none: it is not taken for one that somebody took back', async () => {
  const world = worldOf(['n0', 'n1'])
  startRollout(world, { target })
  const { createFelix } = world.tools.kube
  let refusals = 5
  const { KubeError } = await import('../../shared/errors.ts')
  const kube: typeof world.tools.kube = {
    ...world.tools.kube,
    createFelix: (api, draft, options) => {
      refusals -= 1
      if (refusals < 0) return createFelix(api, draft, options)
      return Promise.reject(new KubeError('unavailable', 'slow down', { status: 429, retryAfterSeconds: 1 }))
    },
  }
  world.tools = { ...world.tools, kube }
  expect(await fight(world, () => undefined, 'none')).toMatchObject({ state: 'done' })
  expect(journalOf(world).filter(({ what }) => what === 'override')).toHaveLength(2)
})

test.each([1, 2, 3, 7])(
  'of notes whose answers were lost (%i in a row) nobody is accused: nothing was written and nothing taken back',
  async (lost) => {
    const world = worldOf(['n0', 'n1'])
    const events = told(world)
    startRollout(world, { target })
    const { putLease } = world.tools.kube
    const { KubeError } = await import('../../shared/errors.ts')
    let left = lost
    const kube: typeof world.tools.kube = {
      ...world.tools.kube,
      putLease: async (change) => {
        const put = await putLease(change)
        left -= 1
        if (left >= 0) throw new KubeError('unreachable', 'the connection was dropped')
        return put
      },
    }
    world.tools = { ...world.tools, kube }
    const patient: typeof takeStep = async (tools) => takeStep(tools).catch((): Outcome => ({ next: 'now' }))
    expect(await fight(world, () => undefined, 'none', patient)).toMatchObject({ state: 'done' })
    expect(events.filter(({ what }) => what === 'override written')).toHaveLength(2)
  },
)

test('of a write that was cut short twice is said what is known: somebody deleted it, or it never arrived', async () => {
  const world = worldOf(['n0', 'n1'])
  startRollout(world, { target })
  const createFelix: typeof world.tools.kube.createFelix = () => Promise.reject(new Error('the process died here'))
  world.tools = { ...world.tools, kube: { ...world.tools.kube, createFelix } }
  const patient: typeof takeStep = async (tools) => takeStep(tools).catch((): Outcome => ({ next: 'now' }))
  expect(await fight(world, () => undefined, 'none', patient)).toMatchObject({
    state: 'halted',
    why: expect.stringMatching(
      /node\.n0 was to be given .*, twice, and is not there: somebody deleted it, or both writes were cut short/,
    ),
  })
})

/** As a controller does that keeps the annotations that it knows. */
const unmark = (world: World): void => {
  for (const object of world.objects.values()) {
    const range = object.annotations[rangeAnnotation]
    if (object.name === 'default' || range === undefined || Object.keys(object.annotations).length === 1) continue
    const managedFields = [{ manager: 'cleanup-job', operation: 'Update', time: world.iso(), fields: {} }]
    const resourceVersion = `${object.resourceVersion}0`
    world.objects.set(object.name, {
      ...object,
      resourceVersion,
      managedFields,
      annotations: { [rangeAnnotation]: range },
    })
  }
}

describe('somebody takes our marks from each override, and leaves the range', () => {
  const unmarked = async (broken: string[]) => {
    const world = worldOf(['n0', 'n1', 'n2'])
    world.broken = new Set(broken)
    startRollout(world, { target })
    const outcome = await fight(
      world,
      () => undefined,
      'none',
      async (tools) => {
        const taken = await takeStep(tools)
        unmark(world)
        return taken
      },
    )
    return { world, outcome }
  }

  test('each node must still stay well before the next is changed', async () => {
    const { world } = await unmarked([])
    const [first, ...others] = world.felixRestarts.map(({ at }) => at)
    expect(others).toHaveLength(2)
    for (const [index, at] of others.entries())
      expect(at - (others[index - 1] ?? first!)).toBeGreaterThanOrEqual(10_000)
  })

  test('and a node that does not become Ready still halts the rollout', async () => {
    const { world, outcome } = await unmarked(['n0'])
    expect(outcome).toMatchObject({ state: 'halted', why: expect.stringContaining('n0') })
    expect(world.felixRestarts.map(({ node }) => node)).toEqual(['n0'])
  })
})
