import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { overrideKey, rangeAnnotation } from '../../shared/domain/rollout/annotations.ts'
import { soundRollout } from '../../shared/domain/rollout/parse.ts'
import { takeStep } from '../../shared/workflows/rollout/step.ts'
import type { Outcome } from '../../shared/workflows/rollout/tools.ts'
import { control } from '../../shared/workflows/rollout/control.ts'
import { calicoPod, felixObject, quickPace, ranges, startRollout, where, worldOf, type World } from './world.ts'

const target = '20000:32767'
const strategies = ['staged', 'canary', 'direct'] as const
const nodes = (count: number) => Array.from({ length: count }, (_, index) => `n${String(index).padStart(2, '0')}`)

/** Steps to the end, sleeping through the waits; as many steps as a rollout can sensibly need. */
const run = async (world: World, each: (world: World) => void = () => undefined): Promise<Outcome> => {
  // A write is noted before and confirmed after it, and its node asked for; one more where the Lease has expired.
  const most = 9
  for (let step = 0; step < 60 * (world.pods.length + 2); step += 1) {
    const before = world.calls
    const outcome = await takeStep(world.tools)
    expect(world.calls - before).toBeLessThanOrEqual(most)
    each(world)
    if (outcome.next === 'over') return outcome
    if (outcome.next === 'wait') world.clock += outcome.seconds * 1000
  }
  throw new Error('the rollout does not come to an end')
}

/** The most Felix restarts that fall within one settling time. */
const mostAtOnce = (restarts: { at: number }[], seconds: number): number =>
  Math.max(0, ...restarts.map(({ at }) => restarts.filter((it) => it.at >= at && it.at < at + seconds * 1000).length))

