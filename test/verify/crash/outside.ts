import { DynamoDBClient, type DynamoDBClient as Dynamo, GetItemCommand, QueryCommand } from '@aws-sdk/client-dynamodb'
import type { SNSClient } from '@aws-sdk/client-sns'
import type { SQSClient } from '@aws-sdk/client-sqs'
import type { KubeClient } from '../../../shared/clients/kube/client.ts'
import type { JournalEntry } from '../../../shared/domain/rollout/journal.ts'
import { startDynamo } from '../../../lab/aws/dynamo.ts'
import type { Life } from './life.ts'
import type { Post } from './post.ts'
import { recordsTable } from '../../records-table.ts'

/** The clients' own code runs; under it the AWS SDK's `send` is ours, so that each command that changes anything is an effect. */

const nameOf = (command: unknown): string => (command as object).constructor.name.replace(/Command$/, '')

export const table = 'records'

export interface Tables {
  dynamo: DynamoDBClient
  stop: () => Promise<void>
}

/** A table as the stack makes it, in memory. */
export const startTables = async (): Promise<Tables> => {
  const { url: endpoint, stop } = await startDynamo()
  const credentials = { accessKeyId: 'lab', secretAccessKey: 'lab' }
  const dynamo = new DynamoDBClient({ endpoint, region: 'us-east-1', credentials })
  await recordsTable(dynamo, table)
  return {
    dynamo,
    stop: async () => {
      dynamo.destroy()
      await stop()
    },
  }
}

/** The writes of one cluster, those that functions recorded and those that only the cluster tells of. */
export const writesOnRecord = async (dynamo: Dynamo, cluster: string): Promise<JournalEntry[]> => {
  const kinds = await Promise.all(['write#', 'claim#'].map((kind) => recordsOf(dynamo, cluster, kind)))
  return kinds.flat()
}

const recordsOf = async (dynamo: Dynamo, cluster: string, kind: string): Promise<JournalEntry[]> => {
  const { Items = [] } = await dynamo.send(
    new QueryCommand({
      TableName: table,
      KeyConditionExpression: '#cluster = :cluster AND begins_with(#record, :write)',
      ExpressionAttributeNames: { '#cluster': 'cluster', '#record': 'record' },
      ExpressionAttributeValues: { ':cluster': { S: cluster }, ':write': { S: kind } },
    }),
  )
  const text = (item: (typeof Items)[number], name: string) => item[name]?.S ?? ''
  return Items.map((item) => ({
    at: text(item, 'at'),
    rollout: text(item, 'rollout'),
    what: text(item, 'what'),
    object: text(item, 'object'),
    by: text(item, 'by'),
    why: text(item, 'why'),
  }))
}

export const mortalTables = (dynamo: Dynamo, life: Life): Dynamo => {
  const send = (command: never) =>
    (command as unknown) instanceof GetItemCommand || (command as unknown) instanceof QueryCommand
      ? dynamo.send(command)
      : life.effect(`records ${nameOf(command)} ${recordOf(command)}`, () => dynamo.send(command))
  return { send } as unknown as Dynamo
}

const recordOf = (command: {
  input: { Item?: Record<string, { S?: string }>; Key?: Record<string, { S?: string }> }
}) => (command.input.Item ?? command.input.Key)?.['record']?.S?.replace(/#.*/, '') ?? ''

export const mortalQueues = (post: Post, life: Life): SQSClient => {
  const send = (command: { input: { QueueUrl?: string } }) =>
    life.effect(`queue ${command.input.QueueUrl}`, () => post.send(command))
  return { send } as unknown as SQSClient
}

/** A notice as it went out; `heard`: whoever sent it was told so. */
export interface Published {
  subject: string
  text: string
  heard: boolean
}

export const mortalNotices = (published: Published[], life: Life): SNSClient => {
  const send = async ({ input }: { input: { Subject?: string; Message?: string } }) => {
    const notice: Published = { subject: input.Subject ?? '', text: input.Message ?? '', heard: false }
    await life.effect(`notice ${notice.subject}`, async () => void published.push(notice))
    notice.heard = true
    return { MessageId: String(published.length) }
  }
  return { send } as unknown as SNSClient
}

/** Creating, changing and deleting are effects; a dry run changes nothing. */
export const crashingKube = (kube: KubeClient, life: Life): KubeClient => ({
  ...kube,
  putLease: (change) => life.effect('kube putLease', () => kube.putLease(change)),
  createFelix: (api, draft, options) =>
    options?.dryRun
      ? kube.createFelix(api, draft, options)
      : life.effect(`kube create ${draft.name}`, () => kube.createFelix(api, draft, options)),
  patchFelix: (api, patch, options) =>
    options?.dryRun
      ? kube.patchFelix(api, patch, options)
      : life.effect(`kube patch ${patch.name}`, () => kube.patchFelix(api, patch, options)),
  deleteFelix: (api, object) => life.effect(`kube delete ${object.name}`, () => kube.deleteFelix(api, object)),
  deletePod: (pod) => life.effect(`kube restart ${pod.name}`, () => kube.deletePod(pod)),
})
