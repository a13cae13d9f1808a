import { describe, expect, test } from '@jest/globals'
import { parseJournal } from '../../shared/domain/rollout/journal.ts'
import { soundRollout } from '../../shared/domain/rollout/parse.ts'
import { KubeError } from '../../shared/errors.ts'
import { control } from '../../shared/workflows/rollout/control.ts'
import { takeStep } from '../../shared/workflows/rollout/step.ts'
import type { Outcome } from '../../shared/workflows/rollout/tools.ts'
import { calicoPod, startRollout, worldOf, type World } from './world.ts'

/** A server that fails a write, as it does where a webhook of somebody's cannot be reached: what is not there was not written. */
const target = '20000:32767'
const failures = {
  'answers 500': () =>
    new KubeError('unavailable', 'failed calling webhook: context deadline exceeded', { status: 500 }),
  'hangs up': () => new KubeError('unreachable', 'The server hung up.'),
}

/** The messages are retried. */
const finish = async (world: World): Promise<Outcome> => {
  for (let left = 200; left > 0; left -= 1) {
    const outcome = await takeStep(world.tools).catch((): Outcome => ({ next: 'now' }))
    if (outcome.next === 'over') return outcome
    world.clock += outcome.next === 'wait' ? outcome.seconds * 1000 : 360_000
    world.pods = world.pods.map((pod) => pod)
  }
  throw new Error('it does not come to an end')
}

const failing = (world: World, name: string, times: number, error: () => KubeError): void => {
  const { createFelix, patchFelix } = world.tools.kube
  let left = times
  const or = <T>(written: string, write: () => Promise<T>): Promise<T> => {
    if (written !== name || left === 0) return write()
    left -= 1
    return Promise.reject(error())
  }
  const kube: World['tools']['kube'] = {
    ...world.tools.kube,
    createFelix: (api, draft, options) => or(draft.name, () => createFelix(api, draft, options)),
    patchFelix: (api, patch, options) => or(patch.name, () => patchFelix(api, patch, options)),
  }
  world.tools = { ...world.tools, kube }
}

test.each(
  Object.entries(failures).flatMap(([how, error]) => ['node.n1', 'default'].map((name) => [how, name, error] as const)),
)('a server that %s five times when %s is written: nobody is said to have taken it back', async (_, name, error) => {
  const world = worldOf(['n0', 'n1'])
  startRollout(world, { target })
  failing(world, name, 5, error)
  expect(await finish(world)).toMatchObject({ state: 'done' })
  const rollout = soundRollout(world.lease, Infinity)
  expect(rollout?.reverted).toBeUndefined()
  const { entries } = parseJournal(world.lease?.annotations['calico-ipvs-sync/journal'])
  expect(entries.filter(({ object }) => object.endsWith(`/${name}`)).map(({ what }) => what)).toEqual([
    name === 'default' ? 'promote' : 'override',
  ])
})

test('a write whose answer was lost is there, and is not made again', async () => {
  const world = worldOf(['n0', 'n1'])
  startRollout(world, { target })
  const { createFelix } = world.tools.kube
  let lost = 0
  const kube: World['tools']['kube'] = {
    ...world.tools.kube,
    createFelix: async (api, draft, options) => {
      const made = await createFelix(api, draft, options)
      if (options?.dryRun) return made
      lost += 1
      throw failures['hangs up']()
    },
  }
  world.tools = { ...world.tools, kube }
  expect(await finish(world)).toMatchObject({ state: 'done' })
  expect(lost).toBe(2)
  expect(world.felixRestarts).toHaveLength(2)
})

describe('a renewal of the Lease whose answer was lost', () => {
  const later = (world: World) => void (world.clock += 50_000)
  /** Past its deadline, so that the step would write a halt. */
  const unwell = (world: World) => {
    const since = world.iso()
    world.pods = world.pods.map((pod) =>
      pod.node === 'n0' ? calicoPod('n0', { ready: false, readySince: since }) : pod,
    )
    world.clock += 130_000
    startRollout(world, { target, unwell: [{ node: 'n0', since }] })
  }
  const halted = (world: World) => {
    const evidence = {
      node: 'n0',
      reason: 'it is not Ready',
      at: world.iso(),
      wrote: { object: 'FelixConfiguration/node.n0', value: target },
    }
    startRollout(world, { target, state: 'halted', reason: 'it is not Ready', rollback: ['n0', 'n1'], evidence })
    later(world)
  }
  const renewals = {
    'of a step that is about to write': later,
    'while a node is not well': unwell,
    'of a halt': halted,
  }

  /** In that moment: before the step asks what stands there. */
  const losing = (world: World, then: () => Promise<unknown> = () => Promise.resolve()) => {
    const { kube } = world.tools
    let renewed = 0
    const putLease: typeof kube.putLease = async (change) => {
      const put = await kube.putLease(change)
      if (change.annotations) return put
      renewed += 1
      await then()
      throw failures['hangs up']()
    }
    world.tools = { ...world.tools, kube: { ...kube, putLease } }
    return () => renewed
  }

  const begun = async (settle: (world: World) => void) => {
    const world = worldOf(['n0', 'n1', 'n2'])
    startRollout(world, { target })
    await takeStep(world.tools)
    settle(world)
    return world
  }

  test.each(
    Object.entries(renewals).flatMap(([which, settle]) => [
      [which, 'abort', 'aborting', settle] as const,
      ...(settle === halted ? [] : [[which, 'pause', 'paused', settle] as const]),
    ]),
  )(
    '%s, when somebody stops it (%s) just then: that stands, and no node is touched',
    async (_, what, state, settle) => {
      const world = await begun(settle)
      const { kube } = world.tools
      const renewed = losing(world, () => control(kube, what))
      const before = [...world.objects]
      await expect(takeStep(world.tools)).rejects.toThrow('The server hung up.')
      expect([renewed(), soundRollout(world.lease, Infinity)?.state, [...world.objects]]).toEqual([1, state, before])
    },
  )

  test.each(Object.entries(renewals))('%s, was made, and the step goes on', async (_, settle) => {
    const world = await begun(settle)
    const renewed = losing(world)
    expect(await takeStep(world.tools)).toMatchObject({ next: expect.stringMatching(/now|wait/) })
    expect(renewed()).toBe(1)
  })
})
