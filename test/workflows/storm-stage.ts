import type { Batch, HeldNotices } from '../../shared/clients/aws/held-notices.ts'
import type { NoticeKey } from '../../shared/clients/aws/records.ts'
import type { GatherRules, HeldNotice, ReportedCauses } from '../../shared/domain/notice/gather.ts'
import type { OutgoingNotice } from '../../shared/domain/notice/outgoing.ts'
import { PermanentError } from '../../shared/errors.ts'
import type { Gathering, Telling } from '../../shared/messages.ts'
import { gather, type GatherTools, tellOrHold } from '../../shared/workflows/fleet/tell-gather.ts'
import { type OtherTopic, sendNotice } from '../../shared/workflows/fleet/tell-send.ts'
import type { Retelling } from '../../shared/retelling.ts'
import { tellOnce } from '../../shared/workflows/fleet/tell.ts'

type Message = Telling | Gathering | Retelling
interface Waiting {
  at: number
  message: Message
  receives: number
}

export interface Published {
  /** Seconds since the start. */
  second: number
  topic: string
  notice: OutgoingNotice
}

export interface StormOptions {
  rules: GatherRules
  start?: string
  others?: Omit<OtherTopic, 'notices'>[]
  tags?: string[]
  /** Throws where the function is to die: called before each effect. */
  dies?: (effect: string) => void
  /** Throws where a topic rejects the notice. */
  rejects?: (topic: string, notice: OutgoingNotice) => void
}

/** Of DynamoDB, in bytes. */
const itemAtMost = 400 * 1_024

const visibilitySeconds = 360

