import { setTimeout as delay } from 'node:timers/promises'
import { type EventPattern, matchesPattern } from './event-pattern.ts'
import { type Fields, fieldsOf, isFields, listOf, numberOf, parseFields, textOf } from './json.ts'
import type { Functions, Invocation } from './lambda.ts'
import type { Message, Queues } from './queues.ts'
import type { Resource, Stack } from './template.ts'

export interface EventSourceOptions {
  queues: Queues
  functions: Functions
  /** Shortens the wait before a failed message is seen again; 1 leaves it to the queue. */
  timeScale: number
  /** Each message is handled this often though all went well, as SQS may have it; once when absent. */
  copies?: number
  onBatch?(batch: Batch): void
  /** The queue or the function could not be reached; the messages come again when they are visible. */
  onFault?(fault: Error): void
}

/** What a mapping did with one batch. */
export interface Batch {
  /** Labels. */
  queue: string
  function: string
  messages: Message[]
  /** Message ids that stay in the queue. */
  failed: string[]
  invocation: Invocation
}

export interface EventSources {
  /** Names of the queues that are polled. */
  queues: string[]
  /** No further batch is taken; `ended` resolves once the queues are closed. */
  stop: () => void
  ended: Promise<unknown>
}

/** Lambda's pollers, one for each event source mapping of the template. */
export function startEventSources(stack: Stack, options: EventSourceOptions): EventSources {
  const stopping = { stopped: false }
  const mappings = stack
    .ofType('AWS::Lambda::EventSourceMapping')
    .filter(({ properties }) => String(properties['Enabled']) !== 'false')
    .map((resource) => mappingOf(stack, resource))
  const ended = Promise.all(mappings.map((mapping) => poll(mapping, options, stopping)))
  return { queues: mappings.map(({ queue }) => queue.name), stop: () => void (stopping.stopped = true), ended }
}

interface Mapping {
  queue: Resource
  target: Resource
  batchSize: number
  windowSeconds: number
  concurrency: number
  reportsItems: boolean
  filters: EventPattern[]
  visibilitySeconds: number
  region: string
}

function mappingOf(stack: Stack, { logicalId, properties }: Resource): Mapping {
  const queue = stack.byArn(String(properties['EventSourceArn']))
  const named = String(properties['FunctionName'])
  const target = stack.ofType('AWS::Lambda::Function').find(({ name, arn }) => name === named || arn === named)
  if (queue?.type !== 'AWS::SQS::Queue' || target === undefined)
    throw new Error(`${logicalId}: the lab maps queues of the template to functions of the template only.`)
  const criteria = listOf(fieldsOf(properties['FilterCriteria'])['Filters'])
  return {
    queue,
    target,
    batchSize: numberOf(properties['BatchSize']) ?? 10,
    windowSeconds: numberOf(properties['MaximumBatchingWindowInSeconds']) ?? 0,
    // Lambda begins with five pollers where no maximum is set.
    concurrency: numberOf(fieldsOf(properties['ScalingConfig'])['MaximumConcurrency']) ?? 5,
    reportsItems: listOf(properties['FunctionResponseTypes']).includes('ReportBatchItemFailures'),
    filters: criteria.map((filter) => parseFields(textOf(fieldsOf(filter)['Pattern']) ?? '') ?? {}),
    visibilitySeconds: numberOf(queue.properties['VisibilityTimeout']) ?? 30,
    region: stack.region,
  }
}

/** Takes batches as long as there are slots. The queue itself keeps a group's messages in order, one in flight. */
async function poll(mapping: Mapping, options: EventSourceOptions, stopping: { stopped: boolean }): Promise<void> {
  const running = new Set<Promise<void>>()
  // A lab that stops closes its queues under what is still under way.
  const failed = (error: unknown) => {
    if (!stopping.stopped) options.onFault?.(error instanceof Error ? error : new Error(String(error)))
  }
  while (!stopping.stopped) {
    if (running.size >= mapping.concurrency) await Promise.race(running)
    const messages = await gather(mapping, options).catch(async (error: unknown) => {
      failed(error)
      if (!stopping.stopped) await delay(1000)
      return []
    })
    if (messages.length === 0) continue
    const handled: Promise<void> = handle(mapping, messages, options)
      .catch(failed)
      .finally(() => running.delete(handled))
    running.add(handled)
  }
  await Promise.all(running)
}

