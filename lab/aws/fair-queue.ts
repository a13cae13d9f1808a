import { S3Store } from '../../node_modules/fauxqs/dist/s3/s3Store.js'
import { SnsStore } from '../../node_modules/fauxqs/dist/sns/snsStore.js'
import { type SqsQueue, SqsStore } from '../../node_modules/fauxqs/dist/sqs/sqsStore.js'
import { type Fields, fieldsOf, listOf, textOf } from './json.ts'

/**
 * Fair queues, which fauxqs does not have: on a standard queue it drops MessageGroupId. As AWS describes them:
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-fair-queues-detailed.html
 */
const most = { share: 0.1, inFlight: 30, recentMs: 300_000 }

export interface FairStores {
  stores: { sqsStore: SqsStore; snsStore: SnsStore; s3Store: S3Store }
  /** Before a call is carried out: remembers the groups of what it sends. */
  hear: (operation: string, body: unknown) => void
}

/** The stores of fauxqs, its standard queues fair. */
export function fairStores(now: () => number = Date.now): FairStores {
  const sqsStore = new SqsStore()
  // fauxqs keeps the very object that holds a message's attributes.
  const groups = new WeakMap<object, string>()
  const createQueue = sqsStore.createQueue.bind(sqsStore)
  sqsStore.createQueue = (...queue) => fairly(createQueue(...queue), groups, now)
  const remember = (message: Fields) => {
    const group = textOf(message['MessageGroupId'])
    if (group === undefined) return
    message['MessageAttributes'] ??= {}
    groups.set(fieldsOf(message['MessageAttributes']), group)
  }
  return {
    stores: { sqsStore, snsStore: new SnsStore(), s3Store: new S3Store() },
    hear: (operation, body) => {
      if (operation === 'SendMessage') remember(fieldsOf(body))
      if (operation === 'SendMessageBatch')
        for (const entry of listOf(fieldsOf(body)['Entries'])) remember(fieldsOf(entry))
    },
  }
}

interface Handled {
  group: string
  from: number
  to?: number
}

function fairly(queue: SqsQueue, groups: WeakMap<object, string>, now: () => number): SqsQueue {
  if (queue.isFifo()) return queue
  const [enqueue, dequeue] = [queue.enqueue.bind(queue), queue.dequeue.bind(queue)]
  const deleteMessage = queue.deleteMessage.bind(queue)
  const handled = new Map<string, Handled>()
  const sentAt = new Map<string, number>()
  const noisy = new Set<string>()
  /** A message without a group is a tenant of its own. */
  const groupOf = ({ messageGroupId, messageId }: (typeof queue.messages)[number]) => messageGroupId ?? messageId
  return Object.assign(queue, {
    enqueue: (message: (typeof queue.messages)[number]) => {
      const group = message.messageGroupId ?? groups.get(message.messageAttributes)
      if (group !== undefined) message.messageGroupId = group
      sentAt.set(groupOf(message), now())
      enqueue(message)
    },
    dequeue: (...most: Parameters<typeof dequeue>) => {
      queue.processTimers()
      const inFlight = countedBy([...queue.inflightMessages.values()].map(({ message }) => groupOf(message)))
      const waiting = new Set(queue.messages.map(groupOf))
      for (const group of noisy) if (!waiting.has(group) || isSilent(sentAt.get(group), now())) calm(group)
      for (const group of waiting) if (isNoisy(group, inFlight)) noisy.add(group)
      const behind = (it: (typeof queue.messages)[number]) =>
        noisy.has(groupOf(it)) ? 1 + (inFlight.get(groupOf(it)) ?? 0) : 0
      if (waiting.size > 1 && noisy.size > 0) queue.messages = queue.messages.toSorted((a, b) => behind(a) - behind(b))
      const received = dequeue(...most)
      for (const { ReceiptHandle } of received) {
        const message = queue.inflightMessages.get(ReceiptHandle)?.message
        if (message) handled.set(ReceiptHandle, { group: groupOf(message), from: now() })
      }
      return received
    },
    deleteMessage: (handle: string) => {
      const it = handled.get(handle)
      if (it) it.to = now()
      return deleteMessage(handle)
    },
  })

  /** Its backlog is gone, or it sent nothing for five minutes. */
  function calm(group: string): void {
    noisy.delete(group)
    for (const [handle, it] of handled) if (it.group === group) handled.delete(handle)
  }

  /** More than a tenth of what is in flight and at least thirty messages, or more than a tenth of the consumers' time. */
  function isNoisy(group: string, inFlight: Map<string, number>): boolean {
    const own = inFlight.get(group) ?? 0
    const all = [...inFlight.values()].reduce((sum, count) => sum + count, 0)
    if (own >= most.inFlight && own > all * most.share) return true
    const since = now() - most.recentMs
    for (const [handle, { to = now() }] of handled) if (to < since) handled.delete(handle)
    const timeOf = (its: Handled[]) => its.reduce((sum, { from, to = now() }) => sum + to - from, 0)
    const times = [...handled.values()]
    return timeOf(times.filter((it) => it.group === group)) > timeOf(times) * most.share
  }
}

const isSilent = (sentAt: number | undefined, now: number): boolean => (sentAt ?? 0) < now - most.recentMs

const countedBy = (groups: string[]): Map<string, number> => {
  const counts = new Map<string, number>()
  for (const group of groups) counts.set(group, (counts.get(group) ?? 0) + 1)
  return counts
}
