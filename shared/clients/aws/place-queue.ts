import { SendMessageCommand, type SQSClient } from '@aws-sdk/client-sqs'
import type { ClosingMessage, PlaceMessage } from '../../messages.ts'
import { bodyOf, sendBatches } from './queues.ts'

/** The queue of accounts and regions that a sweep lists. */
export interface PlaceQueue {
  /**
   * Each is in the message group of its account, so that a slow account does not delay others. Throws if some could
   * not be sent.
   */
  sendPlaces: (messages: readonly PlaceMessage[]) => Promise<void>
  sendClosing: (message: ClosingMessage, delaySeconds?: number) => Promise<void>
}

/** All messages are sent before the first becomes visible. */
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
        throw new Error(`SQS rejected ${lost.length} of ${messages.length} places twice; the sweep is retried.`)
    },
    sendClosing: async (message, delaySeconds = closingDelay) => {
      const MessageBody = bodyOf(message)
      const DelaySeconds = Math.min(900, Math.ceil(delaySeconds))
      await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody, MessageGroupId: 'closing', DelaySeconds }))
    },
  }
}
