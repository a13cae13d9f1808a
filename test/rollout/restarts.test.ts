import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { assess } from '../../shared/domain/assess/assess.ts'
import { plan } from '../../shared/domain/plan/plan.ts'
import { policyWith, type Policy } from '../../shared/domain/policy/policy.ts'
import { soundRollout } from '../../shared/domain/rollout/parse.ts'
import { valueOf } from '../../shared/domain/read.ts'
import { observe } from '../../shared/workflows/observe/observe.ts'
import { sync, type SyncResult } from '../../shared/workflows/rollout/sync.ts'
import { createClock } from '../verify/crash/clock.ts'
import { observeCluster } from '../verify/crash/observed.ts'
import { startTables } from '../verify/crash/outside.ts'
import { runOnce } from '../verify/crash/run.ts'
import { nodeSpecs } from '../../lab/fixtures/nodes.ts'
import { pauseAfter } from '../../lab/pod-watch.ts'
import { type RestartStage, setTheStage } from './restart-stage.ts'
import { eks, mostAtOnce } from './stage.ts'
import { until } from '../until.ts'

/**
 * Restarts of calico-node on the real API server, in real time: Calico 3.21 by its manifest. Seven nodes, three of them
 * in the first zone and two in each other. What counts is what the API server's watch showed.
 */
const specs = nodeSpecs(7)
const [n1 = '', n2 = '', n3 = '', n4 = '', n5 = '', n6 = '', n7 = ''] = specs.map(({ name }) => name)
/** They join. */
const n8 = { name: 'ip-10-1-9-8.ec2.internal', zone: 'us-east-1b' }
const n9 = { name: 'ip-10-1-9-9.ec2.internal', zone: 'us-east-1c' }
const pace = { canarySeconds: 5, settleSeconds: 2, nodeDeadlineSeconds: 60 }
/** Times of objects are whole seconds, and the watch is a little late. */
const tolerance = 1200

let stage: RestartStage

beforeAll(async () => {
  stage = await setTheStage(specs)
}, 180_000)
afterAll(() => stage?.stop(), 60_000)

const look = async (policy: Policy) => {
  // Felix's own default: the range needs nothing.
  const of = eks({ min: 30_000, max: 32_767 })
  const { direct: kube } = stage
  const state = await observe({ kube, identity: { name: 'restarts' }, now: new Date(), eks: { value: of } })
  return { state, assessment: assess(state, policy) }
}

const carryOut = (policy: Policy): Promise<SyncResult> =>
  sync(
    {
      kube: stage.direct,
      holder: 'test',
      leaseSeconds: 60,
      now: () => new Date(),
      tell: () => undefined,
      waiting: () => undefined,
      interrupted: () => false,
      look: () => look(policy),
      sleep: (seconds) => sleep(seconds * 1000),
    },
    policy,
  )

test('with OnDelete: one node after the other, the first alone for longer; what is broken or needs none is left alone', async () => {
  const policy = policyWith({ action: 'sync', ...pace })
  // Broken before anybody comes; and one whose calico-node has started since the mode changed.
  stage.apart.add(n1)
  await stage.report(n1, false)
  await restartByHand(n2)
  await stage.begin()

  const { state, assessment } = await look(policy)
  expect(assessment.report.verdict).toBe('out-of-step')
  const broken = assessment.report.findings.find(({ code }) => code === 'NODES_NOT_READY')
  expect([broken?.subject, broken?.message]).toEqual([`node/${n1}`, expect.stringContaining('on 1 of 7 nodes')])
  expect(plan(assessment, state, policy).forecast).toMatchObject({ podRestarts: 5, felixRestarts: 0 })

  expect(await carryOut(policy)).toMatchObject({ end: 'done' })
  await stage.caughtUp()
  const seen = stage.seen()
  expect(seen.gone.map(({ node }) => node)).toEqual([n3, n4, n5, n6, n7])
  expect(seen.mostAway).toBe(1)
  expect(pauseAfter(seen, n3)).toBeGreaterThan(pace.canarySeconds * 1000 - tolerance)
  for (const node of [n4, n5, n6]) expect(pauseAfter(seen, node)).toBeGreaterThan(pace.settleSeconds * 1000 - tolerance)
}, 120_000)

test('a node that was broken is restarted when it is well again, and no other a second time', async () => {
  const policy = policyWith({ action: 'sync', ...pace })
  await stage.report(n1, true)
  stage.apart.delete(n1)
  await stage.begin()
  expect(await carryOut(policy)).toMatchObject({ end: 'done' })
  await stage.caughtUp()
  expect(stage.seen().gone.map(({ node }) => node)).toEqual([n1])
  expect((await look(policy)).assessment.report.verdict).toBe('in-step')
  expect(await carryOut(policy)).toMatchObject({ end: 'nothing-to-do' })
}, 60_000)

