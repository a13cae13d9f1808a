import { expect, test } from '@jest/globals'
import { read } from '../../shared/domain/read.ts'
import { takeStep } from '../../shared/workflows/rollout/step.ts'
import type { Outcome } from '../../shared/workflows/rollout/tools.ts'
import { calicoSet, startRollout, type World, worldOf } from './world.ts'

type Kube = World['tools']['kube']

const unseen: [string, Partial<Kube>][] = [
  ['no pod of the calico-node DaemonSet is listed', { pods: async () => read([]) }],
  ['there is not exactly one calico-node DaemonSet', { daemonSets: async () => read([]) }],
  ['there is not exactly one calico-node DaemonSet', { daemonSets: async () => read([calicoSet, calicoSet]) }],
  [
    'its controller has not yet seen the calico-node DaemonSet as it is now',
    { daemonSets: async () => read([{ ...calicoSet, generation: 2 }]) },
  ],
]

test.each(unseen)('is waited for ever longer, and the tenth time in a row it is an error: %s', async (why, hiding) => {
  const world = worldOf(['n0', 'n1'])
  startRollout(world, { target: '20000:32767' })
  const hidden = { ...world.tools, kube: { ...world.tools.kube, ...hiding } }
  const waits: number[] = []
  let outdated: number | undefined
  while (waits.length < 9) {
    const outcome = await takeStep(hidden, outdated)
    expect(outcome).toMatchObject({ next: 'wait', why, outdated: waits.length + 1 })
    const { seconds, ...wait } = outcome as Extract<Outcome, { next: 'wait' }>
    outdated = wait.outdated
    waits.push(seconds)
  }
  expect(waits).toEqual(waits.toSorted((a, b) => a - b))
  // An operator that makes its DaemonSet again needs minutes.
  expect(waits.reduce((sum, seconds) => sum + seconds)).toBeGreaterThan(300)
  await expect(takeStep(hidden, outdated)).rejects.toThrow(why)
  expect([...world.objects.keys()]).toEqual(['default'])
})
