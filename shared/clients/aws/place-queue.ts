import { SendMessageCommand, type SQSClient } from '@aws-sdk/client-sqs'
import type { ClosingMessage, PlaceMessage } from '../../messages.ts'
import { bodyOf, sendBatches } from './queues.ts'

/** The queue of accounts and regions that a sweep lists. */
export interface PlaceQueue {
  /** Each in the group of its account: a slow one holds up no other. Throws where some could not be sent. */
  sendPlaces: (messages: readonly PlaceMessage[]) => Promise<void>
  sendClosing: (message: ClosingMessage, delaySeconds?: number) => Promise<void>
}

/** All are sent before the first may be done. */
const closingDelay = 5

export function placeQueue(sqs: SQSClient, QueueUrl: string): PlaceQueue {
  return {
    sendPlaces: async (messages) => {
      const entries = messages.map((message) => ({
        MessageBody: bodyOf(message),
        MessageGroupId: message.place.account,
      }))
      const lost = await sendBatches(sqs, QueueUrl, await sendBatches(sqs, QueueUrl, entries))
      if (lost.length > 0)
        throw new Error(`SQS refused ${lost.length} of ${messages.length} places twice; the sweep is tried again.`)
    },
    sendClosing: async (message, delaySeconds = closingDelay) => {
      const MessageBody = bodyOf(message)
      const DelaySeconds = Math.min(900, Math.ceil(delaySeconds))
      await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody, MessageGroupId: 'closing', DelaySeconds }))
    },
  }
}
