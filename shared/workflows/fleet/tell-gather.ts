import { createHash } from 'node:crypto'
import type { Batch, HeldNotices } from '../../clients/aws/held-notices.ts'
import type { NoticeKey, Records } from '../../clients/aws/records.ts'
import type { Tellings } from '../../clients/aws/tellings.ts'
import { digestOf } from '../../domain/notice/digest.ts'
import {
  byTime,
  type GatherRules,
  type HeldNotice,
  mustWait,
  type Sending,
  sendingOf,
} from '../../domain/notice/gather.ts'
import { withTagsOf } from '../../domain/notice/route.ts'
import { PermanentError, RetryLaterError } from '../../errors.ts'
import { deploymentKey, type Gathering, type Telling } from '../../messages.ts'
import { keptNoticeOf, sendNotice, type SendTools } from './tell-send.ts'

export interface GatherTools extends SendTools {
  records: SendTools['records'] & Pick<Records, 'keepNotice'>
  held: HeldNotices
  tellings: Tellings
  rules: GatherRules
}

/** A recorded notice is sent at once, or waits for others and is processed again after that time. */
export const tellOrHold = async (tools: GatherTools, message: Telling): Promise<void> => {
  const { tell: key } = message
  const notice = await keptNoticeOf(tools, key)
  if (!mustWait(notice, tools.rules, tools.now())) {
    try {
      await sendNotice(tools, message)
    } finally {
      // Also if another topic rejects it.
      if (notice.attributes.kind === 'halted' && (await tools.held.isTold(key)))
        await replaceBy(tools, key.cluster, notice)
    }
    return
  }
  if (await tools.held.isTold(key)) return
  const { digest } = tools.rules
  await tools.held.hold({ ...key, at: tools.now().toISOString(), notice: headOf(tools, notice) })
  await tools.tellings.gatherIn({ schemaVersion: 1, gather: key.hash }, digest?.settleSeconds ?? 1)
}

/**
 * Notices about that cluster that waited since before its halt are not sent any more: they say that it is being fixed and
 * that nobody has to act, which is wrong now, and the halt's own notice names every finding. The notices that still wait
 * get a message of their own first, because theirs may be removed with these.
 */
const replaceBy = async (tools: GatherTools, cluster: string, { about }: HeldNotice['notice']): Promise<void> => {
  const at = about?.at ?? tools.now().toISOString()
  const held = await tools.held.all()
  const isReplaced = (it: HeldNotice): boolean => it.cluster === cluster && (it.notice.about?.at ?? it.at) <= at
  const replaced = held.filter(isReplaced)
  if (replaced.length === 0) return
  const left = held.filter((it) => !isReplaced(it))
  await proceed(tools, left, { seconds: tools.rules.digest?.settleSeconds ?? 1 })
  for (const key of replaced) {
    await tools.records.confirm(key, tools.now().toISOString())
    await tools.held.remove(key)
  }
}

/** In characters. A digest has less of it. */
const firstLineAtMost = 1_000

/** What a digest needs. Its tags without those that no route uses: a cluster may have 20 kB of them. */
const headOf = ({ tags = new Set() }: GatherTools, notice: HeldNotice['notice']): HeldNotice['notice'] => ({
  ...withTagsOf(notice, tags),
  text: notice.text.split('\n', 1)[0]?.slice(0, firstLineAtMost) ?? '',
})

/** After this time, the message that works on a batch is considered dead. */
const batchSeconds = 600

/**
 * Reads all waiting notices and sends those that are due: each separately, or one digest instead. A batch is recorded
 * before it is sent, and the next message finishes an interrupted batch. While notices wait, the newest of them has a
 * message in the queue.
 */
