import { createHash } from 'node:crypto'
import type { Batch, HeldNotices } from '../../clients/aws/held-notices.ts'
import type { NoticeKey, Records } from '../../clients/aws/records.ts'
import type { Tellings } from '../../clients/aws/tellings.ts'
import { digestOf } from '../../domain/notice/digest.ts'
import {
  byTime,
  type GatherRules,
  type Held,
  mustWait,
  type Sending,
  sendingOf,
  toldWith,
} from '../../domain/notice/gather.ts'
import { RetryLaterError } from '../../errors.ts'
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
    await sendNotice(tools, message)
    return notice.attributes.kind === 'halted' ? replaceBy(tools, key.cluster, notice) : undefined
  }
  if (await tools.held.isTold(key)) return
  const { digest } = tools.rules
  await tools.held.hold({ ...key, at: tools.now().toISOString(), notice: headOf(notice) })
  await tools.tellings.gatherIn({ schemaVersion: 1, gather: key.hash }, digest?.settleSeconds ?? 1)
}

/**
 * Notices about that cluster that waited since before its halt are not sent any more: they say that it is being fixed and
 * that nobody has to act, which is wrong now, and the halt's own notice names every finding. The notices that still wait
 * get a message of their own first, because theirs may be removed with these.
 */
const replaceBy = async (tools: GatherTools, cluster: string, { about }: Held['notice']): Promise<void> => {
  const at = about?.at ?? tools.now().toISOString()
  const held = await tools.held.all()
  const isReplaced = (it: Held): boolean => it.cluster === cluster && (it.notice.about?.at ?? it.at) <= at
  const replaced = held.filter(isReplaced)
  if (replaced.length === 0) return
  const left = held.filter((it) => !isReplaced(it))
  await proceed(tools, left, { seconds: tools.rules.digest?.settleSeconds ?? 1 })
  for (const key of replaced) {
    await tools.records.confirm(key, tools.now().toISOString())
    await tools.held.remove(key)
  }
}

const headOf = (notice: Held['notice']): Held['notice'] => ({ ...notice, text: notice.text.split('\n', 1)[0] ?? '' })

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

type Decided = Extract<Sending, { members: Held[] }>

const keysOf = (held: readonly Held[]): NoticeKey[] => held.map(({ cluster, hash }) => ({ cluster, hash }))

const decided = async (tools: GatherTools, by: string, sending: Decided): Promise<Batch> => {
  const { members } = sending
  const at = tools.now().toISOString()
  const keys = keysOf(members)
  const before = await tools.held.told()
  const batch: Batch = { by, at, members: keys, told: before }
  if (sending.do === 'singly') batch.superseded = keysOf(sending.superseded)
  else {
    batch.digest = { cluster: deploymentKey, hash: digest(['digest', keys]) }
    batch.told = toldWith(before, members, tools.now())
    const notice = digestOf(members, at)
    const attributes = { ...notice.attributes, notice: batch.digest.hash }
    await tools.records.keepNotice(batch.digest, { ...notice, attributes }, at)
  }
  if (await tools.held.open(batch)) return batch
  throw new RetryLaterError('Another message has just decided which notices are sent.', 30)
}

/** Sends what was decided: one digest, or each notice by itself. It can be repeated after a crash. */
const finish = async (tools: GatherTools, { members, digest: one, superseded = [], told }: Batch): Promise<void> => {
  if (one) await sendNotice(tools, { schemaVersion: 1, tell: one })
  else for (const key of members) await sendNotice(tools, { schemaVersion: 1, tell: key })
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

/** Only the message of the newest waiting notice continues; that of any other (`by`) ends here. */
const proceed = async (
  tools: GatherTools,
  held: readonly Held[],
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
