import { describe, expect, test } from '@jest/globals'
import { assess } from '../../shared/domain/assess/assess.ts'
import type { ClusterState, EksState, FelixObject } from '../../shared/domain/cluster.ts'
import { policyWith } from '../../shared/domain/policy/policy.ts'
import { failed, read, type Read, valueOf } from '../../shared/domain/read.ts'
import { rangeAnnotation } from '../../shared/domain/rollout/annotations.ts'
import { soundRollout } from '../../shared/domain/rollout/parse.ts'
import { rolloutAnnotations } from '../../shared/domain/rollout/rollout.ts'
import type { ServiceRange } from '../../shared/domain/report.ts'
import { KubeError } from '../../shared/errors.ts'
import { sync, type SyncTools } from '../../shared/workflows/rollout/sync.ts'
import type { StepEvent } from '../../shared/workflows/rollout/tools.ts'
import { felixObject, healthy, podsOf } from '../domain/states.ts'
import { calicoSet, worldOf, type World } from './world.ts'

/** What becomes of the cluster while `sync` at a terminal carries out a rollout there. */
const names = Array.from({ length: 8 }, (_, index) => `node-000${index + 1}`)
const wanted = { min: 20_000, max: 22_767 }
const another = { min: 25_000, max: 27_767 }
const former = { min: 30_000, max: 32_767 }
const away = failed<EksState>({ kind: 'unreachable', object: 'eks:DescribeCluster', message: 'EKS does not answer' })

interface Said {
  eks?: Partial<EksState> | typeof away
  given?: ServiceRange
  /** Argo CD owns `default`. */
  owned?: boolean
}

const eksOf = (state: ClusterState, { eks = {} }: Said): Read<EksState> | undefined => {
  const described = valueOf(state.eks)
  return 'failure' in eks ? eks : described && read({ ...described, ...eks })
}

const withOwner = (it: FelixObject): FelixObject =>
  it.name === 'default'
    ? { ...it, annotations: { ...it.annotations, 'argocd.argoproj.io/tracking-id': 'calico:x' } }
    : it

const lookAt = (world: World, said: Said, policy: ReturnType<typeof policyWith>) => {
  const state = healthy({ nodes: names.length, eks: { serviceNodePortRange: wanted } })
  const others = valueOf(state.pods)?.filter(({ role }) => role !== 'calico-node') ?? []
  const set = valueOf(state.daemonSets)?.find(({ role }) => role === 'calico-node')?.uid
  const pods = world.pods.map((pod) => ({ ...pod, daemonSet: set ?? '' }))
  const eks = eksOf(state, said)
  const now: ClusterState = {
    ...state,
    observedAt: world.iso(),
    pods: read([...others, ...pods]),
    felix: read({
      api: 'crd.projectcalico.org/v1',
      objects: [...world.objects.values()].map((it) => (said.owned ? withOwner(it) : it)),
    }),
    rollout: read(world.lease),
    ...(eks && { eks }),
    ...(said.given && { givenServiceRange: said.given }),
  }
  return { state: now, assessment: assess(now, policy) }
}

/** `says`: what EKS says, by the nodes that were changed so far and the seconds since it began. */
const synced = async (
  says: (changed: number, seconds: number, world: World) => Said,
  settleSeconds = 35,
  broken: string[] = [],
) => {
  const policy = policyWith({ action: 'sync', maxUnavailable: 1, settleSeconds, canarySeconds: settleSeconds })
  const world = worldOf([], [felixObject({ annotations: {} })])
  world.clock = Date.parse('2026-11-20T10:00:00Z')
  const begun = world.clock
  for (const node of broken) world.broken.add(node)
  world.pods = podsOf(healthy({ nodes: names.length }), 'calico-node').map((pod) => ({
    ...pod,
    daemonSet: calicoSet.uid,
  }))
  const looks: number[] = []
  const events: StepEvent[] = []
  const waits: string[] = []
  const written: { name: string; at: number }[] = []
  const { kube } = world.tools
  const note = (name: string, isSet: boolean) => void (isSet && written.push({ name, at: world.clock - begun }))
  const sets = (annotations: Record<string, string | null> = {}) => typeof annotations[rangeAnnotation] === 'string'
  const tools: SyncTools = {
    ...world.tools,
    kube: {
      ...kube,
      createFelix: (api, draft, options) => {
        note(draft.name, !options?.dryRun && sets(draft.annotations))
        return kube.createFelix(api, draft, options)
      },
      patchFelix: (api, patch, options) => {
        note(patch.name, !options?.dryRun && sets(patch.metadata?.annotations))
        return kube.patchFelix(api, patch, options)
      },
    },
    tell: (event) => events.push(event),
    look: async () => {
      looks.push(world.clock)
      return lookAt(world, says(world.felixRestarts.length, (world.clock - begun) / 1000, world), policy)
    },
    sleep: async (seconds) => void (world.clock += seconds * 1000),
    waiting: ({ why }) => waits.push(why),
    interrupted: () => false,
  }
  // As at a terminal, where the API server is away for a moment.
  const result = await sync(tools, policy).catch((error: unknown) => {
    if (!(error instanceof KubeError)) throw error
    return sync(tools, policy)
  })
  const rollout = soundRollout(world.lease, world.clock)
  return { world, result, looks, events, waits, rollout, written: written.map(({ name }) => name), times: written }
}

