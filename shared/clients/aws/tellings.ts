import { SendMessageCommand, type SQSClient } from '@aws-sdk/client-sqs'
import type { Gathering } from '../../messages.ts'

export interface Tellings {
  /** The delay in seconds, 900 at most: then the waiting notices are processed again. */
  gatherIn: (message: Gathering, seconds: number) => Promise<void>
}

const delayAtMost = 900

export const tellings = (sqs: SQSClient, queue: string): Tellings => ({
  gatherIn: async (message, seconds) => {
    const DelaySeconds = Math.min(delayAtMost, Math.max(0, Math.ceil(seconds)))
    await sqs.send(new SendMessageCommand({ QueueUrl: queue, MessageBody: JSON.stringify(message), DelaySeconds }))
  },
})
