import type { SNSClient } from '@aws-sdk/client-sns'
import type { SQSClient } from '@aws-sdk/client-sqs'
import type { Telling } from '../../../shared/messages.ts'
import { receivesAtMost } from '../../../shared/settings.ts'
import { call, type Party } from './call.ts'
import type { Stage } from './stage.ts'
import { errorsOf } from './table.ts'

export interface Message {
  id: string
  body: string
  group: string
  /** From then on it may be delivered. */
  from: number
  receives: number
  /** Of the newest delivery. */
  receipt: string
}

/** Works on one delivered message; answers whether it may be deleted. */
export type Worker = (message: Message) => Promise<boolean>

interface Queue {
  name: string
  fifo: boolean
  visibilitySeconds: number
  work?: Worker
  messages: Message[]
  /** When an id was last sent: FIFO drops a second one within five minutes. */
  sent: Map<string, number>
}

export interface Queues {
  client: (party: Party) => SQSClient
  attach: (name: string, work: Worker) => void
  /** Messages that are not done, by queue. */
  left: () => Record<string, Message[]>
  dead: { queue: string; body: string; reason: string }[]
  /** The notices that messages asked to send. */
  tellings: Telling['tell'][]
}

interface Entry {
  MessageBody: string
  MessageGroupId?: string
  MessageDeduplicationId?: string
  DelaySeconds?: number
  MessageAttributes?: { reason?: { StringValue?: string } }
}

type Input = Entry & {
  QueueUrl: string
  Entries?: (Entry & { Id: string })[]
  ReceiptHandle?: string
  VisibilityTimeout?: number
}

const deduplicationMs = 300_000
export const urlOf = (name: string): string => `https://sqs/${name}`
export const deadOf = (name: string): string => `${urlOf(name)}-dead`

