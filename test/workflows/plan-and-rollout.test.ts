import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { assess } from '../../shared/domain/assess/assess.ts'
import type { ClusterState } from '../../shared/domain/cluster.ts'
import { plan } from '../../shared/domain/plan/plan.ts'
import { defaultPolicy, type Policy } from '../../shared/domain/policy/policy.ts'
import { read, valueOf } from '../../shared/domain/read.ts'
import { progressOf } from '../../shared/domain/rollout/progress.ts'
import { stepInput, withNodes } from '../../shared/domain/rollout/step-input.ts'
import { beginRollout } from '../../shared/workflows/rollout/begin.ts'
import { takeStep } from '../../shared/workflows/rollout/step.ts'
import { edited, healthy, nodesOf, objectNamed, podsOf, rangeKey } from '../domain/states.ts'
import { calicoSet, worldOf, type World } from './world.ts'

/** What may be true of a node beside running kube-proxy in IPVS mode and calico-node. */
const kinds = [
  'plain',
  'auto',
  'fargate',
  'not ready',
  'silent',
  'pinned',
  'env',
  'copied mark',
  'has it',
  'emptied',
  'emptied in the copy',
  'set in the copy',
  'no kube-proxy',
  'windows',
  'hybrid',
  'cordoned',
  'tainted',
  'no calico-node',
  'pod going',
] as const
type Kind = (typeof kinds)[number]

const target = '20000:22767'

const copyWith = (range: string) => ({
  'projectcalico.org/metadata': JSON.stringify({ annotations: { [rangeKey]: range } }),
})

const befallen = (copy: ClusterState, name: string, kind: Kind): void => {
  const node = nodesOf(copy).find((it) => it.name === name)
  const pod = podsOf(copy, 'calico-node').find((it) => it.node === name)
  if (!node || !pod) return
  const without = (role?: string) =>
    read((valueOf(copy.pods) ?? []).filter((it) => it.node !== name || (role !== undefined && it.role !== role)))
  switch (kind) {
    case 'plain':
      return
    case 'auto':
      node.labels = { ...node.labels, 'eks.amazonaws.com/compute-type': 'auto' }
      copy.pods = without('kube-proxy')
      return
    case 'fargate':
      node.labels = { ...node.labels, 'eks.amazonaws.com/compute-type': 'fargate' }
      copy.pods = without()
      return
    case 'not ready':
      pod.ready = false
      return
    case 'silent':
      node.ready = false
      return
    case 'pinned':
      objectNamed(copy, `node.${name}`).annotations[rangeKey] = '31000'
      return
    case 'env':
      pod.env = [{ name: 'FELIX_KUBENODEPORTRANGES', value: '31000' }]
      pod.revision = `env-${name}`
      return
    case 'copied mark':
      objectNamed(copy, `node.${name}`).annotations['calico-ipvs-sync/override'] = 'created'
      return
    case 'has it':
      objectNamed(copy, `node.${name}`).annotations[rangeKey] = target
      return
    case 'emptied':
      objectNamed(copy, `node.${name}`).annotations[rangeKey] = ''
      return
    case 'emptied in the copy':
      Object.assign(objectNamed(copy, `node.${name}`).annotations, { [rangeKey]: '31000', ...copyWith('') })
      return
    case 'set in the copy':
      Object.assign(objectNamed(copy, `node.${name}`).annotations, { [rangeKey]: '', ...copyWith('31000') })
      return
    case 'no kube-proxy':
      copy.pods = without('kube-proxy')
      return
    case 'windows':
      node.labels = { 'kubernetes.io/os': 'windows' }
      copy.pods = without()
      return
    case 'hybrid':
      node.labels = { ...node.labels, 'eks.amazonaws.com/compute-type': 'hybrid' }
      return
    case 'cordoned':
      node.unschedulable = true
      return
    case 'tainted':
      node.taints = [{ key: 'dedicated', value: 'gpu', effect: 'NoExecute' }]
      return
    case 'no calico-node':
      copy.pods = without('calico-node')
      return
    case 'pod going':
      // For a while: what began in this minute is a roll under way.
      pod.deletedAt = new Date(Date.parse(copy.observedAt) - 3_600_000).toISOString()
  }
}

const stateOf = (given: readonly Kind[]): ClusterState =>
  edited(healthy({ nodes: given.length, eks: { serviceNodePortRange: { min: 20_000, max: 22_767 } } }), (copy) => {
    copy.felix = read({ api: 'crd.projectcalico.org/v1', objects: valueOf(copy.felix)?.objects ?? [] })
    given.forEach((kind, index) => befallen(copy, nodesOf(copy)[index]?.name ?? '', kind))
  })

/** The same cluster, to be changed: the pods and objects of the state. */
const worldFrom = (state: ClusterState): World => {
  const world = worldOf([], valueOf(state.felix)?.objects ?? [])
  world.pods = podsOf(state, 'calico-node').map((pod) => ({ ...pod, daemonSet: calicoSet.uid }))
  world.silent = new Set(nodesOf(state).flatMap(({ name, ready }) => (ready ? [] : [name])))
  world.clock = Date.parse(state.observedAt)
  return world
}

