import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { parseFields } from '../../lab/aws/json.ts'
import type { Moment } from '../../lab/aws/moment.ts'
import type { LabCluster } from '../../lab/cluster.ts'
import { startEmbedded } from '../../lab/embedded/start.ts'
import { applyManifests } from '../../lab/fixtures/manifests.ts'
import { populate } from '../../lab/fixtures/populate.ts'
import { nextSecond, until } from '../until.ts'
import { snapshotOf } from '../verify/forgeries/snapshot.ts'
import { assemble, type GuardedStage, letIn, raise, seed, target, wanted } from './guards-stage.ts'

/** A cluster is deleted in the middle of a rollout and created again under its name, while messages about it wait. */
const name = 'shop'
const folder = mkdtempSync(join(tmpdir(), 'calico-ipvs-sync-made-again-'))
const moments: Moment[] = []
let stage: GuardedStage
let second: LabCluster

beforeAll(async () => {
  const onMoment = (moment: Moment) => void moments.push(moment)
  stage = await raise(await assemble(folder), [name], 3, { onMoment })
  stage.deploy({ canarySeconds: 5, settleSeconds: 1 })
  second = await startEmbedded({
    name,
    workdir: mkdtempSync(join(folder, 'second-')),
    kubernetesVersion: 'v1.35.2',
    nodePortRange: wanted,
    authenticate: async (token) => stage.cloud.authenticate(name)(token),
  })
  const calico = { version: 'v3.28.4', install: 'operator' } as const
  await populate(second, { nodes: 3, kubernetesVersion: '1.35.2', kubeProxy: { mode: 'ipvs' }, calico })
  await applyManifests(second)
}, 300_000)
afterAll(async () => {
  await stage?.stop()
  await second?.stop()
  rmSync(folder, { recursive: true, force: true })
}, 60_000)

const said = (message: string, from = 0) =>
  moments.slice(from).flatMap((it) => {
    const line = it.kind === 'log' ? parseFields(it.line) : undefined
    return line?.['message'] === message ? [line] : []
  })
const fire = async () => {
  // A sweep's id has whole seconds.
  await nextSecond()
  stage.cloud.fire()
}

test('messages about the former cluster change nothing in the new one', async () => {
  await fire()
  await until('the rollout to wait for its canary', () => said('override written').length > 0)
  const { eks } = stage.cloud
  const snapshots = () => Promise.all([...stage.clusters, second].map(snapshotOf))
  eks.removeCluster(name)
  eks.addCluster(seed(second))
  letIn(stage.cloud, name)
  const before = await snapshots()
  await stage.cloud.idle({ timeoutMilliseconds: 100_000 })
  expect(said('cluster is gone').length).toBeGreaterThan(0)
  expect(said('override written')).toHaveLength(1)
  expect(await snapshots()).toEqual(before)
}, 200_000)

test('the new cluster is put in step by a rollout of its own, and people are notified of it again', async () => {
  const [from, notified] = [moments.length, stage.cloud.deliveries.length]
  await fire()
  await stage.cloud.idle({ timeoutMilliseconds: 200_000 })
  expect(said('rollout begins', from)).toHaveLength(1)
  const path = '/apis/crd.projectcalico.org/v1/felixconfigurations/default'
  expect(await second.request('GET', path)).toMatchObject({
    metadata: { annotations: { 'config.projectcalico.org/KubeNodePortRanges': target } },
  })
  const subjects = stage.cloud.deliveries.slice(notified).map(({ subject }) => String(subject))
  expect(subjects).toMatchObject([
    expect.stringContaining('Calico is out of step'),
    expect.stringContaining('Calico is in step again'),
  ])
}, 250_000)

test('no message is a dead letter', async () => {
  for (const queue of ['EvaluationsDeadLetters', 'RolloutStepsDeadLetters'])
    expect([queue, await stage.cloud.messages(queue)]).toEqual([queue, []])
})
