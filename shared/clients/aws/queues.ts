import { createHash } from 'node:crypto'
import { SendMessageBatchCommand, SendMessageCommand, type SQSClient } from '@aws-sdk/client-sqs'
import { origin } from '../../correlation.ts'
import { clusterKey, type Evaluation, type RolloutStep, type Telling } from '../../messages.ts'

export interface Queues {
  /** In the group of its cluster: SQS hands out first what is of clusters with few messages under way. `delaySeconds`: 0 to 900; more counts as 900, since each wait ends with another look. */
  sendEvaluation: (message: Evaluation, options?: { delaySeconds?: number }) => Promise<void>
  /** Asks for a notice that is on record to be sent. */
  sendTelling: (message: Telling) => Promise<void>
  /** All of them, ten a call; what was refused is sent again once. Throws where some could not be sent, naming how many. */
  sendEvaluations: (messages: readonly Evaluation[]) => Promise<void>
  /** In the queue of its cluster. A second message of one `dedupId` within five minutes is dropped by SQS. */
  sendRolloutStep: (message: RolloutStep, dedupId: string) => Promise<void>
}

export interface QueueUrls {
  evaluations: string
  /** Only the functions that carry out rollouts have one. */
  rolloutSteps?: string
  /** Only the function that tells has one. */
  tellings?: string
}

/** SQS' longest delay of one message. */
const delayAtMost = 900
const batchSize = 10

export function queues(sqs: SQSClient, urls: QueueUrls): Queues {
  const QueueUrl = urls.evaluations
  const sendOne = async (message: Evaluation, more: { DelaySeconds?: number } = {}) => {
    await sqs.send(new SendMessageCommand({ QueueUrl, ...entryOf(message), ...more }))
  }
  return {
    sendEvaluation: (message, { delaySeconds = 0 } = {}) =>
      sendOne(message, { DelaySeconds: Math.min(delayAtMost, Math.max(0, Math.ceil(delaySeconds))) }),
    sendTelling: async (message) => {
      await sqs.send(new SendMessageCommand({ QueueUrl: urls.tellings, ...entryOf(message) }))
    },
    sendEvaluations: async (messages) => {
      const refused = await sendBatches(sqs, QueueUrl, messages.map(entryOf))
      const lost = await sendBatches(sqs, QueueUrl, refused)
      if (lost.length > 0)
        throw new Error(
          `SQS refused ${lost.length} of ${messages.length} evaluations twice; they will be sent again with the next sweep.`,
        )
    },
    sendRolloutStep: async (message, dedupId) => {
      const command = {
        QueueUrl: urls.rolloutSteps,
        MessageBody: bodyOf(message),
        MessageGroupId: fitting(clusterKey(message.cluster)),
        MessageDeduplicationId: fitting(dedupId),
      }
      await sqs.send(new SendMessageCommand(command))
    },
  }
}

interface Entry {
  MessageBody: string
  MessageGroupId: string
}

const entryOf = (message: Evaluation | Telling): Entry => ({
  MessageBody: bodyOf(message),
  MessageGroupId: fitting('tell' in message ? message.tell.cluster : clusterKey(message.cluster)),
})

/** Whatever led to it goes on with it. */
export const bodyOf = (message: object): string => {
  const { correlationId } = origin() ?? {}
  return JSON.stringify({ ...message, ...(correlationId !== undefined && { correlationId }) })
}

/** Sends all, ten a call; answers what SQS refused. A batch that fails as a whole throws. */
export async function sendBatches(sqs: SQSClient, QueueUrl: string, entries: readonly Entry[]): Promise<Entry[]> {
  const refused: Entry[] = []
  for (let from = 0; from < entries.length; from += batchSize) {
    const batch = entries.slice(from, from + batchSize)
    const Entries = batch.map((entry, index) => ({ Id: String(index), ...entry }))
    const { Failed = [] } = await sqs.send(new SendMessageBatchCommand({ QueueUrl, Entries }))
    refused.push(...Failed.flatMap(({ Id }) => batch[Number(Id)] ?? []))
  }
  return refused
}

/** SQS takes 128 letters, digits and signs of ASCII in ids; a longer one counts by its hash. */
const fitting = (id: string): string => (/^[!-~]{1,128}$/.test(id) ? id : createHash('sha256').update(id).digest('hex'))