describe('a staged change of the range', () => {
  test('reaches every node, restarts each Felix once, and leaves nothing of ours behind but the value', async () => {
    const world = worldOf(nodes(5))
    startRollout(world, { target, canary: 'n03' })
    expect(await run(world)).toMatchObject({ next: 'over', state: 'done' })
    expect([...ranges(world).values()]).toEqual(Array(5).fill(target))
    expect(world.felixRestarts.map(({ node }) => node)).toEqual(['n03', 'n00', 'n01', 'n02', 'n04'])
    expect([...world.objects.keys()]).toEqual(['default'])
    expect(world.objects.get('default')).toMatchObject({
      annotations: { [rangeAnnotation]: target },
      spec: { kubeNodePortRanges: [target] },
    })
    expect(world.lease).not.toHaveProperty('holder')
  })

  test('writes no spec where an operator could not read it, or where the Lease does not say, and takes out what stands there', async () => {
    const { spec: _, ...old } = where
    for (const known of [old, { ...old, spec: false }]) {
      const was = { kubeNodePortRanges: ['30000:32767'] }
      const world = worldOf(nodes(2), [
        felixObject('default', {}, was),
        felixObject('node.n01', {}, { logSeverity: 'x' }),
      ])
      startRollout(world, { target, where: known })
      const specs: unknown[] = []
      await run(world, ({ objects }) =>
        specs.push(...[...objects.values()].map(({ spec }) => spec['kubeNodePortRanges'])),
      )
      expect(new Set(specs.map((it) => it ?? 'none'))).toEqual(new Set([was.kubeNodePortRanges, 'none']))
      expect([...ranges(world).values()]).toEqual([target, target])
      expect(world.objects.get('default')?.spec).toEqual({})
      expect(world.objects.get('node.n01')?.spec).toEqual({ logSeverity: 'x' })
    }
  })

  test('aborted, leaves no spec either', async () => {
    const world = worldOf(nodes(2))
    startRollout(world, { target, where: { ...where, spec: false } })
    await takeStep(world.tools)
    await control(world.tools.kube, 'abort')
    expect(await run(world)).toMatchObject({ state: 'aborted' })
    expect([...world.objects.values()].map(({ spec }) => spec)).toEqual([{}])
  })

  test('waits for the first node alone, three times as long as for the others', async () => {
    const world = worldOf(nodes(4))
    startRollout(world, {
      target,
      pace: { strategy: 'staged', maxUnavailable: 3, canarySeconds: 30, settleSeconds: 10, nodeDeadlineSeconds: 120 },
    })
    await run(world)
    const [first, second] = world.felixRestarts
    expect((second?.at ?? 0) - (first?.at ?? 0)).toBeGreaterThanOrEqual(30_000)
    expect(mostAtOnce(world.felixRestarts, 10)).toBe(3)
  })

  test('gives a node that joins in the middle its override before default takes the value', async () => {
    const world = worldOf(nodes(3))
    startRollout(world, { target })
    await run(world, (it) => {
      if (it.felixRestarts.length === 2 && it.pods.length === 3) it.pods.push(calicoPod('n99'))
    })
    expect(world.felixRestarts.map(({ node }) => node).toSorted()).toEqual(['n00', 'n01', 'n02', 'n99'])
    expect(mostAtOnce(world.felixRestarts, 10)).toBe(1)
  })

  test('keeps an object that was there before us and takes only its own marks off it', async () => {
    const theirs = felixObject('node.n00', { team: 'net' }, { logSeverityScreen: 'Debug' })
    const world = worldOf(nodes(2), [felixObject('default'), theirs])
    startRollout(world, { target })
    await run(world)
    expect(world.objects.get('node.n00')).toMatchObject({
      annotations: { team: 'net' },
      spec: { logSeverityScreen: 'Debug' },
    })
    expect(Object.keys(world.objects.get('node.n00')?.annotations ?? {})).toEqual(['team'])
  })

  test('changes the copy of the metadata that would beat the annotation, in the same write', async () => {
    const copy = JSON.stringify({ annotations: { [rangeAnnotation]: '30000:32767' } })
    const base = felixObject('default', { 'projectcalico.org/metadata': copy, [rangeAnnotation]: '30000:32767' })
    const world = worldOf(nodes(2), [base])
    startRollout(world, { target })
    expect(await run(world)).toMatchObject({ state: 'done' })
    expect([...ranges(world).values()]).toEqual([target, target])
  })

  test('halts when a node does not come back, takes its override off, and touches no other', async () => {
    const world = worldOf(nodes(5))
    world.broken.add('n02')
    startRollout(world, { target, canary: 'n02' })
    const outcome = await run(world)
    expect(outcome).toMatchObject({ state: 'halted', why: expect.stringContaining('n02') })
    expect(new Set(world.felixRestarts.map(({ node }) => node))).toEqual(new Set(['n02']))
    expect([...world.objects.values()].some(({ annotations }) => annotations[overrideKey])).toBe(false)
    expect([...ranges(world).values()]).toEqual(Array(5).fill(undefined))
  })

  test.each([{ target }, { restart: ['calico-node-n00', 'calico-node-n01', 'calico-node-n02'] }])(
    'a Node that is NotReady is not touched, whatever a stale pod says: %j',
    async (work) => {
      const world = worldOf(nodes(3))
      world.silent.add('n00')
      startRollout(world, { ...work, canary: 'n00' })
      const touched = () => [...world.felixRestarts, ...world.podRestarts].map(({ node }) => node)
      await run(world)
      expect(touched().slice(0, 2)).toEqual(['n01', 'n02'])
      expect([...world.objects.keys()]).toEqual(['default'])
      expect(world.podRestarts.map(({ node }) => node)).not.toContain('n00')
    },
  )

  test('keeps a node apart that was unwell before it came', async () => {
    const world = worldOf(nodes(3))
    world.pods = world.pods.map((pod) => (pod.node === 'n01' ? { ...pod, ready: false } : pod))
    startRollout(world, { target })
    expect(await run(world)).toMatchObject({ state: 'done' })
    const overridden = world.felixRestarts.slice(0, 2).map(({ node }) => node)
    expect(overridden).toEqual(['n00', 'n02'])
  })

  /** As after somebody changed `default`: every Felix restarts at once, and a tool that listens comes a second later. */
  const noneWell = (strategy: (typeof strategies)[number]): World => {
    const world = worldOf(nodes(3))
    world.pods = world.pods.map((pod) => ({ ...pod, ready: false, readySince: world.iso() }))
    startRollout(world, { target, pace: { ...quickPace, strategy } })
    return world
  }

  test.each(strategies)(
    'writes nothing with %s while no node is well, and begins with the first that is',
    async (strategy) => {
      const world = noneWell(strategy)
      const began = world.clock
      const wellAfter = (node: string) => began + (node === 'n01' ? 20_000 : 40_000)
      const outcome = await run(world, () => {
        world.pods = world.pods.map((pod) =>
          pod.ready || world.clock < wellAfter(pod.node) ? pod : { ...pod, ready: true, readySince: world.iso() },
        )
      })
      expect(outcome).toMatchObject({ state: 'done' })
      expect(world.felixRestarts[0]?.at).toBeGreaterThanOrEqual(began + 20_000)
      if (strategy !== 'direct') expect(world.felixRestarts[0]?.node).toBe('n01')
    },
  )

  test.each(strategies)(
    'halts with %s, and has written nothing, where no node becomes well until the deadline',
    async (strategy) => {
      const world = noneWell(strategy)
      const began = world.clock
      expect(await run(world)).toMatchObject({
        state: 'halted',
        why: 'calico-node is not Ready on any node, so no node can be changed first; this has been so for 120 s',
      })
      expect(world.clock - began).toBeLessThan(130_000)
      expect(world.felixRestarts).toEqual([])
      expect([...world.objects.keys()]).toEqual(['default'])
    },
  )

  test('goes on where no node is well for a moment, an hour after the rollout began', async () => {
    const world = noneWell('staged')
    world.clock += 3_600_000
    const failed = world.clock
    world.pods = world.pods.map((pod) => ({ ...pod, readySince: world.iso() }))
    const outcome = await run(world, () => {
      if (world.clock >= failed + 60_000)
        world.pods = world.pods.map((pod) => (pod.ready ? pod : { ...pod, ready: true, readySince: world.iso() }))
    })
    expect(outcome).toMatchObject({ state: 'done' })
  })

  test('halts when what was written is not what counts', async () => {
    const world = worldOf(nodes(2))
    const patch = world.tools.kube.createFelix
    world.tools = {
      ...world.tools,
      kube: {
        ...world.tools.kube,
        createFelix: async (api, draft, options) => {
          const made = await patch(api, draft, options)
          world.objects.set(made.name, {
            ...made,
            annotations: {
              ...made.annotations,
              'projectcalico.org/metadata': JSON.stringify({ annotations: { [rangeAnnotation]: '1:2' } }),
            },
          })
          return made
        },
      },
    }
    startRollout(world, { target })
    expect(await run(world)).toMatchObject({ state: 'halted', why: expect.stringContaining('1:2') })
  })

  test('halts when somebody changes default back in the middle, instead of writing it for ever', async () => {
    const world = worldOf(nodes(3))
    startRollout(world, { target })
    const outcome = await run(world, ({ objects }) => {
      const base = objects.get('default')
      if (base?.annotations[rangeAnnotation] === target && objects.size > 1) {
        objects.set('default', { ...base, annotations: { ...base.annotations, [rangeAnnotation]: '30000:32767' } })
      }
    })
    expect(outcome).toMatchObject({ state: 'halted', why: expect.stringContaining('reverted it') })
  })

  test('whatever the size, budget and strategy: it ends, right, within the budget', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 12 }),
        fc.integer({ min: 1, max: 5 }),
        fc.constantFrom('staged' as const, 'canary' as const, 'direct' as const),
        async (count, maxUnavailable, strategy) => {
          const world = worldOf(nodes(count))
          startRollout(world, {
            target,
            pace: { strategy, maxUnavailable, canarySeconds: 30, settleSeconds: 10, nodeDeadlineSeconds: 120 },
          })
          expect(await run(world)).toMatchObject({ state: 'done' })
          expect([...ranges(world).values()].every((range) => range === target)).toBe(true)
          expect(world.felixRestarts).toHaveLength(count)
          expect([...world.objects.keys()]).toEqual(['default'])
          if (strategy === 'staged') expect(mostAtOnce(world.felixRestarts, 10)).toBeLessThanOrEqual(maxUnavailable)
        },
      ),
      { numRuns: 60 },
    )
  })
})