/** The queue of notices, the records and the topics in memory, by a clock of its own. */
export const storm = ({
  rules,
  start = '2026-11-20T10:00:00.000Z',
  others = [],
  tags = [],
  dies,
  rejects,
}: StormOptions) => {
  const begun = Date.parse(start)
  let second = 0
  let isDead = false
  const queue: Waiting[] = []
  const published: Published[] = []
  const dead: { message: Message; reason: string }[] = []
  const kept = new Map<string, OutgoingNotice>()
  const claims = new Map<string, number | 'told'>()
  const held = new Map<string, HeldNotice>()
  const state: { batch?: Batch | undefined; told: ReportedCauses } = { told: {} }
  const id = ({ cluster, hash }: NoticeKey) => `${cluster} ${hash}`
  const stored = <T>(item: T): T => {
    if (Buffer.byteLength(JSON.stringify(item)) > itemAtMost) throw new Error('Item size has exceeded the maximum')
    return item
  }
  const effect = <T>(name: string, act: () => T): Promise<T> =>
    new Promise((resolve) => {
      // Who was killed does nothing more for this message.
      if (isDead) throw new Error('killed')
      isDead = true
      dies?.(name)
      isDead = false
      resolve(act())
    })
  const now = () => new Date(begun + second * 1_000)
  const records: GatherTools['records'] = {
    keepNotice: (key, notice) => effect('keep', () => void (kept.has(id(key)) || kept.set(id(key), stored(notice)))),
    keptNotice: async (key) => kept.get(id(key)),
    reserve: (key) =>
      effect('claim', () => {
        const claimed = claims.get(id(key))
        if (claimed === 'told') return 'told'
        if (claimed !== undefined && second - claimed < 300) return 'busy'
        claims.set(id(key), second)
        return 'reserved'
      }),
    confirm: (key) => effect('confirm', () => void claims.set(id(key), 'told')),
    release: (key) => effect('release', () => void claims.set(id(key), Number.NEGATIVE_INFINITY)),
  }
  const heldNotices: HeldNotices = {
    isTold: async (key) => claims.get(id(key)) === 'told',
    hold: (it) => effect('hold', () => void (held.has(it.hash) || held.set(it.hash, stored(it)))),
    all: async () => [...held.values()],
    remove: ({ hash }) => effect('remove', () => void held.delete(hash)),
    batch: async () => state.batch,
    open: (batch) => effect('open', () => state.batch === undefined && Boolean((state.batch = stored(batch)))),
    close: () => effect('close', () => void (state.batch = undefined)),
    told: async () => state.told,
    putTold: (told) => effect('putTold', () => void (state.told = told)),
  }
  const send = (message: Message, delay = 0) => void queue.push({ at: second + delay, message, receives: 0 })
  const sendIn = (message: Message, seconds: number) => effect('send', () => send(message, Math.min(900, seconds)))
  const publisher = (topic: string) => ({
    publish: (notice: OutgoingNotice) =>
      effect('publish', () => {
        rejects?.(topic, notice)
        published.push({ second, topic, notice })
      }),
  })
  const tools: GatherTools = {
    records,
    held: heldNotices,
    tellings: { gatherIn: sendIn, retellIn: sendIn },
    notices: publisher('notices'),
    others: others.map((it) => ({ ...it, notices: publisher(it.topicArn) })),
    tags: new Set(tags),
    rules,
    now,
    log: () => undefined,
  }
  const queues = { sendTelling: async (message: Telling) => send(message) } as never
  const say = (cluster: string, notice: OutgoingNotice) =>
    tellOnce(
      {
        records: {
          ...records,
          keepNotice: async (key: NoticeKey, it: OutgoingNotice) => void kept.set(id(key), it),
        },
        queues,
        now,
      },
      cluster,
      {
        notice,
        about: [notice.attributes.kind, second],
      },
    )
  const work = async (waiting: Waiting): Promise<void> => {
    const { message } = waiting
    waiting.receives += 1
    isDead = false
    try {
      if ('retell' in message) await sendNotice(tools, { tell: message.retell })
      else await ('tell' in message ? tellOrHold(tools, message) : gather(tools, message))
    } catch (error) {
      const wait =
        error instanceof Error && 'retryAfterSeconds' in error ? Number(error.retryAfterSeconds) : visibilitySeconds
      if (waiting.receives < 5 && !(error instanceof PermanentError)) queue.push({ ...waiting, at: second + wait })
      else dead.push({ message, reason: String(error) })
    }
  }
  /** Until nothing is left to do, or so many seconds are over. */
  const run = async (until = Number.POSITIVE_INFINITY): Promise<void> => {
    for (;;) {
      queue.sort((a, b) => a.at - b.at)
      const next = queue[0]
      if (!next || next.at > until) break
      queue.shift()
      second = Math.max(second, next.at)
      await work(next)
    }
    if (Number.isFinite(until)) second = Math.max(second, until)
  }
  return { say, run, published, dead, held, kept, state, queue, send, clock: () => second }
}

export const clusterNotice = (
  name: string,
  kind: 'trouble' | 'halted' | 'in-step' | 'progress',
  over: Partial<OutgoingNotice['attributes']> & { causes?: string[]; incident?: string } = {},
): OutgoingNotice => {
  const { causes, incident, ...attributes } = over
  const what = {
    trouble: ['warning', 'cannot tell whether Calico is in step', 'UNREACHABLE'],
    halted: ['critical', 'rollout halted on n1', 'ROLLOUT_HALTED'],
    'in-step': ['info', 'Calico is in step again', 'in-step'],
    progress: ['info', 'half of the nodes are changed', 'progress'],
  }[kind] as ['warning' | 'critical' | 'info', string, string]
  const [severity, says, cause] = what
  return {
    subject: `[${severity}] ${name} (111122223333 eu-west-1): ${says}`,
    text: `${name} (111122223333 eu-west-1): ${says}. A person must act.\n\nDetails.`,
    attributes: { severity, kind, cluster: name, account: '111122223333', region: 'eu-west-1', ...attributes },
    about: { causes: causes ?? [cause], ...(incident !== undefined && { incident }) },
  }
}
