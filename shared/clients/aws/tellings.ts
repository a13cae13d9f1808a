import { SendMessageCommand, type SQSClient } from '@aws-sdk/client-sqs'
import type { Gathering } from '../../messages.ts'
import type { Retelling } from '../../retelling.ts'

export interface Tellings {
  /** The delay in seconds, 900 at most: then the waiting notices are processed again. */
  gatherIn: (message: Gathering, seconds: number) => Promise<void>
  /** Then the notice is sent to the topics that have not accepted it. */
  retellIn: (message: Retelling, seconds: number) => Promise<void>
}

const delayAtMost = 900

export const tellings = (sqs: SQSClient, queue: string): Tellings => {
  const sendIn = async (message: Gathering | Retelling, seconds: number) => {
    const DelaySeconds = Math.min(delayAtMost, Math.max(0, Math.ceil(seconds)))
    await sqs.send(new SendMessageCommand({ QueueUrl: queue, MessageBody: JSON.stringify(message), DelaySeconds }))
  }
  return { gatherIn: sendIn, retellIn: sendIn }
}