describe('restarts', () => {
  const all = (world: World) => world.pods.map(({ name }) => name)

  test('go one node after the other, the first alone', async () => {
    const world = worldOf(nodes(3))
    startRollout(world, { restart: all(world), canary: 'n01' })
    expect(await run(world)).toMatchObject({ state: 'done' })
    expect(world.podRestarts.map(({ node }) => node)).toEqual(['n01', 'n00', 'n02'])
    expect(mostAtOnce(world.podRestarts, 10)).toBe(1)
  })

  test('wait after the write of `default`: a node that was left out and is back got the range from it', async () => {
    const world = worldOf(nodes(2))
    startRollout(world, { target, restart: all(world) })
    const isWell = (is: boolean) => {
      world.pods = world.pods.map((pod) => (pod.node === 'n01' ? { ...pod, ready: is } : pod))
    }
    isWell(false)
    let promotedAt = Infinity
    await run(world, ({ clock, objects }) => {
      if (promotedAt !== Infinity || objects.get('default')?.annotations[rangeAnnotation] !== target) return
      promotedAt = clock
      isWell(true)
    })
    expect(world.podRestarts[0]?.at).toBeGreaterThanOrEqual(promotedAt + quickPace.settleSeconds * 1000)
  })

  test('happen once each, though every step is cut short after its first effect and taken again', async () => {
    const world = worldOf(nodes(3))
    startRollout(world, { restart: all(world) })
    const { deletePod } = world.tools.kube
    let cut = true
    world.tools = {
      ...world.tools,
      kube: {
        ...world.tools.kube,
        deletePod: (pod) => {
          cut = !cut
          return cut ? deletePod(pod) : Promise.reject(new Error('the process died here'))
        },
      },
    }
    for (let step = 0; step < 100; step += 1) {
      const outcome = await takeStep(world.tools).catch(() => undefined)
      if (outcome?.next === 'over') break
      if (outcome?.next === 'wait') world.clock += outcome.seconds * 1000
    }
    expect(world.podRestarts.map(({ node }) => node)).toEqual(['n00', 'n01', 'n02'])
  })

  test('halt at a node that does not come back', async () => {
    const world = worldOf(nodes(3))
    world.broken.add('n00')
    startRollout(world, { restart: all(world) })
    expect(await run(world)).toMatchObject({ state: 'halted', why: expect.stringContaining('n00') })
    expect(world.podRestarts).toHaveLength(1)
  })
})