export const gather = async (tools: GatherTools, { gather: by }: Gathering): Promise<void> => {
  const open = await tools.held.batch()
  if (open && open.by !== by && secondsSince(tools, open.at) < batchSeconds) return
  if (open) await finish(tools, open)
  const held = await tools.held.all()
  const sending = sendingOf(held, await tools.held.told(), tools.rules, tools.now())
  switch (sending.do) {
    case 'nothing':
      return
    case 'wait':
      return proceed(tools, held, { seconds: sending.seconds, by })
    case 'singly':
    case 'digest':
      return finish(tools, await decided(tools, by, sending))
  }
}

const secondsSince = ({ now }: GatherTools, at: string): number => (now().getTime() - Date.parse(at)) / 1_000

type Decided = Extract<Sending, { members: HeldNotice[] }>

const keysOf = (held: readonly HeldNotice[]): NoticeKey[] => held.map(({ cluster, hash }) => ({ cluster, hash }))

const decided = async (tools: GatherTools, by: string, sending: Decided): Promise<Batch> => {
  const { members } = sending
  const at = tools.now().toISOString()
  const keys = keysOf(members)
  const batch: Batch = { by, at, members: keys, told: {} }
  if (sending.do === 'singly') batch.superseded = keysOf(sending.superseded)
  else {
    batch.digest = { cluster: deploymentKey, hash: digest(['digest', keys]) }
    batch.told = sending.reported
    const notice = digestOf(members, at, sending.left)
    const attributes = { ...notice.attributes, notice: batch.digest.hash }
    await tools.records.keepNotice(batch.digest, { ...notice, attributes }, at)
  }
  if (await tools.held.open(batch)) return batch
  throw new RetryLaterError('Another message has just decided which notices are sent.', 30)
}

/** Sends what was decided: one digest, or each notice by itself. It can be repeated after a crash. */
const finish = async (tools: GatherTools, { members, digest: one, superseded = [], told }: Batch): Promise<void> => {
  await sendEach(tools, one ? [one] : members)
  const at = tools.now().toISOString()
  // Another notice contains what these say.
  for (const some of inTens(one ? members : superseded))
    await Promise.all(some.map((key) => tools.records.confirm(key, at)))
  if (one) await tools.held.putTold(told)
  for (const some of inTens([...members, ...superseded])) await Promise.all(some.map((key) => tools.held.remove(key)))
  // Before the batch is closed, so that it is also done after a crash.
  await proceed(tools, await tools.held.all(), { seconds: 1 })
  await tools.held.close()
}

/**
 * What a topic rejects, or what is not recorded any more, gets a message of its own: it is retried and becomes a dead
 * letter with its own reason, and the others do not wait for it. Any other error repeats the batch.
 */
const sendEach = async (tools: GatherTools, keys: readonly NoticeKey[]): Promise<void> => {
  const rejecting = new Set<GatherTools['notices']>()
  for (const key of keys) {
    try {
      await sendNotice(tools, { tell: key }, rejecting)
    } catch (error) {
      if (!(error instanceof RetryLaterError || error instanceof PermanentError)) throw error
      tools.log('told later', { cluster: key.cluster, notice: key.hash, why: error.message })
      const seconds = error instanceof RetryLaterError ? error.retryAfterSeconds : 0
      await tools.tellings.retellIn({ schemaVersion: 1, retell: key }, seconds)
    }
  }
}

/** Only the message of the newest waiting notice continues; that of any other (`by`) ends here. */
const proceed = async (
  tools: GatherTools,
  held: readonly HeldNotice[],
  { seconds, by }: { seconds: number; by?: string },
): Promise<void> => {
  const newest = held.toSorted(byTime).at(-1)
  if (!newest || (by !== undefined && by !== newest.hash)) return
  await tools.tellings.gatherIn({ schemaVersion: 1, gather: newest.hash }, seconds)
}

const inTens = <T>(all: readonly T[]): T[][] =>
  Array.from({ length: Math.ceil(all.length / 10) }, (_, index) => all.slice(index * 10, index * 10 + 10))

const digest = (parts: unknown[]): string =>
  createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 32)
