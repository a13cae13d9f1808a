import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import type { Strategy } from '../../shared/domain/report.ts'
import { changeKey, rangeAnnotation } from '../../shared/domain/rollout/annotations.ts'
import { soundRollout } from '../../shared/domain/rollout/parse.ts'
import type { Rollout } from '../../shared/domain/rollout/rollout.ts'
import { control } from '../../shared/workflows/rollout/control.ts'
import { takeStep } from '../../shared/workflows/rollout/step.ts'
import type { Outcome } from '../../shared/workflows/rollout/tools.ts'
import { felixObject, ranges, startRollout, worldOf, type World } from './world.ts'

/** With `canary` and `direct` the value reaches nodes through `default`: a halt puts the former value back there. */
const target = '20000:32767'
const former = '30000:32766'
const pace = (strategy: Strategy): Rollout['pace'] => ({
  strategy,
  maxUnavailable: 1,
  canarySeconds: 30,
  settleSeconds: 10,
  nodeDeadlineSeconds: 120,
})

const valueOfDefault = (world: World) => world.objects.get('default')?.annotations[rangeAnnotation]
const overridden = (world: World) => [...world.objects.keys()].filter((name) => name !== 'default').toSorted()
const rolloutIn = (world: World) => soundRollout(world.lease, Infinity) as Rollout

/** A broken node is well again as soon as its Felix has another range than the one it cannot take. */
const heal = (world: World): void => {
  const on = ranges(world)
  world.pods = world.pods.map((pod) =>
    !pod.ready && on.get(pod.node) !== target ? { ...pod, ready: true, readySince: world.iso() } : pod,
  )
}

const run = async (world: World, each: (world: World) => void = () => undefined): Promise<Outcome> => {
  for (let step = 0; step < 400; step += 1) {
    const outcome = await takeStep(world.tools)
    heal(world)
    each(world)
    if (outcome.next === 'over') return outcome
    if (outcome.next === 'wait') world.clock += outcome.seconds * 1000
  }
  throw new Error('the rollout does not come to an end')
}

const begun = (strategy: Strategy, { nodes = 4, broken = ['n1'], from = former } = {}): World => {
  const names = Array.from({ length: nodes }, (_, index) => `n${index}`)
  const world = worldOf(names, [felixObject('default', from === '' ? {} : { [rangeAnnotation]: from })])
  for (const node of broken) world.broken.add(node)
  startRollout(world, { target, pace: pace(strategy), canary: 'n0' })
  return world
}

const restartsOf = (world: World, node: string) => world.felixRestarts.filter((it) => it.node === node).length