describe('the Lease', () => {
  test('keeps a second holder waiting until it expires', async () => {
    const world = worldOf(nodes(1))
    startRollout(world, { target })
    const other = { ...world.tools, holder: 'another' }
    expect(await takeStep(other)).toMatchObject({ next: 'wait', why: expect.stringContaining('test') })
    expect(world.felixRestarts).toEqual([])
    world.clock += 61_000
    await takeStep(other)
    expect(world.lease?.holder).toBe('another')
  })

  test('with annotations nobody can read stops everything and says what to do', async () => {
    const world = worldOf(nodes(1))
    startRollout(world, { target })
    if (world.lease) world.lease.annotations['calico-ipvs-sync/pace'] = 'nonsense'
    const why = expect.stringMatching(/calico-ipvs-sync\/pace.*delete it/)
    expect(await takeStep(world.tools)).toEqual({ next: 'over', state: 'none', why })
    expect(world.felixRestarts).toEqual([])
  })
})

describe('a person', () => {
  const untilTouched = async (world: World, count: number) => {
    while (world.felixRestarts.length < count) {
      const outcome = await takeStep(world.tools)
      if (outcome.next === 'wait') world.clock += outcome.seconds * 1000
    }
  }

  test('pauses a rollout, and nothing more is touched until it is resumed', async () => {
    const world = worldOf(nodes(4))
    startRollout(world, { target })
    await untilTouched(world, 2)
    await control(world.tools.kube, 'pause')
    expect(await takeStep(world.tools)).toMatchObject({ next: 'over', state: 'paused' })
    await control(world.tools.kube, 'resume')
    expect(await run(world)).toMatchObject({ state: 'done' })
    expect(world.felixRestarts).toHaveLength(4)
  })

  test('aborts a rollout: the nodes that were changed go back, one at a time', async () => {
    const world = worldOf(nodes(4))
    startRollout(world, { target })
    await untilTouched(world, 3)
    const begun = world.felixRestarts.length
    world.clock += 60_000
    await control(world.tools.kube, 'abort')
    // One more: the Lease has expired meanwhile.
    expect(await run(world)).toMatchObject({ state: 'aborted' })
    expect([...world.objects.keys()]).toEqual(['default'])
    expect([...ranges(world).values()]).toEqual(Array(4).fill(undefined))
    const back = world.felixRestarts.slice(begun)
    expect(back).toHaveLength(3)
    expect(mostAtOnce(back, 10)).toBe(1)
  })

  test('resumes a halted rollout after the node was fixed', async () => {
    const world = worldOf(nodes(3))
    world.broken.add('n00')
    startRollout(world, { target })
    expect(await run(world)).toMatchObject({ state: 'halted' })
    world.broken.clear()
    world.pods = world.pods.map((pod) => ({ ...pod, ready: true, readySince: world.iso() }))
    await control(world.tools.kube, 'resume')
    // One more: the halt had given up the Lease.
    expect(await run(world)).toMatchObject({ state: 'done' })
    expect([...ranges(world).values()]).toEqual(Array(3).fill(target))
  })

  describe('resumes a halted rollout without repairing the node', () => {
    const halted = async () => {
      const world = worldOf(nodes(4))
      for (const node of nodes(4)) world.broken.add(node)
      startRollout(world, { target })
      expect(await run(world)).toMatchObject({ state: 'halted' })
      const now = () => new Date(world.clock)
      return { world, alice: { by: 'alice', now } }
    }

    test('and is refused, with the reason: no other node crashes', async () => {
      const { world, alice } = await halted()
      for (let attempt = 0; attempt < 3; attempt += 1) {
        const answer = await control(world.tools.kube, 'resume', alice)
        expect(answer).toMatchObject({ changed: false, why: expect.stringMatching(/n00.*not Ready.*--force/) })
        expect(await run(world)).toMatchObject({ state: 'halted' })
      }
      expect(new Set(world.felixRestarts.map(({ node }) => node))).toEqual(new Set(['n00']))
    })

    test('and insists: one node at a time', async () => {
      const { world, alice } = await halted()
      const answer = await control(world.tools.kube, 'resume', { ...alice, force: true })
      expect(answer).toMatchObject({ changed: true, rollout: { careful: true, pace: { maxUnavailable: 1 } } })
      expect(await run(world)).toMatchObject({ state: 'halted' })
      expect(new Set(world.felixRestarts.map(({ node }) => node))).toEqual(new Set(['n00', 'n01']))
    })

    test('whose value Felix refuses is told so', async () => {
      const world = worldOf(nodes(3))
      startRollout(world, { target })
      await run(world, ({ objects }) => {
        const base = objects.get('default')
        if (base && objects.has('node.n00')) objects.set('default', { ...base, spec: { iptablesMarkMask: 0x10000 } })
      })
      const now = () => new Date(world.clock)
      expect(await control(world.tools.kube, 'resume', { by: 'alice', now })).toMatchObject({
        changed: false,
        why: expect.stringMatching(/MarkMask/),
      })
      const base = world.objects.get('default')
      if (base) world.objects.set('default', { ...base, spec: {} })
      expect(await control(world.tools.kube, 'resume', { by: 'alice', now })).toMatchObject({ changed: true })
      expect(await run(world)).toMatchObject({ state: 'done' })
    })
  })

  test.each(['pause', 'abort'] as const)(
    'is obeyed (%s) though a step writes the Lease in that moment',
    async (what) => {
      const world = worldOf(nodes(3))
      startRollout(world, { target })
      const { kube } = world.tools
      let left = 3
      const putLease: typeof kube.putLease = async (change) => {
        left -= 1
        if (left >= 0 && world.lease)
          await kube.putLease({ resourceVersion: world.lease?.resourceVersion ?? '', renewedAt: world.iso() })
        return kube.putLease(change)
      }
      expect(await control({ ...kube, putLease }, what)).toMatchObject({ changed: true })
      expect(soundRollout(world.lease, Infinity)?.state).toBe(what === 'pause' ? 'paused' : 'aborting')
    },
  )

  test('who pauses need not wait for the Lease to expire: the next step releases it', async () => {
    const world = worldOf(nodes(3))
    startRollout(world, { target })
    await takeStep(world.tools)
    await control(world.tools.kube, 'pause')
    expect(await takeStep(world.tools)).toMatchObject({ next: 'over', state: 'paused' })
    expect(world.lease?.holder).toBeUndefined()
    await control(world.tools.kube, 'abort')
    const paused = world.clock
    world.tools = { ...world.tools, holder: 'alice' }
    expect(await takeStep(world.tools)).toMatchObject({ next: 'now' })
    expect(world.clock).toBe(paused)
  })

  test('is told when there is nothing to pause', async () => {
    const world = worldOf(nodes(1))
    expect(await control(world.tools.kube, 'pause')).toEqual({
      changed: false,
      why: 'There is no rollout in this cluster.',
    })
    startRollout(world, { target, state: 'done' })
    expect(await control(world.tools.kube, 'resume')).toMatchObject({
      changed: false,
      why: expect.stringContaining('done'),
    })
  })
})
