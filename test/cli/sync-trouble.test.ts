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

/** A `sync` in the middle of its rollout: what it sees later, look by look; the last is so from then on. */
const midway = async (options: Partial<SyncOptions>, ...later: ClusterState[]) => {
  const world = worldOf(['node-0001', 'node-0002', 'node-0003'])
  const here = (state: ClusterState): ClusterState => ({
    ...state,
    observedAt: new Date().toISOString(),
    rollout: read(world.lease),
  })
  const target = {
    name: 'prod',
    place: { cluster: { name: 'prod' } },
    observe: async () => here((later.length > 1 ? later.shift() : later[0]) ?? cluster(agreed)),
    kube: world.tools.kube,
    close: () => undefined,
  }
  const quick = { ...policy, canarySeconds: 0, settleSeconds: 0 }
  const looked = await assessTarget({ ...target, observe: async () => here(cluster(agreed)) }, quick, true)
  const telling = { live: false, doing: () => undefined, done: () => undefined, clear: () => undefined }
  const run = { target, kube: target.kube, looked, plan: looked.plan(), policy: quick, telling }
  const ended = await Promise.allSettled([rollOut({ ...run, options: { output: 'text', yes: true, ...options } })])
  return { world, ended: ended[0], names: [...world.objects.keys()] }
}

test('what forbids it in the middle stops it, with the reason and the next command, and frees the Lease', async () => {
  const { world, ended, names } = await midway({}, cluster(`${agreed}, owner argocd`))
  expect(ended).toMatchObject({ value: { status: 1, why: expect.stringContaining('(OWNED_BY_GITOPS)\nNext: ') } })
  expect(ended).toMatchObject({ value: { why: expect.stringMatching(/sync .*# continues where it stopped$/) } })
  expect(names).toHaveLength(4)
  expect(world.objects.get('default')?.annotations).toEqual({})
  expect(world.lease?.holder).toBeUndefined()
})

test('where a plan was agreed to, another range that is wanted in the middle is not written', async () => {
  const { world, ended } = await midway({ plan: 'plan.json' }, cluster('eks range 20000-23000'))
  expect(ended).toMatchObject({
    reason: { message: expect.stringContaining('(20000:22767 then, 20000:23000 now); no further node was changed') },
  })
  expect(world.objects.get('default')?.annotations).toEqual({})
  expect(world.lease?.holder).toBeUndefined()
})
