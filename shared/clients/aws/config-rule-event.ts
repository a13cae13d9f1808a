import * as z from 'zod/mini'
import { PermanentError } from '../../errors.ts'

/** Why AWS Config invokes a rule's function. */
export type RuleEvent = {
  account: string
  /** Identifies the invocation to AWS Config. */
  resultToken: string
  ruleName: string
  /**
   * The time of the configuration item, or the scheduled time: of two answers Config keeps the one with the later
   * time.
   */
  at: Date
} & ({ what: 'periodic' } | { what: 'change'; resource: Resource; isGone: boolean })

export interface Resource {
  /** The id in AWS Config, returned unchanged in the answer. */
  type: string
  id: string
  /** Of the cluster. */
  name: string
}

const outer = z.object({
  invokingEvent: z.string(),
  resultToken: z.string(),
  configRuleName: z.string(),
  accountId: z.string(),
  eventLeftScope: z.optional(z.boolean()),
})
const time = z.iso.datetime({ offset: true })
const text = z.nullish(z.string())
const item = z.object({
  configurationItemCaptureTime: time,
  configurationItemStatus: z.string(),
  resourceType: z.string(),
  resourceId: z.string(),
  resourceName: text,
  ARN: text,
})
const inner = z.discriminatedUnion('messageType', [
  z.object({ messageType: z.literal('ScheduledNotification'), notificationCreationTime: time }),
  z.object({ messageType: z.literal('ConfigurationItemChangeNotification'), configurationItem: item }),
  // The item itself was too large for the event; the summary has the required fields.
  z.object({ messageType: z.literal('OversizedConfigurationItemChangeNotification'), configurationItemSummary: item }),
])

/** Throws `PermanentError` if a retry cannot help. */
export const ruleEventOf = (event: unknown): RuleEvent => {
  const given = outer.safeParse(event)
  if (!given.success) throw unreadable(given.error)
  const { accountId: account, resultToken, configRuleName: ruleName, eventLeftScope = false } = given.data
  const parsed = inner.safeParse(jsonOf(given.data.invokingEvent))
  if (!parsed.success) throw unreadable(parsed.error)
  const about = { account, resultToken, ruleName }
  const it = parsed.data
  if (it.messageType === 'ScheduledNotification')
    return { ...about, what: 'periodic', at: new Date(it.notificationCreationTime) }
  const found =
    it.messageType === 'ConfigurationItemChangeNotification' ? it.configurationItem : it.configurationItemSummary
  const { resourceType: type, resourceId: id, configurationItemCaptureTime, configurationItemStatus: status } = found
  const isGone = eventLeftScope || !['OK', 'ResourceDiscovered'].includes(status)
  const resource = { type, id, name: found.resourceName || clusterNameIn(found.ARN ?? id) }
  return { ...about, what: 'change', at: new Date(configurationItemCaptureTime), resource, isGone }
}

/** A cluster's id in AWS Config is its name, or an ARN that contains the name. */
export const clusterNameIn = (id: string): string => /:cluster\/([^/]+)$/.exec(id)?.[1] ?? id

const unreadable = ({ issues: [fault] }: { issues: { path: PropertyKey[]; message: string }[] }): PermanentError =>
  new PermanentError(`This is no event of an AWS Config rule: ${fault?.path.join('.')}: ${fault?.message}`)

const jsonOf = (given: string): unknown => {
  try {
    return JSON.parse(given)
  } catch {
    return undefined
  }
}
