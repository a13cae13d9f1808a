import { expect, test } from '@jest/globals'
import type { SyncOptions } from '../../cli/options.ts'
import { rollOut } from '../../cli/sync/rollout.ts'
import { assessTarget, type Target } from '../../cli/target/target.ts'
import type { ClusterState } from '../../shared/domain/cluster.ts'
import { defaultPolicy as policy } from '../../shared/domain/policy/policy.ts'
import { failed, read } from '../../shared/domain/read.ts'
import { cluster } from '../domain/ingredients.ts'
import { worldOf } from '../workflows/world.ts'

/** A `sync` whose API server goes away in the moment of the first write, and comes back when it was asked twice more. */
const troubled = async (options: Partial<SyncOptions>, afterwards: string) => {
  const seen: ClusterState[] = [cluster(agreed), cluster('unreachable'), cluster(afterwards)]
  const { kube } = worldOf([]).tools
  const away = failed<never>({ kind: 'unreachable', object: 'API server', message: 'connect ECONNREFUSED' })
  let asked = 0
  const target: Target & { kube: typeof kube } = {
    name: 'prod',
    place: { cluster: { name: 'prod' } },
    observe: async () => seen.shift() ?? cluster(afterwards),
    // In the end the permission is missing, so that nothing begins here.
    kube: { ...kube, mayI: async () => ((asked += 1) <= 1 ? away : read(false)) },
    close: () => undefined,
  }
  const looked = await assessTarget(target, policy, true)
  const telling = { live: false, doing: () => undefined, done: () => undefined, clear: () => undefined }
  const run = { target, kube: target.kube, looked, plan: looked.plan(), policy, telling }
  return rollOut({ ...run, options: { output: 'text', yes: true, ...options } })
}

const agreed = 'eks range 20000-22767'

test('an API server that is away for longer than one try does not end it', async () => {
  expect(await troubled({}, agreed)).toMatchObject({ status: 1, why: expect.stringContaining('the cluster denies') })
})

test('a plan that was agreed to is not exchanged for another one in the meantime', async () => {
  const [changed, same] = await Promise.allSettled(
    ['eks range 20000-23000', agreed].map((afterwards) => troubled({ plan: 'plan.json' }, afterwards)),
  )
  expect(changed).toMatchObject({ reason: { message: expect.stringContaining('no node was changed') } })
  expect(same).toMatchObject({ value: { why: expect.stringContaining('the cluster denies') } })
})
