import { describe, expect, test } from '@jest/globals'
import { assess } from '../../shared/domain/assess/assess.ts'
import { defaultPolicy } from '../../shared/domain/policy/policy.ts'
import { failed, read, type ReadFailure, valueOf } from '../../shared/domain/read.ts'
import { rangeAnnotation } from '../../shared/domain/rollout/annotations.ts'
import { soundRollout } from '../../shared/domain/rollout/parse.ts'
import { silentSeconds } from '../../shared/workflows/fleet/next.ts'
import { control } from '../../shared/workflows/rollout/control.ts'
import { takeStep } from '../../shared/workflows/rollout/step.ts'
import { sync } from '../../shared/workflows/rollout/sync.ts'
import type { Outcome } from '../../shared/workflows/rollout/tools.ts'
import { cluster } from '../domain/ingredients.ts'
import { calicoSet, startRollout, where, type World, worldOf } from './world.ts'

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

const secondsSince = (world: World): number => (world.clock - Date.parse(world.lease?.renewedAt ?? '')) / 1000

test('meanwhile no other message of the deployment takes the rollout for one that nobody continues', async () => {
  const world = worldOf(['n0', 'n1'])
  startRollout(world, { target: '20000:32767' })
  world.lease = { ...world.lease!, leaseSeconds: 900 }
  world.clock += 299_000
  const kube = { ...world.tools.kube, pods: async () => read([]) }
  const hidden = { ...world.tools, kube, leaseSeconds: 900 }
  const silent: number[] = []
  for (let outdated = 0; outdated < 9; outdated += 1) {
    const { seconds } = (await takeStep(hidden, outdated)) as Extract<Outcome, { next: 'wait' }>
    world.clock += seconds * 1000
    silent.push(secondsSince(world))
  }
  expect(Math.max(...silent)).toBeLessThan(silentSeconds)
})

test('at a terminal it is waited for as long, and the Lease does not expire meanwhile', async () => {
  const given = cluster('eks range 20000-22767')
  const world = worldOf(['node-0001', 'node-0002', 'node-0003'], valueOf(given.felix)?.objects)
  world.clock = Date.parse(given.observedAt)
  const look = async () => {
    const state = { ...given, rollout: read(world.lease) }
    return { state, assessment: assess(state, defaultPolicy) }
  }
  const silent: number[] = []
  const sleep = async (seconds: number) => {
    world.clock += seconds * 1000
    silent.push(secondsSince(world))
  }
  const kube = { ...world.tools.kube, pods: async () => read([]) }
  const tools = { ...world.tools, kube, look, sleep, waiting: () => undefined, interrupted: () => false }
  const begunAt = world.clock
  await expect(sync(tools, defaultPolicy)).rejects.toThrow('no pod of the calico-node DaemonSet is listed')
  expect(Math.max(...silent)).toBeLessThan(tools.leaseSeconds)
  expect((world.clock - begunAt) / 1000).toBeGreaterThan(480)
})

