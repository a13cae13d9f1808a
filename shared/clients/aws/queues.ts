import { createHash } from 'node:crypto'
import { SendMessageBatchCommand, SendMessageCommand, type SQSClient } from '@aws-sdk/client-sqs'
import { origin } from '../../correlation.ts'
import { clusterKey, type Evaluation, type RolloutStep, type Telling } from '../../messages.ts'

export interface Queues {
  /**
   * In the message group of its cluster: SQS first delivers messages of clusters with few messages in flight.
   * `delaySeconds`: 0 to 900; more counts as 900, because each wait ends with another evaluation.
   */
  sendEvaluation: (message: Evaluation, options?: { delaySeconds?: number }) => Promise<void>
  /** Requests that a recorded notice is sent. */
  sendTelling: (message: Telling) => Promise<void>
  /**
   * All of them, ten in each call; rejected messages are sent again once. Throws if some could not be sent, with
   * their number.
   */
  sendEvaluations: (messages: readonly Evaluation[]) => Promise<void>
  /** In the message group of its cluster. SQS drops a second message with the same `dedupId` within five minutes. */
  sendRolloutStep: (message: RolloutStep, dedupId: string) => Promise<void>
}

export interface QueueUrls {
  evaluations: string
  /** Only the functions that begin or apply rollouts have one. */
  rolloutSteps?: string
  /** Only the function `tell` has one. */
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
          `SQS rejected ${lost.length} of ${messages.length} evaluations twice; they will be sent again with the next sweep.`,
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

interface BatchEntry {
  MessageBody: string
  MessageGroupId: string
}

const entryOf = (message: Evaluation | Telling): BatchEntry => ({
  MessageBody: bodyOf(message),
  MessageGroupId: fitting('tell' in message ? message.tell.cluster : clusterKey(message.cluster)),
})

/** Passes on the correlation id. */
export const bodyOf = (message: object): string => {
  const { correlationId } = origin() ?? {}
  return JSON.stringify({ ...message, ...(correlationId !== undefined && { correlationId }) })
}

/** Sends all, ten in each call; returns the messages that SQS did not confirm. Throws if a whole batch fails. */
export async function sendBatches(
  sqs: SQSClient,
  QueueUrl: string,
  entries: readonly BatchEntry[],
): Promise<BatchEntry[]> {
  const refused: BatchEntry[] = []
  for (let from = 0; from < entries.length; from += batchSize) {
    const batch = entries.slice(from, from + batchSize)
    const Entries = batch.map((entry, index) => ({ Id: String(index), ...entry }))
    // An answer without a body confirms none of them.
    const { Successful = [] } = await sqs.send(new SendMessageBatchCommand({ QueueUrl, Entries }))
    const confirmed = new Set(Successful.map(({ Id }) => Id))
    refused.push(...batch.filter((_, index) => !confirmed.has(String(index))))
  }
  return refused
}

/** SQS accepts ids of 128 ASCII letters, digits and punctuation; a longer id is replaced by its hash. */
const fitting = (id: string): string => (/^[!-~]{1,128}$/.test(id) ? id : createHash('sha256').update(id).digest('hex'))