for (const strategy of ['canary', 'direct'] as const)
  describe(`a rollout with ${strategy} that makes a node ill`, () => {
    test('halts, gives default its former value back, and disturbs no node that is well with the new one', async () => {
      const world = begun(strategy)
      expect(await run(world)).toMatchObject({ state: 'halted', why: expect.stringContaining('n1') })
      expect(valueOfDefault(world)).toBe(former)
      expect(ranges(world)).toEqual(
        new Map([
          ['n0', target],
          ['n1', former],
          ['n2', target],
          ['n3', target],
        ]),
      )
      expect(world.pods.every(({ ready }) => ready)).toBe(true)
      expect(['n0', 'n1', 'n2', 'n3'].map((node) => restartsOf(world, node))).toEqual([1, 2, 1, 1])
    })

    test('says in its journal what was put back, and when in its evidence', async () => {
      const world = begun(strategy)
      await run(world)
      const { journal, evidence } = rolloutIn(world)
      expect(journal?.entries.filter(({ object }) => object === 'FelixConfiguration/default')).toEqual([
        expect.objectContaining({ what: 'promote', from: former, to: target }),
        expect.objectContaining({ what: 'put-back', from: target, to: former }),
      ])
      expect(evidence).toMatchObject({ node: 'n1', takenBackAt: expect.any(String) })
    })

    test('leaves no range in default where none was before', async () => {
      const world = begun(strategy, { from: '' })
      await run(world)
      expect(valueOfDefault(world)).toBeUndefined()
      expect(world.objects.get('default')?.annotations).not.toHaveProperty(changeKey)
      expect(world.objects.get('default')?.spec).toEqual({})
    })

    test('is finished after a repair, without one more restart on the nodes that have the value', async () => {
      const world = begun(strategy)
      await run(world)
      world.broken.clear()
      world.clock += 60_000
      expect(await control(world.tools.kube, 'resume', { by: 'test', now: world.tools.now })).toMatchObject({
        changed: true,
      })
      expect(await run(world)).toMatchObject({ state: 'done' })
      expect(valueOfDefault(world)).toBe(target)
      expect(overridden(world)).toEqual([])
      expect(['n0', 'n1', 'n2', 'n3'].map((node) => restartsOf(world, node))).toEqual([1, 3, 1, 1])
    })

    test('is aborted one node after the other, to the former value everywhere', async () => {
      const world = begun(strategy)
      await run(world)
      await control(world.tools.kube, 'abort', { by: 'test', now: world.tools.now })
      expect(await run(world)).toMatchObject({ state: 'aborted' })
      expect([...ranges(world).values()]).toEqual([former, former, former, former])
      expect(overridden(world)).toEqual([])
    })

    test('leaves default alone where somebody wrote there since', async () => {
      const world = begun(strategy)
      await run(world, (it) => {
        const base = it.objects.get('default')
        if (rolloutIn(it).state !== 'halted' || base?.annotations[rangeAnnotation] !== target) return
        it.objects.set('default', { ...base, annotations: { ...base.annotations, [rangeAnnotation]: '1024:2048' } })
      })
      expect(valueOfDefault(world)).toBe('1024:2048')
    })

    test('does not say that default was put back where somebody wrote there in that moment', async () => {
      const world = begun(strategy)
      const { patchFelix } = world.tools.kube
      const kube: World['tools']['kube'] = {
        ...world.tools.kube,
        patchFelix: (api, patch, options) => {
          const base = world.objects.get('default')
          if (patch.name === 'default' && rolloutIn(world).state === 'halted' && base) {
            const annotations = { ...base.annotations, [rangeAnnotation]: '1024:2048' }
            world.objects.set('default', { ...base, annotations, resourceVersion: `${base.resourceVersion}0` })
          }
          return patchFelix(api, patch, options)
        },
      }
      world.tools = { ...world.tools, kube }
      expect(await run(world)).toMatchObject({ state: 'halted' })
      expect(valueOfDefault(world)).toBe('1024:2048')
      const { evidence, journal } = rolloutIn(world)
      expect(evidence?.takenBackAt).toBeUndefined()
      const last = journal?.entries.findLast(({ object }) => object === 'FelixConfiguration/default')
      expect(last).toMatchObject({ what: 'left', why: expect.stringContaining('somebody changed it') })
    })

    test('leaves default alone where its mark is of another rollout', async () => {
      const world = begun(strategy)
      await run(world, (it) => {
        const base = it.objects.get('default')
        const mark = base?.annotations[changeKey]
        if (rolloutIn(it).state !== 'halted' || !base || mark === undefined) return
        const other = mark.replace('"rollout":"r1"', '"rollout":"r0"')
        it.objects.set('default', { ...base, annotations: { ...base.annotations, [changeKey]: other } })
      })
      expect(valueOfDefault(world)).toBe(target)
      expect(overridden(world).filter((name) => name !== 'node.n0')).toEqual([])
    })

    test('leaves default alone where the node came back before it was written', async () => {
      const world = begun(strategy)
      await run(world, (it) => {
        if (rolloutIn(it).state === 'halted') it.pods = it.pods.map((pod) => ({ ...pod, ready: true }))
      })
      expect(valueOfDefault(world)).toBe(target)
    })
  })