describe('where Calico was removed', () => {
  const kubeProxy = { ...calicoSet, role: 'kube-proxy', name: 'kube-proxy', uid: 'proxy' } as const
  const gone: Partial<Kube> = { daemonSets: async () => read([kubeProxy]), pods: async () => read([]) }
  const target = '20000:32767'

  const aborting = async (): Promise<World> => {
    const world = worldOf(['n0', 'n1', 'n2'])
    startRollout(world, { target })
    for (; world.felixRestarts.length < 2; world.clock += 31_000) await takeStep(world.tools)
    await control(world.tools.kube, 'abort')
    expect(world.objects.size).toBe(3)
    return world
  }
  const steps = async (world: World, seen: Partial<Kube>): Promise<Outcome> => {
    const tools = { ...world.tools, kube: { ...world.tools.kube, ...seen } }
    for (;;) {
      const outcome = await takeStep(tools)
      if (outcome.next !== 'now') return outcome
    }
  }

  test('an abort removes its overrides without waiting, and ends', async () => {
    const world = await aborting()
    expect(await steps(world, gone)).toMatchObject({ next: 'over', state: 'aborted' })
    expect([...world.objects.keys()]).toEqual(['default'])
  })

  test('an abort waits for no node that it restarted', async () => {
    const world = worldOf(['n0', 'n1'])
    const touching = [{ node: 'n0', pod: 'calico-node-n0', at: new Date(world.clock - 600_000).toISOString() }]
    startRollout(world, { state: 'aborting', restart: ['calico-node-n0'], touching })
    expect(await steps(world, gone)).toMatchObject({ next: 'over', state: 'aborted' })
  })

  const unless = (failure: ReadFailure, ...namespaces: string[]): Partial<Kube> => ({
    ...gone,
    pods: async ({ namespace }) => (namespaces.includes(namespace) ? failed(failure) : read([])),
  })
  /** The Role is one of the namespace: there is none where Calico was installed by manifest, or the namespace was deleted. */
  const denied: ReadFailure = { kind: 'denied', object: 'Pods', message: '403', status: 403 }
  const unavailable: ReadFailure = { kind: 'unavailable', object: 'Pods', message: '503', status: 503 }

  test('an abort ends also where there is no namespace calico-system in which pods may be listed', async () => {
    const world = await aborting()
    expect(await steps(world, unless(denied, 'calico-system'))).toMatchObject({ next: 'over', state: 'aborted' })
    expect([...world.objects.keys()]).toEqual(['default'])
  })

  const noCrds: Partial<Kube> = {
    felixConfigurations: async () =>
      failed({ kind: 'unavailable', object: 'FelixConfigurations', message: '404', status: 404 }),
    apis: async () => read(['v1', 'apps/v1']),
  }
  const v3 = { api: 'projectcalico.org/v3' } as const

  test.each(['the stored objects', v3.api])(
    'an abort ends where its CRDs are gone as well, and says so: %s',
    async (api) => {
      const world = await aborting()
      if (api === v3.api) world.lease!.annotations['calico-ipvs-sync/where'] = JSON.stringify({ ...where, ...v3 })
      expect(await steps(world, { ...gone, ...noCrds })).toMatchObject({
        next: 'over',
        state: 'aborted',
        why: expect.stringContaining('no longer served'),
      })
      const ended = soundRollout(world.lease, world.clock)
      expect(ended).toMatchObject({ state: 'aborted', reason: expect.stringContaining('no longer served') })
      // It removed nothing, and does not say that it did.
      expect(ended?.journal?.entries.map(({ what }) => what)).not.toContain('remove')
    },
  )

  test('a rollout that nobody aborted does not end where its CRDs are gone', async () => {
    const world = worldOf(['n0', 'n1'])
    startRollout(world, { target })
    await expect(steps(world, noCrds)).rejects.toThrow('404')
    expect(soundRollout(world.lease, world.clock)).toMatchObject({ state: 'running' })
  })

  test('an abort does not end where the API is served and does not answer', async () => {
    const world = await aborting()
    const served = { ...gone, ...noCrds, apis: async () => read(['crd.projectcalico.org/v1']) }
    await expect(steps(world, served)).rejects.toThrow('404')
    expect(soundRollout(world.lease, world.clock)).toMatchObject({ state: 'aborting' })
  })

  const notGone: [string, Partial<Kube>][] = [
    ['pods of it are left', { daemonSets: gone.daemonSets! }],
    ['they may not be listed', unless(denied, 'kube-system', 'calico-system')],
    ['they may not be listed in kube-system', unless(denied, 'kube-system')],
    ['those of calico-system cannot be listed just now', unless(unavailable, 'calico-system')],
    ['no DaemonSet at all is listed', { ...gone, daemonSets: async () => read([]) }],
    ['it is there twice', { ...gone, daemonSets: async () => read([kubeProxy, calicoSet, calicoSet]) }],
  ]
  test.each(notGone)('but not where %s: then the abort waits', async (_, seen) => {
    const world = await aborting()
    const before = structuredClone(world.objects)
    expect(await steps(world, seen)).toMatchObject({ next: 'wait', outdated: 1 })
    expect(world.objects).toEqual(before)
  })
})

test('no other node is changed while the pod of a node is not listed whose override somebody has just changed', async () => {
  const world = worldOf(['n0', 'n1', 'n2'])
  startRollout(world, { target: '20000:32767', canary: 'n0' })
  while (world.felixRestarts.length < 2) {
    const outcome = await takeStep(world.tools)
    if (outcome.next === 'wait') world.clock += outcome.seconds * 1000
  }
  const [, changed = ''] = world.felixRestarts.map(({ node }) => node)
  const override = world.objects.get(`node.${changed}`)!
  const annotations = { ...override.annotations, [rangeAnnotation]: '31500:32000' }
  world.objects.set(override.name, { ...override, annotations })
  const { kube } = world.tools
  const pods: typeof kube.pods = async (about) =>
    read((valueOf(await kube.pods(about)) ?? []).filter(({ node }) => node !== changed))
  world.bare.add(changed)
  world.tools = { ...world.tools, kube: { ...kube, pods } }
  expect(await takeStep(world.tools)).toMatchObject({ next: 'wait' })
  expect(world.felixRestarts).toHaveLength(2)
  world.tools = { ...world.tools, kube }
  expect(await takeStep(world.tools)).toMatchObject({
    next: 'over',
    state: 'halted',
    why: expect.stringContaining('changed it'),
  })
})
