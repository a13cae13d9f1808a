import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { EKSClient, UpdateClusterConfigCommand } from '@aws-sdk/client-eks'
import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs'
import type { LabCluster } from '../../lab/cluster.ts'
import { names, type Kind } from '../../lab/demo/fleet.ts'
import { deployment, place } from '../../lab/demo/deployment.ts'
import { setTheStage, type Stage } from '../../lab/demo/run.ts'
import { useControlPlane } from '../control-planes/use.ts'
import { until } from '../until.ts'
import { synthesized } from './assemble.ts'

/** The synthesized stack, its bundles and queues in front of clusters, in ways the demo does not go. */
const kinds: Kind[] = ['embedded', 'real']

const felix = '/apis/crd.projectcalico.org/v1/felixconfigurations'
const annotation = 'config.projectcalico.org/KubeNodePortRanges'

interface Felix {
  metadata: { name: string; annotations?: Record<string, string>; generation: number }
  spec: { kubeNodePortRanges?: unknown[] }
}

/** Asked again where the connection broke: the API server goes away and comes back in these tests. */
const objectsIn = async (cluster: LabCluster, left = 20): Promise<Felix[]> => {
  try {
    return ((await cluster.request('GET', felix)) as { items: Felix[] }).items
  } catch (error) {
    if (left === 0) throw error
    await new Promise((resolve) => setTimeout(resolve, 200))
    return objectsIn(cluster, left - 1)
  }
}

describe.each(kinds)('the whole flow on the %s control plane', (kind) => {
  let stage: Stage

  beforeAll(async () => {
    stage = await setTheStage(kind, () => undefined, {
      timeScale: 1 / 200,
      bystander: 'embedded',
      startReal: useControlPlane,
      synthesized: () => synthesized(mkdtempSync(join(tmpdir(), 'flow-')), deployment),
    })
  }, 180_000)
  afterAll(async () => stage?.stop(), 60_000)

  const eks = () =>
    new EKSClient({
      ...place,
      credentials: stage.cloud.credentials,
      endpoint: stage.cloud.endpoints['AWS_ENDPOINT_URL_EKS'] ?? '',
    })
  const change = (name: string, minPort: number) =>
    eks().send(
      new UpdateClusterConfigCommand({
        name,
        kubeApiServerConfig: { serviceNodePortRange: { minPort, maxPort: 32_767 } },
      }),
    )

  test('a cluster that only reports is told about and not touched', async () => {
    await change(names.quiet, 21_000)
    const subject = '[critical] quiet (111122223333 eu-west-1): Calico is out of step with kube-proxy'
    const isTold = () => stage.cloud.deliveries.some((it) => it.subject === subject)
    await stage.cloud.idle()
    // On a busy machine the first look may see too little: then the schedule comes.
    for (let left = 3; left > 0 && !isTold(); left -= 1) {
      stage.cloud.fire()
      await stage.cloud.idle()
    }
    expect(stage.cloud.deliveries.map((it) => it.subject)).toContain(subject)
    const [only, ...others] = await objectsIn(stage.fleet.clusters.quiet)
    expect(others).toEqual([])
    expect(only?.metadata.annotations?.[annotation]).toBeUndefined()
  }, 120_000)

  test('an API server that is killed in the middle of a rollout loses nothing and gets nothing twice', async () => {
    const cluster = stage.fleet.clusters.range
    await change(names.range, 20_000)
    await until('the first override', async () =>
      (await objectsIn(cluster)).some(({ metadata }) => metadata.name.startsWith('node.')),
    )
    await cluster.suspend()
    const failed = () =>
      stage.cloud.invocations.filter(({ event }) => JSON.stringify(event).includes('ApproximateReceiveCount')).length
    const before = failed()
    await until('a message to fail', () => failed() > before)
    await cluster.resume()
    await stage.cloud.idle()
    const [only, ...others] = await objectsIn(cluster)
    expect(others).toEqual([])
    expect(only?.metadata.annotations?.[annotation]).toBe('20000:32767')
    expect(only?.spec.kubeNodePortRanges).toEqual(['20000:32767'])
    // Written once: every write of the spec counts a generation.
    expect(only?.metadata.generation).toBe(2)
    expect(stage.pods.range.seen().gone).toEqual([])
  }, 180_000)

  test('the same event ten times over makes one rollout and one notice', async () => {
    const before = stage.cloud.deliveries.length
    const detail = {
      eventSource: 'eks.amazonaws.com',
      eventName: 'UpdateClusterConfig',
      readOnly: false,
      requestParameters: { name: names.range },
    }
    for (let times = 0; times < 10; times += 1) {
      stage.cloud.putEvent({ source: 'aws.eks', 'detail-type': 'AWS API Call via CloudTrail', detail })
    }
    await stage.cloud.idle()
    expect(stage.cloud.deliveries.length).toBe(before)
    expect((await objectsIn(stage.fleet.clusters.range))[0]?.metadata.generation).toBe(2)
  }, 120_000)

  test('a cluster that was deleted is passed over in silence', async () => {
    const before = stage.cloud.deliveries.length
    const detail = {
      eventSource: 'eks.amazonaws.com',
      eventName: 'DeleteCluster',
      readOnly: false,
      requestParameters: { name: 'gone' },
    }
    stage.cloud.putEvent({ source: 'aws.eks', 'detail-type': 'AWS API Call via CloudTrail', detail })
    await stage.cloud.idle()
    expect(stage.cloud.deliveries.length).toBe(before)
    expect(await stage.cloud.messages('EvaluationsDeadLetters')).toEqual([])
  }, 60_000)

  test('a message nobody can read ends in the dead-letter queue, where an alarm sees it', async () => {
    const { environment, credentials, stack } = stage.cloud
    const queue = stack.ofType('AWS::SQS::Queue').find(({ label }) => label === 'Evaluations')
    const sqs = new SQSClient({ ...place, credentials, endpoint: environment['AWS_ENDPOINT_URL_SQS'] ?? '' })
    const QueueUrl = `${environment['AWS_ENDPOINT_URL_SQS']}/000000000000/${queue?.name}`
    await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: '{"schemaVersion":1,"cluster":"../../etc"}' }))
    await until('the dead letter', async () => (await stage.cloud.messages('EvaluationsDeadLetters')).length === 1)
  }, 120_000)
})