const overriddenBy = async (world: World): Promise<Set<string>> => {
  const seen = new Set<string>()
  for (let step = 0; step < 400; step += 1) {
    const outcome = await takeStep(world.tools)
    for (const [name, { annotations }] of world.objects)
      if (annotations['calico-ipvs-sync/change'] && name !== 'default') seen.add(name)
    if (outcome.next === 'over') return seen
    if (outcome.next === 'wait') world.clock += outcome.seconds * 1000
  }
  throw new Error('the rollout does not come to an end')
}

const compared = async (given: readonly Kind[], policy: Policy) => {
  const state = stateOf(given)
  const assessment = assess(state, policy)
  const planned = plan(assessment, state, policy)
  const sets = (patch: object = {}) =>
    typeof (patch as { metadata?: { annotations?: object } }).metadata?.annotations?.[rangeKey as never] === 'string'
  const created = planned.changes.flatMap(({ name, patch }) => (name !== 'default' && sets(patch) ? [name] : []))
  const world = worldFrom(state)
  world.tools = { ...world.tools, policy }
  const begun = await beginRollout(world.tools, { state, assessment }, policy)
  if (!begun.begun) return { planned: created, pending: [], done: [], restarts: 0, forecast: 0, begun: false }
  world.tools = { ...world.tools, decided: begun.decided }
  const seen = stepInput(
    { api: begun.rollout.where.api, objects: [...world.objects.values()] },
    world.pods,
    begun.rollout.where,
  )
  const known = withNodes(seen, valueOf(state.nodes) ?? [])
  const pending = progressOf(begun.rollout, known, world.iso()).pending.map((node) => `node.${node}`)
  const done = [...(await overriddenBy(world))]
  // Those that are left alone take the value when `default` does.
  const isLeft = (kind: Kind) => ['not ready', 'silent', 'copied mark', 'pod going'].includes(kind)
  const well = new Set(given.flatMap((kind, index) => (isLeft(kind) ? [] : [nodesOf(state)[index]?.name])))
  const restarts = world.felixRestarts.filter(({ node }) => well.has(node)).length
  return { planned: created, pending, done, restarts, forecast: planned.forecast.felixRestarts, begun: true }
}

const policyOf = (strategy: Policy['strategy']): Policy => ({ ...defaultPolicy, strategy })

describe('plan, status and rollout mean the same nodes', () => {
  test('a node of EKS Auto Mode that runs calico-node reads `default` too: it takes its turn', async () => {
    const result = await compared(['plain', 'plain', 'auto'], policyOf('staged'))
    const all = ['node.node-0001', 'node.node-0002', 'node.node-0003']
    expect(result).toEqual({ planned: all, pending: all, done: all, restarts: 3, forecast: 3, begun: true })
  })

  test('a node whose own range somebody emptied has that of `default`: it takes its turn', async () => {
    const result = await compared(['plain', 'emptied', 'emptied'], policyOf('staged'))
    const all = ['node.node-0001', 'node.node-0002', 'node.node-0003']
    expect(result).toEqual({ planned: all, pending: all, done: all, restarts: 3, forecast: 3, begun: true })
  })

  test('what the copy of the metadata says of a range counts more than the annotation, as for Felix', async () => {
    const result = await compared(['plain', 'emptied in the copy', 'set in the copy'], policyOf('staged'))
    const all = ['node.node-0001', 'node.node-0002']
    expect(result).toEqual({ planned: all, pending: all, done: all, restarts: 2, forecast: 2, begun: true })
  })

  test('`default` is planned to take the value where the copy of its metadata hides the annotation that has it', () => {
    const state = stateOf(['plain'])
    Object.assign(objectNamed(state, 'default').annotations, { [rangeKey]: target, ...copyWith('30000:32767') })
    const { changes } = plan(assess(state, defaultPolicy), state, defaultPolicy)
    expect(changes.map(({ action, name }) => `${action} ${name}`)).toEqual([
      'create node.node-0001',
      'patch default',
      'delete node.node-0001',
    ])
  })

  test('whatever the nodes are, with every strategy', async () => {
    const clusters = fc.array(fc.constantFrom(...kinds), { minLength: 1, maxLength: 7 })
    const strategies = fc.constantFrom('staged' as const, 'canary' as const, 'direct' as const)
    await fc.assert(
      fc.asyncProperty(clusters, strategies, async (given, strategy) => {
        const { planned, pending, done, restarts, forecast, begun } = await compared(given, policyOf(strategy))
        if (!begun) return expect(planned).toEqual([])
        const first = strategy === 'staged' ? pending : strategy === 'canary' ? pending.slice(0, 1) : []
        expect(planned).toEqual(first)
        expect(done).toEqual(planned)
        expect([restarts, pending.length]).toEqual([forecast, forecast])
      }),
      { numRuns: 150 },
    )
  }, 60_000)
})
