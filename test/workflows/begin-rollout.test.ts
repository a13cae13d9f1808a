import { expect, test } from '@jest/globals'
import { assess } from '../../shared/domain/assess/assess.ts'
import { defaultPolicy } from '../../shared/domain/policy/policy.ts'
import { failed, read, valueOf } from '../../shared/domain/read.ts'
import { paceOf } from '../../shared/domain/rollout/pace.ts'
import { soundRollout } from '../../shared/domain/rollout/parse.ts'
import type { Rollout } from '../../shared/domain/rollout/rollout.ts'
import { beginRollout } from '../../shared/workflows/rollout/begin.ts'
import { takeStep } from '../../shared/workflows/rollout/step.ts'
import { cluster } from '../domain/ingredients.ts'
import { healthy } from '../domain/states.ts'
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

test('a message to begin that comes twice decides once: the step that follows the first is still ours', async () => {
  const world = worldOf(['n1'])
  const { decided: _none, ...tools } = world.tools
  const first = await beginRollout(tools, lookAt(world), defaultPolicy)
  const written = world.lease
  world.clock += 2_000
  const second = await beginRollout(tools, lookAt(world), defaultPolicy)
  if (!first.begun || !second.begun) throw new Error('it did not begin')
  expect(second.decided).toBe(first.decided)
  expect(world.lease).toEqual(written)
})

test('a Lease that says anything else than a fresh look is decided anew, though it bears our name', async () => {
  const world = worldOf(['n1'])
  const { decided: _none, ...tools } = world.tools
  const first = await beginRollout(tools, lookAt(world), defaultPolicy)
  const annotations = { ...world.lease?.annotations, 'calico-ipvs-sync/restart': 'coredns-1 coredns-2' }
  world.lease = { ...world.lease!, annotations }
  const second = await beginRollout(tools, lookAt(world), defaultPolicy)
  if (!first.begun || !second.begun) throw new Error('it did not begin')
  expect(second.rollout.restart).toEqual([])
  expect(soundRollout(world.lease, Infinity)?.restart).toEqual([])
})

const slower = { pace: { ...paceOf(defaultPolicy), settleSeconds: 77 } }

test.each<[string, string, Partial<Rollout>, string[] | undefined, number?]>([
  ['the same process keeps since when a node has not been well', 'test', {}, ['n1']],
  ['another process forgets it: nobody looked at the node since the first one stopped', 'another', {}, undefined],
  ['with another target it is forgotten', 'test', { target: '21000:22000' }, undefined],
  ['where nobody looked for an hour it is forgotten', 'test', {}, undefined, 3_600],
  ['it is kept at another pace', 'test', { ...slower, restart: [] }, ['n1']],
  [
    'at another pace where nobody looked for an hour it is forgotten',
    'test',
    { ...slower, restart: [] },
    undefined,
    3_600,
  ],
])('begun again with another decision, %s', async (_, ...given) => {
  const [holder, over, kept, seconds = 61] = given
  const world = worldOf(['n1'])
  const { decided: _none, ...tools } = world.tools
  const first = await beginRollout(tools, lookAt(world), defaultPolicy)
  if (!first.begun) throw new Error('it did not begin')
  startRollout(world, {
    ...first.rollout,
    restart: ['coredns-1'],
    unwell: [{ node: 'n1', since: world.iso() }],
    ...over,
  })
  world.clock += seconds * 1_000
  expect(await beginRollout({ ...tools, holder }, lookAt(world), defaultPolicy)).toMatchObject({ begun: true })
  const rollout = soundRollout(world.lease, Infinity)
  expect(rollout).toMatchObject({ target: first.rollout.target, restart: [] })
  expect(rollout?.unwell?.map(({ node }) => node)).toEqual(kept)
})

test('another process waits no more than the one before for a node that a resume left out', async () => {
  const world = worldOf(['n1'])
  const { decided: _none, ...tools } = world.tools
  const first = await beginRollout(tools, lookAt(world), defaultPolicy)
  if (!first.begun) throw new Error('it did not begin')
  startRollout(world, { ...first.rollout, restart: ['coredns-1'], apart: ['n2'] })
  world.clock += 61_000
  await beginRollout({ ...tools, holder: 'another' }, lookAt(world), defaultPolicy)
  expect(soundRollout(world.lease, Infinity)).toMatchObject({ restart: [], apart: ['n2'] })
})

