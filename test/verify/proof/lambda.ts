import { UpdateClusterConfigCommand } from '@aws-sdk/client-eks'
import { untilQuiet, updateMilliseconds } from './aws.ts'
import type { Chapter } from './claim.ts'
import { disturbance } from './disturbance.ts'
import { felixConfigurations, type Ground } from './ground.ts'
import { watchRules } from './watch-rules.ts'

const range = '20000:32767'
const call = `aws eks update-cluster-config --kube-api-server-config 'serviceNodePortRange={minPort=20000,maxPort=32767}'`

const objects = async ({ cluster }: Ground): Promise<string> => {
  const { items } = (await cluster.request('GET', felixConfigurations)) as {
    items: { metadata: { name: string; resourceVersion: string } }[]
  }
  return items.map(({ metadata }) => `${metadata.name}@${metadata.resourceVersion}`).join(', ')
}

/** The whole way on AWS: rules, queues and functions of the synthesized template, in front of nodes with real packet filters. */
export const lambda: Chapter = {
  name: 'lambda',
  title: 'The range is changed by an EKS API call and corrected by the deployed stack',
  ground: { nodes: 4, onAws: true },
  prove: async (ground, claim, measured) => {
    const { nodes, aws, cluster } = ground
    if (!aws) throw new Error('This chapter needs the stack.')
    const { cloud, eks, events } = aws
    let since = Date.now()
    const watched = watchRules(ground, range)
    const kubeApiServerConfig = { serviceNodePortRange: { minPort: 20_000, maxPort: 32_767 } }
    let arrived: number[] = []
    try {
      await eks.send(new UpdateClusterConfigCommand({ name: cluster.name, kubeApiServerConfig }))
      await untilQuiet(aws)
    } finally {
      arrived = await watched.end()
    }
    let seen = await ground.ports()
    const first = disturbance(nodes, since)
    claim({
      claim: 'The event alone brings the new range into the rules of every node.',
      command: call,
      seen: `rules for ${seen.join(', ')}`,
      holds: seen.every((it) => it === range),
    })
    claim({
      claim: 'With a budget of one, never more than one node is without a ready Felix, and each Felix restarts once.',
      command: call,
      seen: `${first.atOnce} at most; ${first.starts.join(', ')} starts of Felix`,
      holds: first.atOnce === 1 && first.starts.every((it) => it === 1),
    })
    const seconds = arrived.map((at) => (at - since) / 1000)
    measured({
      title: 'From the AWS event to the rule',
      head: ['', 'seconds'],
      rows: [
        ['update of the cluster by the stand-in for EKS', (updateMilliseconds / 1000).toFixed(1)],
        ['event to the new rule on the first node', Math.min(...seconds).toFixed(1)],
        [`event to the new rule on the last of ${nodes.length} nodes`, Math.max(...seconds).toFixed(1)],
        ['a node’s Felix not ready, per change', (first.seconds / nodes.length).toFixed(1)],
      ],
    })
    const before = await objects(ground)
    const untouched = async (command: string, what: string) => {
      await untilQuiet(aws)
      seen = await ground.ports()
      const { starts } = disturbance(nodes, since)
      const after = await objects(ground)
      claim({
        claim: `${what}: nothing restarts and nothing is written.`,
        command,
        seen: `${starts.join(', ')} starts of Felix; ${before === after ? 'no object changed' : `${before} became ${after}`}`,
        holds: starts.every((it) => it === 0) && before === after && seen.every((it) => it === range),
      })
    }
    since = Date.now()
    for (const event of events.slice()) for (let again = 0; again < 3; again += 1) cloud.putEvent(event)
    await untouched('the same events sent to the bus three more times', 'Repeated events')
    since = Date.now()
    const messages = cloud.invocations.filter(({ name }) => name === 'evaluate' || name === 'rollout-step')
    for (const { name, event } of messages.toReversed()) await cloud.invoke(name, event)
    for (const { name, event } of messages) await cloud.invoke(name, event)
    await untouched(
      'every message that the queues had delivered is delivered again, in reverse order and then in order',
      'A replayed queue',
    )
  },
}
