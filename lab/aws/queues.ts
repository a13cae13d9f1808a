import { type Delays, type QueuesOptions, startFauxqs } from './fauxqs.ts'
import { asText, type Fields, fieldsOf, listOf, numberOf } from './json.ts'
import { isTrue } from './physical.ts'
import type { Resource, Stack } from './template.ts'
import { subscriptionsOf, type TopicSubscription } from './topics.ts'

export type { Delays }

export interface Message {
  MessageId: string
  ReceiptHandle: string
  Body: string
  MD5OfBody: string
  Attributes: Record<string, string>
  MessageAttributes: Record<string, Fields>
}

export interface Send {
  queueUrl: string
  body: string
  groupId?: string
  deduplicationId?: string
  attributes?: Record<string, string>
}

export interface Queues {
  /** `http://127.0.0.1:PORT`, for SQS and SNS alike. */
  url: string
  /** Makes the template's queues, topics and subscriptions. */
  deploy: (stack: Stack) => Promise<void>
  send: (message: Send) => Promise<void>
  publish: (topicArn: string, message: string) => Promise<void>
  receive: (queueUrl: string, most: number, waitSeconds: number) => Promise<Message[]>
  remove: (queueUrl: string, receiptHandle: string) => Promise<void>
  changeVisibility: (queueUrl: string, receiptHandle: string, seconds: number) => Promise<void>
  /** Messages by queue name: visible, in flight and delayed together. */
  counts: () => Promise<Record<string, number>>
  /** Bodies of all messages in the queue, whatever their state; nothing is received by looking. */
  peek: (queueName: string) => Promise<string[]>
  /** An object of a bucket of the template; `undefined`: there is none of that key. */
  object: (bucket: string, key: string) => Promise<{ body: Buffer; type: string; encoding: string } | undefined>
  stop: () => Promise<void>
}

/** SQS, SNS and S3, with the template's queues, topics, subscriptions and buckets. */
export async function startQueues(options: QueuesOptions): Promise<Queues> {
  const subscriptions: TopicSubscription[] = []
  const delays = new Map<string, Delays[string]>()
  const { url, sqs, sns, look, makeBucket, object, stop } = await startFauxqs(options, subscriptions, delays)
  return {
    url,
    deploy: async (stack) => {
      for (const queue of stack.ofType('AWS::SQS::Queue')) {
        await sqs('CreateQueue', { QueueName: queue.name, Attributes: attributesOf(queue) })
        const delayed = options.delays?.[queue.label]
        if (delayed !== undefined) delays.set(queue.ref, delayed)
      }
      for (const { ref } of stack.ofType('AWS::S3::Bucket')) await makeBucket(ref)
      for (const { name } of stack.ofType('AWS::SNS::Topic')) await sns({ Action: 'CreateTopic', Name: name })
      for (const subscription of subscriptionsOf(stack)) {
        if (subscription.protocol === 'sqs') await sns(subscribeCall(subscription))
        else subscriptions.push(subscription)
      }
    },
    send: async ({ queueUrl, body, groupId, deduplicationId, attributes = {} }) => {
      const MessageAttributes = Object.fromEntries(
        Object.entries(attributes).map(([name, StringValue]) => [name, { DataType: 'String', StringValue }]),
      )
      const fifo = { MessageGroupId: groupId, MessageDeduplicationId: deduplicationId }
      await sqs('SendMessage', { QueueUrl: queueUrl, MessageBody: body, MessageAttributes, ...fifo })
    },
    publish: async (TopicArn, Message) => void (await sns({ Action: 'Publish', TopicArn, Message })),
    receive: async (QueueUrl, MaxNumberOfMessages, WaitTimeSeconds) => {
      const names = { MessageSystemAttributeNames: ['All'], MessageAttributeNames: ['All'] }
      const { Messages } = await sqs('ReceiveMessage', { QueueUrl, MaxNumberOfMessages, WaitTimeSeconds, ...names })
      return listOf(Messages).map(messageOf)
    },
    remove: async (QueueUrl, ReceiptHandle) => void (await sqs('DeleteMessage', { QueueUrl, ReceiptHandle })),
    changeVisibility: async (QueueUrl, ReceiptHandle, VisibilityTimeout) =>
      void (await sqs('ChangeMessageVisibility', { QueueUrl, ReceiptHandle, VisibilityTimeout })),
    counts: async () => Object.fromEntries(listOf(await look('/_fauxqs/queues')).map(countOf)),
    peek: async (queueName) => {
      const { ready, delayed, inflight } = fieldsOf(fieldsOf(await look(`/_fauxqs/queues/${queueName}`))['messages'])
      const held = listOf(inflight).map((entry) => fieldsOf(entry)['message'])
      return [...listOf(ready), ...held, ...listOf(delayed)].map((message) => String(fieldsOf(message)['body']))
    },
    object,
    stop,
  }
}

/** Properties of the template that are attributes of a queue; all text, and what has structure JSON. */
function attributesOf({ properties, name }: Resource): Record<string, string> {
  const plain = ['VisibilityTimeout', 'DelaySeconds', 'MaximumMessageSize', 'MessageRetentionPeriod'].concat([
    'ReceiveMessageWaitTimeSeconds',
    'ContentBasedDeduplication',
    'RedrivePolicy',
    'RedriveAllowPolicy',
  ])
  const given = plain.flatMap((key) => {
    const value = properties[key]
    return value === undefined ? [] : [[key, asText(value)] as const]
  })
  return {
    ...Object.fromEntries(given),
    ...(isTrue(properties['FifoQueue']) || name.endsWith('.fifo') ? { FifoQueue: 'true' } : {}),
  }
}

function subscribeCall({ topicArn, protocol, endpoint, attributes }: TopicSubscription): Record<string, string> {
  const entries = Object.entries(attributes).flatMap(([key, value], index) => [
    [`Attributes.entry.${index + 1}.key`, key] as const,
    [`Attributes.entry.${index + 1}.value`, value] as const,
  ])
  return {
    Action: 'Subscribe',
    TopicArn: topicArn,
    Protocol: protocol,
    Endpoint: endpoint,
    ...Object.fromEntries(entries),
  }
}

function messageOf(value: unknown): Message {
  const message = fieldsOf(value)
  const texts = (fields: unknown) =>
    Object.fromEntries(Object.entries(fieldsOf(fields)).map(([key, item]) => [key, String(item)]))
  const structured = Object.entries(fieldsOf(message['MessageAttributes'])).map(([key, item]) => [key, fieldsOf(item)])
  return {
    MessageId: String(message['MessageId']),
    ReceiptHandle: String(message['ReceiptHandle']),
    Body: String(message['Body']),
    MD5OfBody: String(message['MD5OfBody']),
    Attributes: texts(message['Attributes']),
    MessageAttributes: Object.fromEntries(structured),
  }
}

function countOf(value: unknown): [string, number] {
  const queue = fieldsOf(value)
  const counts = ['approximateMessageCount', 'approximateInflightCount', 'approximateDelayedCount']
  return [String(queue['name']), counts.reduce((sum, key) => sum + (numberOf(queue[key]) ?? 0), 0)]
}