describe.each([35, 0])('where a node must stay well for %s s', (settleSeconds) => {
  test('a range that is the former one again is written nowhere any more: the overrides are taken off', async () => {
    const { world, result, events, written } = await synced(
      (changed) => ({ eks: { serviceNodePortRange: changed < 3 ? wanted : former } }),
      settleSeconds,
    )
    expect(result).toMatchObject({ end: 'done' })
    expect(written).not.toContain('default')
    expect([...world.objects.keys()]).toEqual(['default'])
    // Where no node has to stay well, nothing waits: it is seen before `default` is written.
    expect(written).toHaveLength(settleSeconds === 0 ? 8 : 3)
    expect(events.map(({ what }) => what)).toContain('nothing more is written; our overrides are taken off')
  })
})

test('a cluster that EKS updates is not written to: it waits, says so, and goes on afterwards', async () => {
  const { result, events, waits, written, times } = await synced((changed, seconds) => ({
    eks: { status: changed > 0 && seconds < 200 ? 'UPDATING' : 'ACTIVE' },
  }))
  expect(result).toMatchObject({ end: 'done' })
  expect(written).toEqual([...written.slice(0, -1), 'default'])
  expect(new Set(written).size).toBe(9)
  expect(times.filter(({ at }) => at > 0 && at < 200_000)).toEqual([])
  expect(waits).toContain('EKS reports the cluster as UPDATING.')
  expect(events.filter(({ what }) => what === 'the rollout waits, and touches no further node')).toHaveLength(1)
})

test('where the update takes longer than five minutes, it stops, with the reason, and nobody waits for its Lease', async () => {
  const { world, result, written, rollout } = await synced((changed) => ({
    eks: { status: changed > 0 ? 'UPDATING' : 'ACTIVE' },
  }))
  expect(result).toEqual({
    end: 'blocked',
    why: 'EKS reports the cluster as UPDATING.',
    blockedBy: ['CLUSTER_UPDATING'],
    begun: true,
  })
  expect(written).toHaveLength(1)
  expect([rollout?.state, world.lease?.holder]).toEqual(['running', undefined])
})

test('EKS that does not answer for a moment ends nothing, and nothing is written meanwhile', async () => {
  const { result, waits, times } = await synced((changed, seconds) => ({
    eks: changed > 1 && seconds < 150 ? away : {},
  }))
  expect(result).toMatchObject({ end: 'done' })
  expect(waits).toContain('EKS does not answer')
  expect(times.filter(({ at }) => at >= 80_000 && at < 150_000)).toEqual([])
})

test('a range that was given or probed needs no EKS in the middle', async () => {
  const { result, written } = await synced((changed) => ({
    eks: changed > 1 ? away : {},
    given: { ...wanted, source: 'probe' },
  }))
  expect(result).toMatchObject({ end: 'done' })
  expect(written).toHaveLength(9)
})

test('a third range becomes the target of the rollout', async () => {
  const third = { min: 25_000, max: 27_767 }
  const { world, result } = await synced((changed) => ({
    eks: { serviceNodePortRange: changed < 3 ? wanted : third },
  }))
  expect(result).toMatchObject({ end: 'done' })
  expect(world.objects.get('default')?.annotations[rangeAnnotation]).toBe('25000:27767')
})

test('the cluster is looked at once for each time that a node must stay well', async () => {
  const { looks, written } = await synced(() => ({}))
  expect(written).toHaveLength(9)
  expect(looks).toHaveLength(9)
})

test('a node in progress is observed while EKS updates the cluster, and restored at its deadline', async () => {
  const updating = (changed: number): Said => ({ eks: { status: changed > 0 ? 'UPDATING' : 'ACTIVE' } })
  const { world, result, written, rollout } = await synced(updating, 35, ['node-0001'])
  expect(written).toEqual(['node.node-0001'])
  expect(result).toMatchObject({ end: 'halted' })
  expect([...world.objects.keys()]).toEqual(['default'])
  expect(rollout).toMatchObject({ state: 'halted', evidence: { node: 'node-0001' } })
})

