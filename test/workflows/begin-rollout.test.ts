import { expect, test } from '@jest/globals'
import { assess } from '../../shared/domain/assess.ts'
import { defaultPolicy } from '../../shared/domain/policy.ts'
import { read, valueOf } from '../../shared/domain/read.ts'
import { beginRollout } from '../../shared/workflows/begin-rollout.ts'
import { cluster } from '../domain/ingredients.ts'
import { startRollout, worldOf } from './world.ts'

/** A look at a cluster whose range must change, with the world's Lease in it. */
const lookAt = (world: ReturnType<typeof worldOf>) => {
  const state = { ...cluster('eks range 20000-22767'), rollout: read(world.lease) }
  return { state, assessment: assess(state, defaultPolicy) }
}

test('a rollout begins once; begun again, it is the same one', async () => {
  const world = worldOf(['n1'])
  expect(await beginRollout(world.tools, lookAt(world), defaultPolicy)).toMatchObject({ begun: true })
  const begun = world.lease?.annotations['calico-ipvs-sync/rollout']
  expect(await beginRollout(world.tools, lookAt(world), defaultPolicy)).toMatchObject({
    begun: true,
    rollout: { id: begun },
  })
})

test('a rollout that somebody else is carrying out is not given another target', async () => {
  const world = worldOf(['n1'])
  startRollout(world, { target: '21000:22000' })
  const other = { ...world.tools, holder: 'another' }
  expect(await beginRollout(other, lookAt(world), defaultPolicy)).toMatchObject({
    begun: false,
    why: expect.stringContaining('test'),
  })
  expect(world.lease?.annotations['calico-ipvs-sync/target']).toBe('21000:22000')
})

test('its own rollout takes the new target', async () => {
  const world = worldOf(['n1'])
  startRollout(world, { target: '21000:22000' })
  const beginning = await beginRollout(world.tools, lookAt(world), defaultPolicy)
  expect(beginning).toMatchObject({ begun: true, rollout: { target: '20000:22767' } })
  expect(valueOf(lookAt(world).state.rollout)?.annotations['calico-ipvs-sync/target']).toBe('20000:22767')
})
