import { describe, expect, test } from '@jest/globals'
import { refusal } from '../../shared/clients/kube/refusal.ts'
import { assess } from '../../shared/domain/assess/assess.ts'
import type { ClusterState } from '../../shared/domain/cluster.ts'
import { defaultPolicy } from '../../shared/domain/policy/policy.ts'
import { read } from '../../shared/domain/read.ts'
import { KubeError } from '../../shared/errors.ts'
import { control } from '../../shared/workflows/rollout/control.ts'
import { release } from '../../shared/workflows/rollout/lease.ts'
import { takeStep } from '../../shared/workflows/rollout/step.ts'
import { sync } from '../../shared/workflows/rollout/sync.ts'
import type { Outcome } from '../../shared/workflows/rollout/tools.ts'
import { cluster } from '../domain/ingredients.ts'
import { startRollout, worldOf, type World } from './world.ts'

const target = '20000:32767'
const reasons = {
  conflict: () => new KubeError('conflict', '409: the object has been modified', { status: 409 }),
  'not-found': () => new KubeError('not-found', '404: not found', { status: 404 }),
}

describe('a webhook that denies a write', () => {
  const denied = 'admission webhook "guard.example.com" denied the request: ask platform'

  test.each([400, 401, 404, 409, 429, 500, 503])('with status %i is a denial, in its own words', (status) => {
    const error = refusal({ status, text: JSON.stringify({ kind: 'Status', message: denied }) })
    expect(error).toMatchObject({ kind: 'denied', status, message: `${status}: ${denied}` })
  })

  test('with a long name as well, of which a part is shown', () => {
    const message = denied.replace('guard', 'g'.repeat(230))
    expect(refusal({ status: 409, text: JSON.stringify({ message }) })).toMatchObject({ kind: 'denied' })
  })

  test('is not one that only is named by an answer of the server', () => {
    const message = 'Operation cannot be fulfilled on leases "admission webhook": the object has been modified'
    expect(refusal({ status: 409, text: JSON.stringify({ message }) })).toMatchObject({ kind: 'conflict' })
  })
})

/** Writes that are no dry run are refused, without end. */
const refusing = (world: World, error: () => KubeError): World['tools']['kube'] => {
  const { kube } = world.tools
  return {
    ...kube,
    apis: async () => read(['projectcalico.org/v3']),
    createFelix: (api, draft, options) =>
      options?.dryRun ? kube.createFelix(api, draft, options) : Promise.reject(error()),
  }
}

test('a server that throttles without end is waited for ever longer, and told at the tenth time in a row', async () => {
  const world = worldOf(['n0'])
  startRollout(world, { target })
  const why = '429: too many requests'
  let asked: number | undefined = 12
  const kube = refusing(world, () => new KubeError('unavailable', why, { status: 429, retryAfterSeconds: asked }))
  const waits: number[] = []
  let outdated: number | undefined
  for (let tries = 1; tries < 10; tries += 1) {
    const outcome = await takeStep({ ...world.tools, kube }, outdated)
    expect(outcome).toMatchObject({ next: 'wait', why, outdated: tries })
    const { seconds, ...wait } = outcome as Extract<Outcome, { next: 'wait' }>
    outdated = wait.outdated
    waits.push(seconds)
    asked = undefined
  }
  expect(waits).toEqual([12, 5, 5, 8, 16, 32, 64, 128, 256])
  await expect(takeStep({ ...world.tools, kube }, outdated)).rejects.toThrow(why)
  expect(world.lease?.annotations).not.toHaveProperty('calico-ipvs-sync/written')
})

describe.each(Object.entries(reasons))('what is refused without end as if it had changed (%s)', (_, error) => {
  test('is a step that is told at the tenth time in a row, with the words of the server', async () => {
    const world = worldOf(['n0'])
    startRollout(world, { target })
    const kube = refusing(world, error)
    let outdated: number | undefined
    for (let tries = 1; tries < 10; tries += 1) {
      const outcome = await takeStep({ ...world.tools, kube }, outdated)
      expect(outcome).toEqual({ next: 'wait', seconds: 1, why: error().message, outdated: tries })
      outdated = (outcome as Extract<Outcome, { next: 'wait' }>).outdated
    }
    await expect(takeStep({ ...world.tools, kube }, outdated)).rejects.toThrow(error().message)
    expect(world.lease?.annotations).not.toHaveProperty('calico-ipvs-sync/written')
  })

  test.each(['pause', 'abort'] as const)('is told by %s', async (act) => {
    const world = worldOf(['n0'])
    startRollout(world, { target })
    const kube = { ...world.tools.kube, putLease: () => Promise.reject(error()) }
    await expect(control(kube, act)).rejects.toThrow(error().message)
    await expect(release({ ...world.tools, kube })).rejects.toThrow(error().message)
    expect(world.calls).toBeLessThan(25)
  })

  const nodes = ['node-0001', 'node-0002', 'node-0003']
  const synced = (world: World, kube: World['tools']['kube']) => {
    let looks = 0
    const state = (): ClusterState => ({ ...cluster('eks range 20000-32767'), rollout: read(world.lease) })
    const tools = {
      ...world.tools,
      kube,
      look: async () => {
        // Later ones follow waits.
        if (world.felixRestarts.length === 0) looks += 1
        return { state: state(), assessment: assess(state(), defaultPolicy) }
      },
      sleep: async (seconds: number) => void (world.clock += seconds * 1000),
      waiting: () => undefined,
      interrupted: () => false,
    }
    return { end: sync(tools, defaultPolicy), looks: () => looks }
  }

  test('ends `sync`, while it begins and in the middle', async () => {
    for (const isBeginning of [true, false]) {
      const world = worldOf(nodes)
      world.clock = Date.parse(cluster('eks range 20000-32767').observedAt)
      const kube = isBeginning
        ? { ...world.tools.kube, createFelix: () => Promise.reject(error()) }
        : refusing(world, error)
      const { end, looks } = synced(world, kube)
      await expect(end).rejects.toThrow(error().message)
      expect(looks()).toBe(isBeginning ? 10 : 1)
    }
  })

  test('while `sync` begins, once: it looks again, and begins', async () => {
    const world = worldOf(nodes)
    world.clock = Date.parse(cluster('eks range 20000-32767').observedAt)
    const { createFelix } = world.tools.kube
    let refusals = 1
    const kube: World['tools']['kube'] = {
      ...world.tools.kube,
      createFelix: (...write) => (refusals-- > 0 ? Promise.reject(error()) : createFelix(...write)),
    }
    const { end, looks } = synced(world, kube)
    expect(await end).toMatchObject({ end: 'done' })
    expect(looks()).toBe(2)
  })
})