test('with a budget in percent: so many of one zone at once; who joins is not restarted, who leaves is not waited for', async () => {
  // 40 % of seven nodes are two; the update strategy's own budget is another matter.
  const policy = policyWith({ action: 'sync', ...pace, maxUnavailable: '40%' })
  await rollingUpdate('25%')
  await stage.age()
  const pods = await stage.begin()

  const rollout = carryOut(policy)
  await until('the first restart', () => stage.seen().gone.length > 0)
  // One whose turn has not come leaves; another joins; a third leaves while its calico-node is being restarted.
  stage.apart.add(n3)
  await Promise.all([stage.leave(n3), stage.join(n8)])
  await until('the restart of a node', () => stage.seen().gone.some(({ node }) => node === n2))
  stage.apart.add(n2)
  await stage.leave(n2)
  expect(await rollout).toMatchObject({ end: 'done' })
  await stage.caughtUp()

  const seen = stage.seen()
  const gone = seen.gone.filter(({ node, uid }) => pods.get(node) === uid && node !== n3)
  const restarted = gone.map(({ node }) => node)
  // The first zone's, then the second's, then the third's.
  expect(restarted[0]).toBe(n1)
  expect([restarted.slice(1, 3).toSorted(), restarted.slice(3, 5).toSorted(), restarted.slice(5)]).toEqual([
    [n4, n7],
    [n2, n5],
    [n6],
  ])
  // Of the others no pod went that had come in the meantime, and none of the node that joined.
  expect(seen.gone.filter(({ node, uid }) => pods.get(node) !== uid && node !== n2)).toEqual([])
  expect(seen.mostAway).toBe(2)
  expect(pauseAfter({ ...seen, gone }, n1)).toBeGreaterThan(pace.canarySeconds * 1000 - tolerance)

  expect((await look(policy)).assessment.report.verdict).toBe('in-step')
  const record = valueOf(await stage.direct.lease())
  expect([soundRollout(record, Infinity)?.state, record?.holder]).toEqual(['done', undefined])
}, 120_000)

test('from the queue, with a range to be changed as well: nodes join and leave between its messages', async () => {
  await stage.age()
  const pods = await stage.begin()
  const { cluster, direct } = stage
  const clock = createClock()
  // As they are at each moment.
  const nodes = [...pods.keys()]
  const observer = await observeCluster({ cluster, nodes, clock, namespace: 'kube-system' })
  const tables = await startTables()
  const observed = await observer.begin()
  const leave = (node: string) => {
    stage.apart.add(node)
    nodes.splice(nodes.indexOf(node), 1)
    return stage.leave(node)
  }
  const join = async () => {
    nodes.push(n9.name)
    await stage.join(n9)
  }
  const isTouched = (node: string) => observed.felix.some((it) => it.node === node)
  const events = [
    { when: () => isTouched(n1), happens: join },
    { when: () => isTouched(n4), happens: () => leave(n5) },
    { when: () => observed.pods.some(({ node }) => node === n6), happens: () => leave(n6) },
  ]
  const between = async () => {
    if (events[0]?.when()) await events.shift()?.happens()
  }
  const policy = { ...pace, canarySeconds: 30, settleSeconds: 10, nodeDeadlineSeconds: 300 }
  const scene = { cluster, direct, clock, nodes, observer, stop: stage.stop }
  const outcome = await runOnce(scene, tables.dynamo, { observed, between, policy })
  observer.stop()
  await tables.stop()

  expect(events).toEqual([])
  expect(outcome).toMatchObject({ rollout: { state: 'done' }, verdict: 'in-step', holder: undefined, errors: [] })
  // Who left before their turn was not touched; who joined took the range and needed no restart.
  expect(observed.felix.map(({ node }) => node).toSorted()).toEqual([n1, n4, n6, n7, n8.name, n9.name])
  expect(mostAtOnce(observed.felix, policy.settleSeconds)).toBe(1)
  const restarted = observed.pods.filter(({ node, uid }) => pods.get(node) === uid && node !== n5)
  expect(restarted.map(({ node }) => node).toSorted()).toEqual([n1, n4, n6, n7])
  // Nodes younger than the mode have never had another.
  expect(observed.pods.filter(({ node }) => node === n8.name || node === n9.name)).toEqual([])
  expect(stage.seen().mostAway).toBe(1)
  expect(observer.overrides()).toEqual([])
  const subjects = outcome.published.map(({ subject }) => subject.replace(/.*: /, ''))
  expect(subjects).toEqual([
    'Calico is out of step with kube-proxy',
    'the first node is changed and well, 1 of 7',
    'half of the nodes are changed and well, 3 of 6',
    'Calico is in step again',
  ])
}, 120_000)

const daemonSet = '/apis/apps/v1/namespaces/kube-system/daemonsets/calico-node'

const rollingUpdate = (maxUnavailable: string) => {
  const updateStrategy = { type: 'RollingUpdate', rollingUpdate: { maxUnavailable } }
  return stage.cluster.request('PATCH', daemonSet, { spec: { updateStrategy } }, 'application/merge-patch+json')
}

const restartByHand = async (node: string): Promise<void> => {
  const uid = (await stage.begin()).get(node)
  const { items } = (await stage.cluster.request(
    'GET',
    `/api/v1/namespaces/kube-system/pods?labelSelector=k8s-app%3Dcalico-node&fieldSelector=spec.nodeName%3D${node}`,
  )) as { items: { metadata: { name: string; uid: string } }[] }
  const pod = items.find(({ metadata }) => metadata.uid === uid)
  await stage.cluster.request('DELETE', `/api/v1/namespaces/kube-system/pods/${pod?.metadata.name}`)
  await until('its return', () => stage.seen().back.some((it) => it.node === node))
}
