import { randomUUID } from 'node:crypto'
import { AwsError } from './aws-error.ts'
import { type Fields, fieldsOf, listOf, parseFields, textOf } from './json.ts'

type Sqs = (action: string, input: Fields) => Promise<Fields>

/**
 * `StartMessageMoveTask`, which fauxqs does not have: moves each visible message of a dead-letter queue to another queue. As on AWS, only
 * from a queue that is the dead-letter queue of another, and a moved message is a new one with the body, attributes and group that it had.
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_StartMessageMoveTask.html
 */
export const moveMessages = async (sqs: Sqs, input: Fields): Promise<Fields> => {
  const [source, destination] = [textOf(input['SourceArn']) ?? '', textOf(input['DestinationArn'])]
  const queues = await queuesOf(sqs)
  const from = queues.find(({ arn }) => arn === source)
  if (!from)
    throw new AwsError(
      'ResourceNotFoundException',
      404,
      'The resource that you specified for the SourceArn parameter does not exist.',
    )
  const origins = queues.filter(({ deadLetters }) => deadLetters === source)
  if (origins.length === 0)
    throw new AwsError('InvalidParameterValue', 400, 'Source queue must be configured as a Dead Letter Queue.')
  // Without a destination AWS takes each message back to where it came from; with one origin there is no doubt.
  const to = destination === undefined ? origins[0] : queues.find(({ arn }) => arn === destination)
  if (!to)
    throw new AwsError(
      'ResourceNotFoundException',
      404,
      'The resource that you specified for the DestinationArn parameter does not exist.',
    )
  for (;;) {
    const names = { MessageSystemAttributeNames: ['All'], MessageAttributeNames: ['All'] }
    const { Messages } = await sqs('ReceiveMessage', { QueueUrl: from.url, MaxNumberOfMessages: 10, ...names })
    const messages = listOf(Messages).map(fieldsOf)
    if (messages.length === 0) return { TaskHandle: randomUUID() }
    for (const { Body, MessageAttributes, Attributes, ReceiptHandle } of messages) {
      const { MessageGroupId, MessageDeduplicationId } = fieldsOf(Attributes)
      const order = { MessageGroupId, ...(MessageDeduplicationId !== undefined && { MessageDeduplicationId }) }
      await sqs('SendMessage', { QueueUrl: to.url, MessageBody: Body, MessageAttributes, ...order })
      await sqs('DeleteMessage', { QueueUrl: from.url, ReceiptHandle })
    }
  }
}

const queuesOf = async (sqs: Sqs) => {
  const urls = listOf((await sqs('ListQueues', {}))['QueueUrls']).map(String)
  return Promise.all(
    urls.map(async (QueueUrl) => {
      const { Attributes } = await sqs('GetQueueAttributes', { QueueUrl, AttributeNames: ['All'] })
      const { QueueArn, RedrivePolicy } = fieldsOf(Attributes)
      const policy = parseFields(textOf(RedrivePolicy) ?? '{}') ?? {}
      return { url: QueueUrl, arn: String(QueueArn), deadLetters: textOf(policy['deadLetterTargetArn']) }
    }),
  )
}
