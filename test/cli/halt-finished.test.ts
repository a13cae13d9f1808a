import { expect, test } from '@jest/globals'
import { finishHalt, haltLeft } from '../../cli/rollout/step-tools.ts'
import { haltFinished } from '../../cli/sync/halt-finished.ts'
import type { KubeClient } from '../../shared/clients/kube/client.ts'
import { assessTarget } from '../../cli/target/target.ts'
import { defaultPolicy as policy } from '../../shared/domain/policy/policy.ts'
import { read, valueOf } from '../../shared/domain/read.ts'
import { soundRollout } from '../../shared/domain/rollout/parse.ts'
import { takeStep } from '../../shared/workflows/rollout/step.ts'
import { outdatedAfter, pauseFor } from '../../shared/workflows/rollout/tools.ts'
import { cluster } from '../domain/ingredients.ts'
import { startRollout, worldOf } from '../workflows/world.ts'

const telling = { live: false, doing: () => undefined, done: () => undefined, clear: () => undefined }

/** A rollout that was killed after it halted on n1, and before it removed its override there. */
const cutShort = async () => {
  const world = worldOf(['n1', 'n2'])
  world.clock = Date.now() - 600_000
  world.broken.add('n1')
  startRollout(world, { target: '20000:22767', canary: 'n1' })
  await takeStep(world.tools)
  const { holder: _, ...lease } = world.lease ?? { resourceVersion: '1', annotations: {} }
  const annotations = { ...lease.annotations, 'calico-ipvs-sync/state': 'halted', 'calico-ipvs-sync/rollback': 'n1' }
  world.lease = { ...lease, annotations }
  const target = {
    name: 'prod',
    place: { cluster: { name: 'prod' } },
    // In step, so that no plan says that anything is to be done.
    observe: async () => ({
      ...cluster('eks range 30000-32767'),
      observedAt: new Date().toISOString(),
      rollout: read(world.lease),
    }),
    kube: world.tools.kube,
    close: () => undefined,
  }
  return { world, target, looked: await assessTarget(target, policy, true) }
}

const again = 'calico-ipvs-sync sync --context prod'

test('Ctrl-C ends it after the write under way, and the Lease is free', async () => {
  const { world } = await cutShort()
  world.lease = {
    ...world.lease!,
    annotations: { ...world.lease!.annotations, 'calico-ipvs-sync/rollback': 'n1 n2' },
  }
  const { deleteFelix } = world.tools.kube
  const kube: KubeClient = {
    ...world.tools.kube,
    deleteFelix: async (...it) => {
      const deleted = await deleteFelix(...it)
      process.emit('SIGINT', 'SIGINT')
      return deleted
    },
  }
  const listeners = process.listenerCount('SIGINT')
  await expect(finishHalt(kube, { telling, again })).rejects.toMatchObject({
    next: expect.stringContaining(again),
  })
  expect(process.listenerCount('SIGINT')).toBe(listeners)
  const { holder, annotations } = world.lease
  expect([world.objects.has('node.n1'), holder, annotations['calico-ipvs-sync/rollback']]).toEqual([
    false,
    undefined,
    'n2',
  ])
})

test('where another process holds the Lease, it is waited for a while, and then said what is left and how to go on', async () => {
  const { world, target } = await cutShort()
  world.lease = { ...world.lease!, holder: 'another', renewedAt: new Date().toISOString(), leaseSeconds: 900 }
  const pauses: number[] = []
  const sleep = async (seconds: number) => void pauses.push(seconds)
  const interruption = { came: () => false, sleep, forget: () => undefined }
  const waited = await finishHalt(target.kube, { telling, again, interruption })
  expect([waited, pauses.length]).toEqual(['the rollout is being applied by another', 8])
  const rollout = soundRollout(world.lease, Date.now())
  expect(haltLeft(rollout, waited ?? '')).toBe(
    "waited long enough (the rollout is being applied by another). Not all that the halt has to undo is undone: our override on n1 is removed by sync, or by the deployment's next message.",
  )
  expect(haltLeft({ ...rollout!, state: 'done' }, '')).toBeUndefined()
})

test('a server that throttles is asked when it said; any other wait is short enough to renew the Lease', () => {
  const wait = { next: 'wait', seconds: 40, why: '' } as const
  expect(pauseFor(wait, 60)).toBe(10)
  expect(pauseFor({ ...wait, seconds: 2 }, 60)).toBe(2)
  const throttled = { ...wait, outdated: 3, throttled: true } as const
  expect(pauseFor(throttled, 60)).toBe(40)
  expect(pauseFor({ ...throttled, seconds: 3_600 }, 60)).toBe(300)
  expect(outdatedAfter({ ...throttled, seconds: 3_600 }, 60)).toBe(3)
})

test.each([
  ['who agrees', {}, true, true],
  ['who does not', {}, false, false],
  ['who is not asked, for --yes', { yes: true }, false, true],
  ['who only wants to look', { dryRun: true }, true, false],
])('what a halt has still to undo is undone for a person %s', async (_, options, agrees, isUndone) => {
  const { world, target, looked } = await cutShort()
  expect(looked.plan()).toMatchObject({ changes: [], blockedBy: [] })
  expect([...world.objects.keys()]).toContain('node.n1')
  const after = await haltFinished(
    looked,
    { target, policy, options: { output: 'text', ...options }, telling },
    async () => agrees,
  )
  expect(world.objects.has('node.n1')).toBe(!isUndone)
  expect(valueOf(after.state.rollout)?.annotations['calico-ipvs-sync/rollback']).toBe(isUndone ? undefined : 'n1')
})
