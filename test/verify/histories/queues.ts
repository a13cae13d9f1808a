import type { SQSClient } from '@aws-sdk/client-sqs'
import type { Telling } from '../../../shared/messages.ts'
import { receivesAtMost } from '../../../shared/settings.ts'
import type { Party } from './call.ts'
import { type Entry, nameIn, sqsOf, urlOf } from './sqs.ts'
import type { Stage } from './stage.ts'

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
  restsUntil?: number
  /** Messages with this text wait until then. */
  held?: { text: string; until: number }
  messages: Message[]
  /** When an id was last sent: FIFO drops a second one within five minutes. */
  sent: Map<string, number>
}

export interface Queues {
  client: (party: Party) => SQSClient
  attach: (name: string, work: Worker) => void
  /** Nobody works on its messages for so many seconds, as where Lambda has no room for the function. */
  rest: (name: string, seconds: number) => void
  /** Nor on those with this text. */
  hold: (name: string, text: string, seconds: number) => void
  /** Messages that are not done, by queue. */
  left: () => Record<string, Message[]>
  dead: { queue: string; body: string; reason: string }[]
  /** The notices that messages asked to send. */
  tellings: Telling['tell'][]
}

const deduplicationMs = 300_000

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
    if (schedule.now() < (queue.restsUntil ?? 0)) return
    const { text = '', until = 0 } = queue.held ?? {}
    const isHeld = ({ body }: Message) => schedule.now() < until && body.includes(text)
    for (const message of queue.messages)
      if (message.from <= schedule.now() && !isHeld(message) && !isBlocked(queue, message)) deliver(queue, message)
  }
  const enqueue = (url: string, entry: Entry): string => {
    const queue = queues.get(url)
    if (!queue) {
      bury(nameIn(url), entry.MessageBody, entry.MessageAttributes?.reason?.StringValue ?? '')
      return ''
    }
    const id = entry.MessageDeduplicationId
    if (queue.fifo && id !== undefined) {
      const last = queue.sent.get(id)
      if (last !== undefined && schedule.now() - last < deduplicationMs) return id
      queue.sent.set(id, schedule.now())
    }
    const seconds = entry.DelaySeconds ?? 0
    const from = schedule.now() + seconds * 1000 + stage.random.between(1, 40)
    const group = entry.MessageGroupId ?? ''
    const { tell } = JSON.parse(entry.MessageBody) as Partial<Telling>
    if (tell) told.push(tell)
    const message = `m${++count}`
    queue.messages.push({ id: message, body: entry.MessageBody, group, from, receives: 0, receipt: '' })
    schedule.after(from - schedule.now(), () => pump(queue))
    return message
  }
  const postpone = (url: string, receipt: string | undefined, seconds: number): void => {
    const queue = queues.get(url)
    const message = queue?.messages.find((it) => it.receipt === receipt)
    if (!queue || !message) throw new Error('The receipt handle has expired')
    message.from = schedule.now() + seconds * 1000
    schedule.after(seconds * 1000, () => pump(queue))
  }
  return {
    client: (party) => sqsOf(stage, party, { enqueue, postpone }),
    attach: (name, work) => {
      const queue = queues.get(urlOf(name))
      if (queue) queue.work = work
    },
    rest: (name, seconds) => {
      const queue = queues.get(urlOf(name))
      if (!queue) return
      queue.restsUntil = Math.max(queue.restsUntil ?? 0, schedule.now() + seconds * 1000)
      schedule.after(seconds * 1000, () => pump(queue))
    },
    hold: (name, text, seconds) => {
      const queue = queues.get(urlOf(name))
      if (!queue) return
      queue.held = { text, until: schedule.now() + seconds * 1000 }
      schedule.after(seconds * 1000, () => pump(queue))
    },
    left: () => Object.fromEntries([...queues.values()].map(({ name, messages }) => [name, messages])),
    dead,
    tellings: told,
  }
}
