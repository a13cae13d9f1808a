import { randomUUID } from 'node:crypto'
import { buildApp } from 'fauxqs'
import { AwsError } from './aws-error.ts'
import { asText, type Fields, fieldsOf, listOf, numberOf, parseFields, textOf } from './json.ts'
import type { Keyring } from './keyring.ts'
import { isTrue } from './physical.ts'
import type { Resource, Stack } from './template.ts'
import { type Delivery, deliveriesOf, subscriptionsOf, type TopicSubscription } from './topics.ts'

export interface QueuesOptions {
  region: string
  keyring: Keyring
  /** `SendMessage`, `Publish`, … of every accepted signature. */
  onCall?(service: 'sqs' | 'sns', operation: string, callerArn: string): void
  /** What SNS sends elsewhere than to a queue: an e-mail, a call to an https endpoint. */
  onDelivery?(delivery: Delivery): void
}

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
  stop: () => Promise<void>
}

/** SQS and SNS by fauxqs, in process; signatures are asked for, and topics reach more than queues. */
export async function startQueues(options: QueuesOptions): Promise<Queues> {
  const app = buildApp({ logger: false, defaultRegion: options.region })
  // The lab's own calls come by way of `inject` and carry no signature.
  const inside = randomUUID()
  const subscriptions: TopicSubscription[] = []
  app.addHook('preHandler', async (request, reply) => {
    const operation = operationOf(request.headers, request.body)
    try {
      if (request.headers['x-lab'] !== inside) {
        const { credentials } = options.keyring.caller(request.headers)
        options.onCall?.(operation.service, operation.name, credentials.arn)
      }
      if (operation.name === 'Publish')
        for (const delivery of deliveriesOf(fieldsOf(request.body), subscriptions)) options.onDelivery?.(delivery)
    } catch (error) {
      if (!(error instanceof AwsError)) throw error
      await reply.status(error.status).headers(typeOf(operation)).send(refusal(operation, error))
    }
  })
  const url = await app.listen({ port: 0, host: '127.0.0.1' })
  const call = async (headers: Record<string, string>, payload: string): Promise<Fields> => {
    const { statusCode, body } = await app.inject({
      method: 'POST',
      url: '/',
      headers: { 'x-lab': inside, host: new URL(url).host, ...headers },
      payload,
    })
    if (statusCode >= 400) throw new Error(`The lab's SQS and SNS: ${statusCode} ${body}`)
    return parseFields(body) ?? {}
  }
  const sqs = (action: string, input: Fields) =>
    call({ 'content-type': 'application/x-amz-json-1.0', 'x-amz-target': `AmazonSQS.${action}` }, JSON.stringify(input))
  const sns = (input: Record<string, string>) =>
    call({ 'content-type': 'application/x-www-form-urlencoded' }, new URLSearchParams(input).toString())
  const look = async (path: string): Promise<unknown> => {
    const { body } = await app.inject({ method: 'GET', url: path, headers: { 'x-lab': inside } })
    return JSON.parse(body)
  }
  return {
    url,
    deploy: async (stack) => {
      for (const queue of stack.ofType('AWS::SQS::Queue'))
        await sqs('CreateQueue', { QueueName: queue.name, Attributes: attributesOf(queue) })
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
    stop: () => app.close(),
  }
}

interface Operation {
  service: 'sqs' | 'sns'
  name: string
}

function operationOf(headers: Record<string, unknown>, body: unknown): Operation {
  const target = textOf(headers['x-amz-target'])
  if (target !== undefined) return { service: 'sqs', name: target.replace('AmazonSQS.', '') }
  return { service: 'sns', name: String(fieldsOf(body)['Action']) }
}

const typeOf = ({ service }: Operation) => ({
  'content-type': service === 'sqs' ? 'application/x-amz-json-1.0' : 'text/xml',
})

function refusal({ service }: Operation, { code, message }: AwsError): string {
  if (service === 'sqs') return JSON.stringify({ __type: `com.amazon.coral.service#${code}`, message })
  const own = code === 'UnrecognizedClientException' ? 'InvalidClientTokenId' : code
  return `<ErrorResponse><Error><Type>Sender</Type><Code>${own}</Code><Message>${message}</Message></Error></ErrorResponse>`
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
