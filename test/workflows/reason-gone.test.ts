import { expect, test } from '@jest/globals'
import { assess } from '../../shared/domain/assess/assess.ts'
import type { ClusterState } from '../../shared/domain/cluster.ts'
import { plan } from '../../shared/domain/plan/plan.ts'
import { policyWith } from '../../shared/domain/policy/policy.ts'
import { read, valueOf } from '../../shared/domain/read.ts'
import { rangeAnnotation } from '../../shared/domain/rollout/annotations.ts'
import { sync } from '../../shared/workflows/rollout/sync.ts'
import { takeStep } from '../../shared/workflows/rollout/step.ts'
import { beginRollout } from '../../shared/workflows/rollout/begin.ts'
import { felixObject, healthy, podsOf } from '../domain/states.ts'
import { calicoSet, worldOf, type World } from './world.ts'

/** A range that changes back in the middle of a rollout: what led to it is gone. */
const policy = policyWith({ action: 'sync', maxUnavailable: 1 })
const names = Array.from({ length: 8 }, (_, index) => `node-000${index + 1}`)

/** The cluster as EKS describes it, with the world's objects and Lease in it. */
const stateOf = (world: World, range: { min: number; max: number }): ClusterState => {
  const state = healthy({ nodes: names.length, eks: { serviceNodePortRange: range } })
  const others = valueOf(state.pods)?.filter(({ role }) => role !== 'calico-node') ?? []
  const set = valueOf(state.daemonSets)?.find(({ role }) => role === 'calico-node')?.uid
  const pods = world.pods.map((pod) => ({ ...pod, daemonSet: set ?? '' }))
  return {
    ...state,
    observedAt: world.iso(),
    pods: read([...others, ...pods]),
    felix: read({ api: 'crd.projectcalico.org/v1', objects: [...world.objects.values()] }),
    rollout: read(world.lease),
  }
}

const lookAt = (world: World, range: { min: number; max: number }) => {
  const state = stateOf(world, range)
  return { state, assessment: assess(state, policy) }
}

/** Three nodes have another value when it is not wanted any more. */
const halfDone = async (base: string | undefined): Promise<World> => {
  const annotations: Record<string, string> = base === undefined ? {} : { [rangeAnnotation]: base }
  const world = worldOf([], [felixObject({ annotations })])
  world.clock = Date.parse('2026-11-20T10:00:00Z')
  world.pods = podsOf(healthy({ nodes: names.length }), 'calico-node').map((pod) => ({
    ...pod,
    daemonSet: calicoSet.uid,
  }))
  world.tools = { ...world.tools, policy }
  const begun = await beginRollout(world.tools, lookAt(world, { min: 20_000, max: 22_767 }), policy)
  world.tools = { ...world.tools, decided: begun.begun ? begun.decided : undefined }
  while (world.felixRestarts.length < 3) {
    const outcome = await takeStep(world.tools)
    if (outcome.next === 'wait') world.clock += outcome.seconds * 1000
  }
  return world
}

test.each([undefined, '30000:32767'])(
  'nothing more is written: the overrides are taken off, one node at a time (default has %s)',
  async (base) => {
    const world = await halfDone(base)
    const before = [...world.felixRestarts]
    const range = { min: 30_000, max: 32_767 }
    const { state, assessment } = lookAt(world, range)
    const planned = plan(assessment, state, policy)
    expect(planned.changes.map(({ action, name }) => `${action} ${name}`).toSorted()).toEqual(
      before.map(({ node }) => `delete node.${node}`).toSorted(),
    )
    expect(planned.forecast.felixRestarts).toBe(3)
    const written: string[] = []
    const { kube } = world.tools
    const createFelix: typeof kube.createFelix = (api, draft, options) => {
      if (!options?.dryRun) written.push(draft.name)
      return kube.createFelix(api, draft, options)
    }
    const result = await sync(
      {
        ...world.tools,
        kube: { ...kube, createFelix },
        look: async () => lookAt(world, range),
        sleep: async (seconds) => void (world.clock += seconds * 1000),
        waiting: () => undefined,
        interrupted: () => false,
      },
      policy,
    )
    expect(result).toMatchObject({ end: 'done' })
    expect(written).toEqual([])
    expect([...world.objects.keys()]).toEqual(['default'])
    const after = world.felixRestarts.slice(3)
    expect(after.map(({ node }) => node).toSorted()).toEqual(before.map(({ node }) => node).toSorted())
    for (const [index, { at }] of after.entries())
      expect(after.slice(0, index).filter((it) => at - it.at < policy.settleSeconds * 1000)).toEqual([])
    expect(lookAt(world, range).assessment.report.verdict).toBe('in-step')
  },
)