/** A person at another terminal, while this one is held by an update. */
const stoppedWhileHeld = async (state: 'aborting' | 'aborted' | 'paused', isAway: boolean) => {
  let isStopped = false
  return synced((changed, seconds, world) => {
    if (changed > 0 && seconds > 150 && !isStopped) {
      isStopped = true
      const rollout = soundRollout(world.lease, world.clock)!
      const ended = state === 'aborted' && { finishedAt: world.iso() }
      if (ended) for (const name of world.objects.keys()) if (name !== 'default') world.objects.delete(name)
      const said = Object.entries(rolloutAnnotations({ ...rollout, state, ...ended }))
      const annotations = Object.fromEntries(said.flatMap(([key, value]) => (value === null ? [] : [[key, value]])))
      world.lease = { ...world.lease!, annotations }
      if (isAway) throw new KubeError('unreachable', 'the API server is away')
    }
    return { eks: { status: changed > 0 && seconds < 190 ? 'UPDATING' : 'ACTIVE' } }
  })
}

describe.each(['aborted', 'aborting', 'paused'] as const)('a rollout that a person made %s', (state) => {
  test.each([
    ['while it was held', false],
    ['while the API server was away', true],
  ])('%s stays so: none begins after it', async (_, isAway) => {
    const { world, result, rollout, written } = await stoppedWhileHeld(state, isAway)
    expect(written).toEqual(['node.node-0001'])
    expect(result).toMatchObject({ end: 'stopped' })
    expect([rollout?.state, world.lease?.holder]).toEqual([state === 'aborting' ? 'aborted' : state, undefined])
    if (state !== 'paused') expect([...world.objects.keys()]).toEqual(['default'])
  })
})

test('a node that is not well halts the rollout also where somebody adds a setting to its override and the range changes', async () => {
  const { result, rollout, written } = await synced(
    (changed, _seconds, { objects }) => {
      const override = objects.get('node.node-0001')
      if (override) objects.set(override.name, { ...override, spec: { ...override.spec, logSeverityScreen: 'Debug' } })
      return { eks: { serviceNodePortRange: changed > 0 ? another : wanted } }
    },
    35,
    ['node-0001'],
  )
  expect(written).toEqual(['node.node-0001'])
  expect(result).toMatchObject({ end: 'halted' })
  expect(rollout).toMatchObject({ evidence: { node: 'node-0001' } })
})

describe('where an owner appears', () => {
  const owned = (changed: number): Said => ({ owned: changed > 1 })

  test('a node in progress is observed, restored at its deadline, and no other is touched', async () => {
    const { world, result, written, rollout } = await synced(owned, 35, ['node-0002'])
    expect(written).toEqual(['node.node-0001', 'node.node-0002'])
    expect(result).toMatchObject({ end: 'halted' })
    expect([...world.objects.keys()]).toEqual(['default', 'node.node-0001'])
    expect(rollout).toMatchObject({ state: 'halted', evidence: { node: 'node-0002' } })
  })

  test('after the last node has the range, `default` is not written: its owner would revert it', async () => {
    const { world, result, written } = await synced((changed) => ({ owned: changed === names.length }))
    expect(written).toEqual(names.map((name) => `node.${name}`))
    expect(result).toMatchObject({ end: 'blocked', blockedBy: ['OWNED_BY_GITOPS'], begun: true })
    expect(world.lease?.holder).toBeUndefined()
  })

  test('when `default` has the range, the overrides are removed although it has an owner', async () => {
    const { world, result } = await synced((_changed, _seconds, { objects }) => ({
      owned: objects.get('default')?.annotations[rangeAnnotation] !== undefined,
    }))
    expect(result).toMatchObject({ end: 'done' })
    expect([...world.objects.keys()]).toEqual(['default'])
  })

  test('a well node is observed until it has settled; then it stops, with the reason', async () => {
    const { world, result, written, times, events } = await synced(owned)
    expect(written).toEqual(['node.node-0001', 'node.node-0002'])
    expect(result).toMatchObject({ end: 'blocked', blockedBy: ['OWNED_BY_GITOPS'], begun: true })
    expect(world.lease?.holder).toBeUndefined()
    const seconds = (world.clock - Date.parse('2026-11-20T10:00:00Z') - (times.at(-1)?.at ?? NaN)) / 1000
    expect(seconds).toBeGreaterThanOrEqual(35)
    expect(seconds).toBeLessThan(60)
    expect(events.filter(({ what }) => what === 'the rollout waits, and touches no further node')).toHaveLength(0)
  })
})