/** SQS: at least once, in any order; FIFO keeps the order of a group and has one of its messages in flight. */
export const queuesOf = (
  stage: Stage,
  names: { name: string; fifo?: boolean; visibilitySeconds: number }[],
): Queues => {
  const { schedule, faults, note } = stage
  const queues = new Map<string, Queue>(
    names.map((it) => [urlOf(it.name), { ...it, fifo: it.fifo ?? false, messages: [], sent: new Map() }]),
  )
  const dead: Queues['dead'] = []
  const told: Queues['tellings'] = []
  let count = 0
  const bury = (queue: string, body: string, reason: string): void => {
    dead.push({ queue, body, reason })
    note('SQS', `${queue}: a dead letter and its alarm: ${reason}`)
  }
  const isBlocked = (queue: Queue, message: Message): boolean =>
    queue.fifo && queue.messages.find(({ group }) => group === message.group) !== message
  const work = async (queue: Queue, message: Message): Promise<void> => {
    const isDone = await queue.work?.({ ...message })
    if (!isDone || faults.happens('done, but delivered again', 0.01)) return
    queue.messages = queue.messages.filter((it) => it !== message)
    pump(queue)
  }
  const deliver = (queue: Queue, message: Message): void => {
    message.receives += 1
    message.receipt = `${message.id} ${message.receives}`
    message.from = schedule.now() + queue.visibilitySeconds * 1000
    schedule.after(queue.visibilitySeconds * 1000, () => pump(queue))
    if (message.receives > receivesAtMost) {
      queue.messages = queue.messages.filter((it) => it !== message)
      bury(queue.name, message.body, 'received too often')
      return pump(queue)
    }
    void work(queue, message)
  }
  const pump = (queue: Queue): void => {
    for (const message of queue.messages)
      if (message.from <= schedule.now() && !isBlocked(queue, message)) deliver(queue, message)
  }
  const enqueue = (url: string, entry: Entry): void => {
    const queue = queues.get(url)
    if (!queue)
      return bury(
        url.replace('https://sqs/', ''),
        entry.MessageBody,
        entry.MessageAttributes?.reason?.StringValue ?? '',
      )
    const id = entry.MessageDeduplicationId
    if (queue.fifo && id !== undefined) {
      const last = queue.sent.get(id)
      if (last !== undefined && schedule.now() - last < deduplicationMs) return
      queue.sent.set(id, schedule.now())
    }
    const seconds = entry.DelaySeconds ?? 0
    const from = schedule.now() + seconds * 1000 + stage.random.between(1, 40)
    const group = entry.MessageGroupId ?? ''
    const { tell } = JSON.parse(entry.MessageBody) as Partial<Telling>
    if (tell) told.push(tell)
    queue.messages.push({ id: `m${++count}`, body: entry.MessageBody, group, from, receives: 0, receipt: '' })
    schedule.after(from - schedule.now(), () => pump(queue))
  }
  const effects: Record<string, (input: Input) => object> = {
    SendMessageCommand: (input) => {
      enqueue(input.QueueUrl, input)
      return { MessageId: `m${count}` }
    },
    SendMessageBatchCommand: ({ QueueUrl, Entries = [] }) => {
      const accepted = Entries.filter(() => !faults.happens('SQS refuses one of a batch', 0.002))
      for (const entry of accepted) enqueue(QueueUrl, entry)
      return { Successful: accepted.map(({ Id }) => ({ Id })) }
    },
    ChangeMessageVisibilityCommand: ({ QueueUrl, ReceiptHandle, VisibilityTimeout = 0 }) => {
      const queue = queues.get(QueueUrl)
      const message = queue?.messages.find(({ receipt }) => receipt === ReceiptHandle)
      if (!queue || !message) throw new Error('The receipt handle has expired')
      message.from = schedule.now() + VisibilityTimeout * 1000
      schedule.after(VisibilityTimeout * 1000, () => pump(queue))
      return {}
    },
  }
  const clientOf = (party: Party) => ({
    send: (command: { input: Input; constructor: { name: string } }) => {
      const { input } = command
      const { name } = command.constructor
      const effect = effects[name]
      if (!effect) throw new Error(`SQS has no ${name}.`)
      const what = `SQS ${name.replace('Command', '')} ${input.QueueUrl.replace('https://sqs/', '')}`
      return call(stage, party, { what, isWrite: true, effect: () => effect(input), errors: errorsOf('SQS') })
    },
  })
  return {
    client: (party) => clientOf(party) as unknown as SQSClient,
    attach: (name, work) => {
      const queue = queues.get(urlOf(name))
      if (queue) queue.work = work
    },
    left: () => Object.fromEntries([...queues.values()].map(({ name, messages }) => [name, messages])),
    dead,
    tellings: told,
  }
}

export interface Published {
  at: number
  by: string
  subject: string
  /** The id of the notice: the same where it is sent again. */
  notice: string
  kind: string
  clusters: string[]
}

interface Publish {
  Subject?: string
  MessageAttributes?: Record<string, { StringValue?: string }>
}

/** SNS: `published` is what its subscribers got. */
export const topicOf = (stage: Stage, published: Published[]) => ({
  client: (party: Party): SNSClient => {
    const send = ({ input }: { input: Publish }) =>
      call(stage, party, {
        what: 'SNS Publish',
        isWrite: true,
        errors: errorsOf('SNS'),
        effect: () => {
          const value = (name: string) => input.MessageAttributes?.[name]?.StringValue ?? ''
          const cluster = value('cluster')
          published.push({
            at: stage.schedule.now(),
            by: party.name,
            subject: input.Subject ?? '',
            notice: value('notice'),
            kind: value('kind'),
            clusters: cluster.startsWith('[') ? (JSON.parse(cluster) as string[]) : [cluster],
          })
          stage.note('SNS', `published: ${input.Subject} ${value('notice')}`)
          return { MessageId: `n${published.length}` }
        },
      })
    return { send } as unknown as SNSClient
  },
})
