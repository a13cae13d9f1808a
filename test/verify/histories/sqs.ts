import type { SQSClient } from '@aws-sdk/client-sqs'
import { call, type Party } from './call.ts'
import type { Stage } from './stage.ts'
import { errorsOf } from './table.ts'

export const urlOf = (name: string): string => `https://sqs/${name}`
export const nameIn = (url: string): string => url.replace('https://sqs/', '')
export const deadOf = (name: string): string => `${urlOf(name)}-dead`

export interface Entry {
  MessageBody: string
  MessageGroupId?: string
  MessageDeduplicationId?: string
  DelaySeconds?: number
  MessageAttributes?: { reason?: { StringValue?: string } }
}

interface Effects {
  /** Answers the id of the message. */
  enqueue: (url: string, entry: Entry) => string
  postpone: (url: string, receipt: string | undefined, seconds: number) => void
}

type Input = Entry & {
  QueueUrl: string
  Entries?: (Entry & { Id: string })[]
  ReceiptHandle?: string
  VisibilityTimeout?: number
}

/** SQS as one party sees it. */
export const sqsOf = (stage: Stage, party: Party, { enqueue, postpone }: Effects): SQSClient => {
  const effects: Record<string, (input: Input) => object> = {
    SendMessageCommand: (input) => {
      checkWord(stage, party, input)
      return { MessageId: enqueue(input.QueueUrl, input) }
    },
    SendMessageBatchCommand: ({ QueueUrl, Entries = [] }) => {
      const accepted = Entries.filter(() => !stage.faults.happens('SQS refuses one of a batch', 0.002))
      for (const entry of accepted) enqueue(QueueUrl, entry)
      return { Successful: accepted.map(({ Id }) => ({ Id })) }
    },
    ChangeMessageVisibilityCommand: ({ QueueUrl, ReceiptHandle, VisibilityTimeout = 0 }) => {
      postpone(QueueUrl, ReceiptHandle, VisibilityTimeout)
      return {}
    },
  }
  const send = (command: { input: Input; constructor: { name: string } }) => {
    const { input } = command
    const { name } = command.constructor
    const effect = effects[name]
    if (!effect) throw new Error(`SQS has no ${name}.`)
    const what = `SQS ${name.replace('Command', '')} ${nameIn(input.QueueUrl)}`
    return call(stage, party, { what, isWrite: true, effect: () => effect(input), errors: errorsOf('SQS') })
  }
  return { send } as unknown as SQSClient
}

/** What one function asks of the next: no sooner than the server has allowed, and about the same cluster. */
const checkWord = ({ check }: Stage, party: Party, { QueueUrl, MessageBody, DelaySeconds = 0 }: Input): void => {
  const body = JSON.parse(MessageBody) as { reason?: string; incarnation?: string }
  const { refusedFor, incarnation, name } = party
  if (refusedFor !== undefined && body.reason === 'rollout') {
    const isSooner = DelaySeconds < refusedFor
    const fault = `${name} goes on in ${DelaySeconds} s, and the server has asked for ${refusedFor} s`
    check('Retry-After is kept', isSooner ? fault : undefined)
  }
  if (incarnation === undefined || body.incarnation === undefined) return
  const fault = `${name} works for the cluster of ${incarnation}, and sends to ${nameIn(QueueUrl)} about that of ${body.incarnation}`
  check('a message is about one cluster', body.incarnation === incarnation ? undefined : fault)
}
