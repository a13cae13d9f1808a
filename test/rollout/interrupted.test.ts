import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { createCrashes } from '../verify/crash/life.ts'
import { crashingKube } from '../verify/crash/outside.ts'
import { type Scene, setTheScene, target } from '../verify/crash/scene.ts'
import { rangeAnnotation } from '../../shared/domain/rollout/annotations.ts'
import { soundRollout } from '../../shared/domain/rollout/parse.ts'
import { policyWith } from '../../shared/domain/policy/policy.ts'
import { valueOf } from '../../shared/domain/read.ts'
import { type Control, control } from '../../shared/workflows/rollout/control.ts'
import { takeStep } from '../../shared/workflows/rollout/step.ts'
import { sync, type SyncResult } from '../../shared/workflows/rollout/sync.ts'
import { failFelixWith, syncTools } from './stage.ts'

/** Ctrl-C at each write of a rollout in one process, and then what a person may do. */
const speed = { canarySeconds: 30, settleSeconds: 10, nodeDeadlineSeconds: 60 }
let scene: Scene

beforeAll(async () => {
  scene = await setTheScene(3, 'embedded')
}, 60_000)
afterAll(() => scene?.stop(), 30_000)

type Given = Partial<ReturnType<typeof policyWith>>

/** `at`: the write at which the signal comes; absent: none comes. */
const inOneProcess = async (given: Given, at = Number.POSITIVE_INFINITY): Promise<[SyncResult, number]> => {
  const policy = policyWith({ action: 'sync', ...speed, ...given })
  const crashing = createCrashes()
  const tools = syncTools(scene, policy, { holder: at === Number.POSITIVE_INFINITY ? 'the next' : 'the first' })
  const kube = crashingKube(tools.kube, crashing.start())
  const end = await sync({ ...tools, kube, interrupted: () => crashing.effects.length > at }, policy)
  return [end, crashing.effects.length]
}

const standing = async () => {
  const lease = valueOf(await scene.direct.lease())
  return { holder: lease?.holder, state: soundRollout(lease, scene.clock.now().getTime())?.state }
}

const defaultRange = async (): Promise<string | undefined> => {
  const { objects } = valueOf(await scene.direct.felixConfigurations(['crd.projectcalico.org/v1'])) ?? { objects: [] }
  return objects.find(({ name }) => name === 'default')?.annotations[rangeAnnotation]
}

const steer = (what: Control) => control(scene.direct, what, { by: 'a person', now: scene.clock.now })

const abort = async (): Promise<void> => {
  const policy = policyWith(speed)
  const tools = { ...syncTools(scene, policy, { holder: 'the next' }), policy }
  expect(await steer('abort')).toMatchObject({ changed: true })
  for (let outcome = await takeStep(tools); outcome.next !== 'over'; outcome = await takeStep(tools))
    if (outcome.next === 'wait') await tools.sleep(outcome.seconds)
}

const effectsOfAll = async (given: Given): Promise<number[]> => {
  const [, count] = await inOneProcess(given)
  return Array.from({ length: count }, (_, at) => at)
}

describe('Ctrl-C at each write', () => {
  test('of a rollout: the Lease is given up, and sync finishes it, or an abort takes it back, each node disturbed once', async () => {
    await scene.set('both')
    for (const at of await effectsOfAll({})) {
      await scene.set('both')
      const seen = await scene.observer.begin()
      const [end] = await inOneProcess({}, at)
      const { holder, state } = await standing()
      if (end.end === 'done') continue
      expect([at, end.end, holder, state]).toEqual([at, 'interrupted', undefined, 'running'])
      if (at % 3 === 2) {
        await abort()
        await scene.observer.caughtUp()
        expect((await standing()).state).toBe('aborted')
        expect(scene.observer.overrides()).toEqual([])
        continue
      }
      if (at % 3 === 1) {
        expect(await steer('pause')).toMatchObject({ changed: true })
        expect((await inOneProcess({}))[0].end).not.toBe('done')
        expect(await steer('resume')).toMatchObject({ changed: true })
      }
      expect([at, (await inOneProcess({}))[0].end]).toEqual([at, 'done'])
      await scene.observer.caughtUp()
      const touched = [seen.felix, seen.pods].map((its) => its.map(({ node }) => node).toSorted())
      expect([at, ...touched]).toEqual([at, scene.nodes, scene.nodes])
    }
  }, 240_000)

  test('of a halt that puts a former value back: sync finishes that, and the ill node has it again', async () => {
    const given = { strategy: 'direct' } as const
    const ill = scene.nodes[1] ?? ''
    await scene.set('range')
    const felix = await failFelixWith(scene, ill, target)
    let rescued = 0
    for (const at of await effectsOfAll(given)) {
      await scene.set('range')
      const [end] = await inOneProcess(given, at)
      const { holder, state } = await standing()
      expect([at, holder]).toEqual([at, undefined])
      // After the write to `default` the nodes are watched, whatever the strategy of the process that continues.
      const next = (await defaultRange()) === target ? {} : given
      if (end.end === 'interrupted') expect([at, (await inOneProcess(next))[0].end]).toEqual([at, 'halted'])
      else expect([at, state]).toEqual([at, 'halted'])
      rescued += 1
      await scene.observer.caughtUp()
      expect([at, ...scene.nodes.map(scene.observer.rangeOn)]).toEqual([at, target, undefined, target])
    }
    expect(rescued).toBeGreaterThan(3)
    await scene.set('range')
    await felix.stop()
  }, 240_000)
})
