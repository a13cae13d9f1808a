import { createHash } from 'node:crypto'
import type { Notices } from '../../clients/aws/notices.ts'
import type { Records } from '../../clients/aws/records.ts'
import type { OutgoingNotice } from '../../domain/notice/outgoing.ts'
import { type Route, takes, withTagsOf } from '../../domain/notice/route.ts'
import { PermanentError, RetryLaterError } from '../../errors.ts'
import type { Log } from '../../log.ts'
import type { Telling } from '../../messages.ts'

export interface SendTools {
  records: Pick<Records, 'keptNotice' | 'reserve' | 'confirm' | 'release'>
  /** The topic of all notices: filter policies of SNS select the notices of each subscriber. */
  notices: Notices
  /** Topics outside the deployment, with the notices that match their routes. */
  others?: readonly OtherTopic[]
  /** `KEY=VALUE`: the only tags that are sent. */
  tags?: ReadonlySet<string>
  now: () => Date
  log: Log
}

export interface OtherTopic {
  topicArn: string
  route: Route
  /** Also the progress of a rollout. */
  progress: boolean
  notices: Notices
}

/** Throws if the notice is not recorded. */
export const keptNoticeOf = async (
  { records }: Pick<SendTools, 'records'>,
  key: Telling['tell'],
): Promise<OutgoingNotice> => {
  const notice = await records.keptNotice(key)
  if (notice) return notice
  throw new PermanentError(`The notice ${key.hash} of ${key.cluster} is not recorded.`)
}

/**
 * Sends a recorded notice to each topic once; of two concurrent messages only one sends it. If one topic rejects it,
 * the others still receive it. Throws `RetryLaterError` if SNS rejects it or another message is sending it, so that
 * its message is delivered again. `rejecting`: topics that rejected another notice just now, which may take them ten
 * seconds each time; they are not tried, and new ones are added.
 */
export const sendNotice = async (
  tools: SendTools,
  { tell: key }: Pick<Telling, 'tell'>,
  rejecting: Set<Notices> = new Set(),
): Promise<void> => {
  const notice = await keptNoticeOf(tools, key)
  const wanted = (tools.others ?? []).filter(({ route, progress }) => takes(route, notice, progress))
  const shown = withTagsOf(notice, tools.tags ?? new Set())
  // The topic of all notices has the plain key, so that earlier records of sent notices stay valid.
  const ways = [
    { hash: key.hash, notices: tools.notices },
    ...wanted.map(({ topicArn, notices }) => ({ hash: `${key.hash}#${shortOf(topicArn)}`, notices })),
  ]
  const faults: RetryLaterError[] = []
  for (const { hash, notices } of ways) {
    const fault = await sendOnce(tools, { cluster: key.cluster, hash }, async () => {
      if (rejecting.has(notices)) throw new Error('the topic rejected another notice just before.')
      rejecting.add(notices)
      await notices.publish(shown)
      rejecting.delete(notices)
    })
    if (fault) faults.push(fault)
  }
  const [fault] = faults
  if (fault) throw fault
}

const sendOnce = async (
  { records, now, log }: SendTools,
  key: Telling['tell'],
  publish: () => Promise<void>,
): Promise<RetryLaterError | undefined> => {
  const at = () => now().toISOString()
  const state = await records.reserve(key, at())
  if (state === 'busy') return new RetryLaterError(`Another message is sending the notice ${key.hash}.`, 60)
  if (state === 'told') return undefined
  try {
    await publish()
  } catch (error) {
    await records.release(key, at())
    const why = error instanceof Error ? error.message : String(error)
    return new RetryLaterError(`SNS did not accept the notice: ${why}`, 30)
  }
  log('told', { cluster: key.cluster, notice: key.hash })
  await records.confirm(key, at())
  return undefined
}

const shortOf = (topicArn: string): string => createHash('sha256').update(topicArn).digest('hex').slice(0, 8)
