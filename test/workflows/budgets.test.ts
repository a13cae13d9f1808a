import { expect, test } from '@jest/globals'
import { takeStep } from '../../shared/workflows/rollout/step.ts'
import { quickPace, startRollout, type World, worldOf } from './world.ts'

const nodes = (count: number) => Array.from({ length: count }, (_, index) => `n${String(index).padStart(2, '0')}`)
const run = async (world: World): Promise<void> => {
  for (let step = 0; step < 2_000; step += 1) {
    const outcome = await takeStep(world.tools)
    if (outcome.next === 'over') return
    if (outcome.next === 'wait') world.clock += outcome.seconds * 1000
  }
  throw new Error('the rollout does not come to an end')
}
const mostAtOnce = (restarts: { at: number }[]): number =>
  Math.max(0, ...restarts.map(({ at }) => restarts.filter((it) => it.at >= at && it.at < at + 10_000).length))

test.each([
  { nodes: 10, maxUnavailable: '10%', most: 1 },
  { nodes: 10, maxUnavailable: '25%', most: 2 },
  { nodes: 3, maxUnavailable: '10%', most: 1 },
  { nodes: 4, maxUnavailable: '100%', most: 3 },
  { nodes: 10, maxUnavailable: 4, most: 4 },
] as const)(
  'of $nodes nodes a budget of $maxUnavailable restarts $most at one time, Felix or pods',
  async ({ nodes: count, maxUnavailable, most }) => {
    const pace = { ...quickPace, maxUnavailable } as const
    const range = worldOf(nodes(count))
    startRollout(range, { target: '20000:32767', pace })
    await run(range)
    expect([range.felixRestarts.length, mostAtOnce(range.felixRestarts)]).toEqual([count, most])
    const pods = worldOf(nodes(count))
    startRollout(pods, { restart: pods.pods.map(({ name }) => name), pace })
    await run(pods)
    expect([pods.podRestarts.length, mostAtOnce(pods.podRestarts)]).toEqual([count, most])
  },
)

test.each(['range', 'restarts'] as const)(
  'nodes that are to go last go when all others are well: %s',
  async (phase) => {
    const pace = { ...quickPace, maxUnavailable: 2 } as const
    const world = worldOf(nodes(6))
    const zones = { a: ['n00', 'n01', 'n02'], b: ['n03', 'n04', 'n05'] }
    const work = phase === 'range' ? { target: '20000:32767' } : { restart: world.pods.map(({ name }) => name) }
    startRollout(world, { ...work, pace, zones, canary: 'n01', last: ['n00', 'n04'] })
    await run(world)
    const touched = phase === 'range' ? world.felixRestarts : world.podRestarts
    expect(touched.map(({ node }) => node)).toEqual(['n01', 'n02', 'n03', 'n05', 'n00', 'n04'])
    const at = (name: string) => touched.find(({ node }) => node === name)?.at ?? 0
    expect(at('n00') - Math.max(at('n02'), at('n05'))).toBeGreaterThanOrEqual(10_000)
  },
)

test('a restart deletes the pod by its UID, so that OnDelete and RollingUpdate, operator and manifest are all one', async () => {
  const world = worldOf(nodes(2))
  world.pods = world.pods.map((pod) => ({ ...pod, namespace: 'kube-system' }))
  const deleted: object[] = []
  const { deletePod } = world.tools.kube
  const seeing: typeof deletePod = (pod) => {
    deleted.push({ namespace: pod.namespace, name: pod.name, uid: pod.uid })
    return deletePod(pod)
  }
  world.tools = { ...world.tools, kube: { ...world.tools.kube, deletePod: seeing } }
  startRollout(world, { restart: world.pods.map(({ name }) => name) })
  await run(world)
  expect(deleted).toEqual([
    { namespace: 'kube-system', name: 'calico-node-n00', uid: 'uid-n00' },
    { namespace: 'kube-system', name: 'calico-node-n01', uid: 'uid-n01' },
  ])
})
