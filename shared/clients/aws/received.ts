import { ChangeMessageVisibilityCommand, SendMessageCommand, type SQSClient } from '@aws-sdk/client-sqs'
import type { SQSRecord } from 'aws-lambda'
import { oneLine } from '../foreign.ts'

/** What can be done with a received message that failed. */
export interface Received {
  /** Moves it to the dead-letter queue with the reason (message attribute `reason`). Throws if SQS rejects it. */
  bury: (record: SQSRecord, reason: string) => Promise<void>
  /** The queue delivers it again after this many seconds, 1 to 43,200. Throws if SQS rejects it. */
  postpone: (record: SQSRecord, seconds: number) => Promise<void>
}

export interface ReceivedUrls {
  queue: string
  deadLetters: string
}

/** SQS counts twelve hours from the receive. */
const postponeAtMost = 43_200

/** Readable in a console and far below the limit of SQS, 1 MiB for body and attributes together. */
const reasonAtMost = 1_000

export const received = (sqs: SQSClient, { queue, deadLetters }: ReceivedUrls): Received => ({
  bury: async ({ body, messageId, attributes }, reason) => {
    const { MessageGroupId, MessageDeduplicationId } = attributes
    const text = (StringValue: string) => ({ DataType: 'String', StringValue })
    await sqs.send(
      new SendMessageCommand({
        QueueUrl: deadLetters,
        MessageBody: body,
        MessageAttributes: { reason: text(oneLine(reason, reasonAtMost) || 'no reason'), messageId: text(messageId) },
        ...(MessageGroupId !== undefined && { MessageGroupId }),
        // Only a FIFO queue has and accepts such ids.
        ...(MessageDeduplicationId !== undefined && { MessageDeduplicationId: messageId }),
      }),
    )
  },
  postpone: async ({ receiptHandle: ReceiptHandle }, seconds) => {
    const VisibilityTimeout = Math.min(postponeAtMost, Math.max(1, Math.ceil(seconds)))
    await sqs.send(new ChangeMessageVisibilityCommand({ QueueUrl: queue, ReceiptHandle, VisibilityTimeout }))
  },
})