test('an abort waits until the former value is put back, and then leaves nothing of the rollout', async () => {
  const world = begun('direct')
  const abort = () => control(world.tools.kube, 'abort', { by: 'test', now: world.tools.now })
  for (let step = 0; step < 100 && rolloutIn(world).state !== 'halted'; step += 1) {
    const outcome = await takeStep(world.tools)
    if (outcome.next === 'wait') world.clock += outcome.seconds * 1000
  }
  expect(await abort()).toMatchObject({ changed: false, why: expect.stringContaining('still being restored') })
  await run(world)
  expect(await abort()).toMatchObject({ changed: true })
  expect(await run(world)).toMatchObject({ state: 'aborted' })
  expect([...ranges(world).values()]).toEqual([former, former, former, former])
})

test('where every node is ill, default alone is written', async () => {
  const world = begun('direct', { broken: ['n0', 'n1', 'n2', 'n3'] })
  await run(world)
  expect(valueOfDefault(world)).toBe(former)
  expect(overridden(world)).toEqual([])
  expect(world.pods.every(({ ready }) => ready)).toBe(true)
})

test('cut short after any request and taken up again, it comes to the same end', async () => {
  const whole = begun('direct')
  await run(whole)
  for (let cut = 0; cut < whole.calls; cut += 1) {
    const world = begun('direct')
    const { kube } = world.tools
    let left = cut
    const dying = new Proxy(kube, {
      get: (target_, key: keyof typeof kube) =>
        key === 'calls' || key === 'close'
          ? target_[key]
          : async (...args: never[]) => {
              const answer = await (target_[key] as (...them: never[]) => Promise<unknown>)(...args)
              left -= 1
              if (left === 0) throw new Error('the process died here')
              return answer
            },
    })
    const steps = async (): Promise<Outcome> => {
      for (let step = 0; step < 400; step += 1) {
        const outcome = await takeStep({ ...world.tools, kube: dying }).catch(() => undefined)
        heal(world)
        if (outcome?.next === 'over') return outcome
        if (outcome?.next === 'wait') world.clock += outcome.seconds * 1000
      }
      throw new Error('no end')
    }
    expect(await steps()).toMatchObject({ state: 'halted' })
    expect([cut, valueOfDefault(world), world.pods.every(({ ready }) => ready)]).toEqual([cut, former, true])
    expect(['n0', 'n2', 'n3'].map((node) => restartsOf(world, node))).toEqual([1, 1, 1])
  }
})

test('whichever nodes are ill: at the end none has the value that it cannot take, and no well node restarted twice', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 10 }),
      fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 1, maxLength: 10 }),
      fc.constantFrom('canary' as const, 'direct' as const),
      async (nodes, ill, strategy) => {
        const broken = [...new Set(ill.map((index) => `n${index % nodes}`))]
        const world = begun(strategy, { nodes, broken })
        expect(await run(world)).toMatchObject({ state: 'halted' })
        const on = ranges(world)
        expect(broken.filter((node) => on.get(node) === target)).toEqual([])
        const well = world.pods.map(({ node }) => node).filter((node) => !broken.includes(node))
        expect(well.filter((node) => restartsOf(world, node) > 1)).toEqual([])
      },
    ),
    { numRuns: 80 },
  )
})

test('a node that was not well before is no reason to halt, and nothing is put back for it', async () => {
  const world = begun('direct', { broken: [] })
  world.pods = world.pods.map((pod) =>
    pod.node === 'n1' ? { ...pod, ready: false, readySince: '2026-02-01T11:00:00Z' } : pod,
  )
  const outcome = await run(world, (it) => {
    it.pods = it.pods.map((pod) =>
      pod.node === 'n1' ? { ...pod, ready: false, readySince: '2026-02-01T11:00:00Z' } : pod,
    )
  })
  expect(outcome).toMatchObject({ state: 'done' })
  expect(valueOfDefault(world)).toBe(target)
})
