import { expect, test } from '@jest/globals'
import type { FelixObject } from '../../shared/domain/cluster.ts'
import { fieldManager } from '../../shared/domain/rollout/annotations.ts'
import { takeStep } from '../../shared/workflows/rollout/step.ts'
import { startRollout, worldOf } from './world.ts'

/**
 * Two terminals whose clocks differ by a minute, one after the other: the first is interrupted right after a write, the second
 * takes over. The node that was just touched must settle all the same, by the API server's clock.
 */
test.each([-60, -20, 0, 60])(
  'a writer whose clock is %i s off leaves its node in flight to the next one',
  async (off) => {
    const world = worldOf(['n0', 'n1', 'n2'])
    startRollout(world, { target: '20000:32767' })
    // As the API server notes it.
    const { createFelix } = world.tools.kube
    const kube: typeof world.tools.kube = {
      ...world.tools.kube,
      createFelix: async (api, draft, options) => {
        const made = await createFelix(api, draft, options)
        const time = new Date(Math.floor(world.clock / 1000) * 1000).toISOString()
        const object: FelixObject = {
          ...made,
          managedFields: [{ manager: fieldManager, operation: 'Update', time, fields: {} }],
        }
        if (!options?.dryRun) world.objects.set(object.name, object)
        return object
      },
    }
    const first = { ...world.tools, kube, holder: 'first', now: () => new Date(world.clock + off * 1000) }
    const second = { ...world.tools, kube, holder: 'second' }
    const giveUp = async () => {
      const { resourceVersion = '' } = world.lease ?? {}
      await kube.putLease({ resourceVersion, holder: null })
    }
    await giveUp()
    expect(await takeStep(first)).toMatchObject({ next: 'now' })
    await giveUp()
    // The first node stays well for 30 s.
    expect(world.felixRestarts).toHaveLength(1)
    for (let seconds = 0; seconds < 28; seconds += 7) {
      expect(await takeStep(second)).toMatchObject({ next: 'wait' })
      world.clock += 7_000
    }
    expect(world.felixRestarts).toHaveLength(1)
    for (let step = 0; step < 60 && world.felixRestarts.length < 2; step += 1) {
      await takeStep(second)
      world.clock += 5_000
    }
    expect(world.felixRestarts).toHaveLength(2)
  },
)
