import { Duration, Validations } from 'aws-cdk-lib'
import type { IKey } from 'aws-cdk-lib/aws-kms'
import type { ITopic } from 'aws-cdk-lib/aws-sns'
import { Queue, QueueEncryption, type QueueProps } from 'aws-cdk-lib/aws-sqs'
import type { Construct } from 'constructs'
import { receivesAtMost } from '../shared/settings.ts'
import { alarm, type RunbookSection } from './alarms.ts'

export interface DeadLetters {
  /** The effect of dead letters, in one sentence. */
  meaning: string
  runbook: RunbookSection
  alarms: ITopic
  key?: IKey | undefined
}

/** Encrypted with the customer's key if there is one. A data key is reused for an hour, to limit calls to KMS. */
const safe = (key: IKey | undefined): QueueProps => ({
  enforceSSL: true,
  ...(key
    ? { encryption: QueueEncryption.KMS, encryptionMasterKey: key, dataKeyReuse: Duration.hours(1) }
    : { encryption: QueueEncryption.SQS_MANAGED }),
})

/** A dead-letter queue: it keeps failed messages for the maximum time of SQS, and its alarm notifies at once. */
export const deadLetterQueue = (
  scope: Construct,
  id: string,
  { meaning, runbook, alarms, key }: DeadLetters,
  fifo = false,
) => {
  const queue = new Queue(scope, id, { ...safe(key), ...(fifo ? { fifo } : {}), retentionPeriod: Duration.days(14) })
  Validations.of(queue).acknowledge({ id: 'AwsSolutions-SQS3', reason: 'This queue is itself a dead-letter queue.' })
  const period = Duration.minutes(1)
  const metric = queue.metricApproximateNumberOfMessagesVisible({ period, statistic: 'Maximum' })
  alarm(queue, 'NotEmpty', alarms, { meaning, runbook, metric })
  return queue
}

export interface Work {
  fifo?: true
  /** Of the function that processes it. */
  functionTimeout: Duration
  deadLetters: DeadLetters
}

/**
 * A work queue with its dead-letter queue. The visibility timeout is six times the function timeout, as Lambda
 * recommends, so that a message that is delayed by throttling is not delivered twice.
 */
export const workQueue = (scope: Construct, id: string, { fifo, functionTimeout, deadLetters }: Work): Queue =>
  new Queue(scope, id, {
    ...safe(deadLetters.key),
    // Ids are derived from what caused a message; a hash of the body would drop the second of two equal steps.
    ...(fifo ? { fifo, contentBasedDeduplication: false } : {}),
    visibilityTimeout: Duration.seconds(functionTimeout.toSeconds() * 6),
    retentionPeriod: Duration.days(4),
    deadLetterQueue: {
      queue: deadLetterQueue(scope, `${id}DeadLetters`, deadLetters, fifo),
      maxReceiveCount: receivesAtMost,
    },
  })

/** The settings of a function for the queue that it processes. */
export const workedQueue = ({ queueUrl, deadLetterQueue }: Queue) => ({
  WORK_QUEUE_URL: queueUrl,
  DEAD_LETTERS_QUEUE_URL: deadLetterQueue?.queue.queueUrl ?? '',
})