test('no rollout begins while somebody else holds the Lease, though its record was removed', async () => {
  const world = worldOf(['n1'])
  startRollout(world, { target: '21000:22000' })
  world.lease = { ...world.lease!, annotations: {} }
  const other = { ...world.tools, holder: 'another' }
  const began = () => beginRollout(other, lookAt(world), defaultPolicy)
  expect(await began()).toMatchObject({
    begun: false,
    reason: 'busy',
    why: expect.stringContaining('test holds Lease'),
  })
  expect(world.lease.annotations).toEqual({})
  world.lease = { ...world.lease, leaseSeconds: 2_147_483_647 }
  expect(await began()).toMatchObject({ reason: 'blocked', blockedBy: ['ROLLOUT_STATE_INVALID'] })
  world.lease = { ...world.lease, leaseSeconds: 60 }
  world.clock += 61_000
  expect(await began()).toMatchObject({ begun: true })
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

test('what changed while it began is read again, and a rollout that another began in that moment is named', async () => {
  const world = worldOf(['n1'])
  const { putLease } = world.tools.kube
  const after =
    (change: () => void): typeof putLease =>
    (it) => {
      change()
      return putLease(it)
    }
  const created = () => void (world.lease = { resourceVersion: '7', annotations: {} })
  const meanwhile = { ...world.tools, kube: { ...world.tools.kube, putLease: after(created) } }
  await expect(beginRollout(meanwhile, lookAt(world), defaultPolicy)).rejects.toThrow('has been modified')

  world.lease = undefined
  const look = lookAt(world)
  const begun = () => {
    startRollout(world, { target: '21000:22000' })
    world.lease = { ...world.lease!, holder: 'alice' }
  }
  const lost = { ...world.tools, kube: { ...world.tools.kube, putLease: after(begun) } }
  world.lease = { resourceVersion: '6', annotations: {} }
  expect(await beginRollout(lost, look, defaultPolicy)).toMatchObject({
    begun: false,
    reason: 'busy',
    why: 'another rollout (range 21000:22000) began in this cluster at the same time, by alice',
  })
})

test('the first node is not one that answers webhooks for our writes; it is asked for only where something begins', async () => {
  const world = worldOf(['n1'])
  const { state, assessment } = lookAt(world)
  const [first = '', second = ''] = (valueOf(state.nodes) ?? []).map(({ name }) => name)
  const everything = { groups: ['*'], operations: ['*'], resources: ['*'], scope: '*' }
  let asked = 0
  const kube: typeof world.tools.kube = {
    ...world.tools.kube,
    webhooks: async () => {
      asked += 1
      return read([{ service: { namespace: 'guards', name: 'guard' }, rules: [everything] }])
    },
    servingNodes: async () => read([first, 'somewhere-else']),
  }
  const still = healthy()
  await beginRollout(
    { ...world.tools, kube },
    { state: still, assessment: assess(still, defaultPolicy) },
    defaultPolicy,
  )
  expect(asked).toBe(0)
  const begun = await beginRollout({ ...world.tools, kube }, { state, assessment }, defaultPolicy)
  expect(begun).toMatchObject({ begun: true, rollout: { canary: second, last: [first] } })
  expect(soundRollout(world.lease, Infinity)?.last).toEqual([first])
  expect(asked).toBe(1)
})

test('that webhooks may not be read keeps nothing from beginning', async () => {
  const world = worldOf(['n1'])
  const denied = async () => failed<never>({ kind: 'denied', object: 'WebhookConfigurations', message: '403' })
  const kube = { ...world.tools.kube, webhooks: denied, servingNodes: denied }
  const begun = await beginRollout({ ...world.tools, kube }, lookAt(world), defaultPolicy)
  expect(begun).toMatchObject({ begun: true, rollout: { canary: valueOf(lookAt(world).state.nodes)?.[0]?.name } })
  expect(begun).not.toHaveProperty('rollout.last')
})

test('its own rollout takes the new target', async () => {
  const world = worldOf(['n1'])
  startRollout(world, { target: '21000:22000' })
  const beginning = await beginRollout(world.tools, lookAt(world), defaultPolicy)
  expect(beginning).toMatchObject({ begun: true, rollout: { target: '20000:22767' } })
  expect(valueOf(lookAt(world).state.rollout)?.annotations['calico-ipvs-sync/target']).toBe('20000:22767')
})

test('the Lease says whether the spec may be written and how the range was known; each write says the latter too', async () => {
  const knownOf = async (given: string) => {
    const world = worldOf(['node-0001', 'node-0002', 'node-0003'])
    const state = cluster(given)
    const look = { state, assessment: assess(state, defaultPolicy) }
    const begun = await beginRollout(world.tools, look, defaultPolicy)
    const rollout = soundRollout(world.lease, Infinity)
    await takeStep({ ...world.tools, decided: begun.begun ? begun.decided : undefined })
    const change = [...world.objects.values()].flatMap(
      ({ annotations }) => annotations['calico-ipvs-sync/change'] ?? [],
    )
    const marks = change.map((it) => (JSON.parse(it) as { known?: string }).known)
    const { spec, known, given: range } = rollout?.where ?? {}
    return { begun: begun.begun, spec, known, given: range, marks }
  }
  expect(await knownOf('eks range 20000-22767')).toEqual({
    begun: true,
    spec: true,
    known: 'eks-api',
    marks: ['eks-api'],
  })
  expect(await knownOf('no eks, given range 20000-22767, calico v3.24.5')).toEqual({
    begun: true,
    known: 'flag',
    given: { min: 20000, max: 22767 },
    marks: ['flag'],
  })
  expect(await knownOf('no eks, annotation 20000:22767')).toMatchObject({ begun: false, marks: [] })
})

test('a running rollout of a proven range is not taken up by a look that only assumes one', async () => {
  const world = worldOf(['node-0001'])
  startRollout(world, { target: '20000:22767' })
  const state = { ...cluster('no eks'), rollout: read(world.lease) }
  const begun = await beginRollout(world.tools, { state, assessment: assess(state, defaultPolicy) }, defaultPolicy)
  expect(begun).toMatchObject({ begun: false, blockedBy: ['RANGE_ASSUMED'] })
  expect(soundRollout(world.lease, Infinity)).toMatchObject({ state: 'running', target: '20000:22767' })
})