async function gather({ queue, batchSize, windowSeconds }: Mapping, { queues, timeScale }: EventSourceOptions) {
  // Lambda waits 20 s; a wait that begins just as the queues close lasts its whole time, and the lab's stop with it.
  const messages = await queues.receive(queue.ref, Math.min(batchSize, 10), 1)
  if (messages.length === 0 || windowSeconds === 0) return messages
  await delay(windowSeconds * 1000 * timeScale)
  const most = Math.min(batchSize - messages.length, 10)
  return most > 0 ? [...messages, ...(await queues.receive(queue.ref, most, 0))] : messages
}

async function handle(mapping: Mapping, received: Message[], options: EventSourceOptions): Promise<void> {
  const { queue, target, filters } = mapping
  const { queues, functions, timeScale, copies = 1 } = options
  const all = received.map((message) => ({ message, record: recordOf(message, mapping) }))
  const isWanted = (record: Fields) => filters.length === 0 || filters.some((filter) => matchesFilter(filter, record))
  const wanted = all.filter(({ record }) => isWanted(record))
  const messages = wanted.map(({ message }) => message)
  // What the filters drop is deleted, as Lambda does.
  for (const { ReceiptHandle } of received.filter((one) => !messages.includes(one)))
    await queues.remove(queue.ref, ReceiptHandle)
  if (messages.length === 0) return
  const invocation = await functions.invoke(target.arn, { Records: wanted.map(({ record }) => record) })
  const failed = failedOf(invocation, messages, mapping.reportsItems)
  for (const { MessageId, ReceiptHandle, Attributes } of messages) {
    if (!failed.includes(MessageId)) {
      if (Number(Attributes['ApproximateReceiveCount']) < copies)
        await queues.changeVisibility(queue.ref, ReceiptHandle, 0)
      else await queues.remove(queue.ref, ReceiptHandle)
    } else if (timeScale !== 1)
      await queues.changeVisibility(queue.ref, ReceiptHandle, Math.round(mapping.visibilitySeconds * timeScale))
  }
  options.onBatch?.({ queue: queue.label, function: target.label, messages, failed, invocation })
}

/**
 * The messages that stay. Without ReportBatchItemFailures it is all or none; with it, an answer that names a message that was not in
 * the batch counts as all failed.
 * https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
 */
function failedOf({ result }: Invocation, messages: Message[], reportsItems: boolean): string[] {
  const all = messages.map(({ MessageId }) => MessageId)
  if ('error' in result) return all
  const failures = reportsItems ? parseFields(result.payload)?.['batchItemFailures'] : undefined
  if (failures === undefined || failures === null) return []
  if (!Array.isArray(failures)) return all
  const named = failures.map((failure: unknown) => String(fieldsOf(failure)['itemIdentifier']))
  return named.every((id) => all.includes(id)) ? named : all
}

/** The body is matched as JSON where it is JSON. */
const matchesFilter = (filter: EventPattern, record: Fields): boolean =>
  matchesPattern(filter, { ...record, body: parseFields(String(record['body'])) ?? record['body'] })

function recordOf(message: Message, { queue, region }: Mapping): Fields {
  const attributes = Object.entries(message.MessageAttributes).map(([name, attribute]) => [
    name,
    attributeOf(attribute),
  ])
  return {
    messageId: message.MessageId,
    receiptHandle: message.ReceiptHandle,
    body: message.Body,
    attributes: message.Attributes,
    messageAttributes: Object.fromEntries(attributes),
    md5OfBody: message.MD5OfBody,
    eventSource: 'aws:sqs',
    eventSourceARN: queue.arn,
    awsRegion: region,
  }
}

const attributeOf = (attribute: unknown): Fields => {
  const { StringValue, BinaryValue, DataType } = isFields(attribute) ? attribute : {}
  return {
    ...(StringValue !== undefined && { stringValue: StringValue }),
    ...(BinaryValue !== undefined && { binaryValue: BinaryValue }),
    stringListValues: [],
    binaryListValues: [],
    dataType: DataType,
  }
}
