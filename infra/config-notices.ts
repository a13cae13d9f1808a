import * as z from 'zod'
import { combinationsOf, filterPolicyOf, policyBounds } from '../shared/domain/notice/route.ts'
import { isTimezone } from '../shared/domain/policy/window.ts'
import { policySetting } from '../shared/settings.ts'
import { arns, placeFault } from './arns.ts'

/** A single value is the same as a list of one. */
const oneOrMore = <T extends z.ZodType>(one: T) =>
  z.preprocess((it) => (it === undefined || Array.isArray(it) ? it : [it]), z.array(one).min(1))

/** Characters of an EKS tag, except stars, which are no wildcards in SNS. */
const tagPart = (most: number) => z.string().regex(new RegExp(`^[\\p{L}\\p{N} +=._:/@-]{1,${most}}$`, 'u'))
const severity = z.enum(['critical', 'warning', 'info'])
const clusterPattern = z
  .string()
  .regex(/^([0-9A-Za-z][\w-]{0,99})?\*?$/, 'is a cluster’s name, or the beginning of names with * at its end')
  .min(1)

const route = z.strictObject({
  severity: oneOrMore(severity).optional(),
  account: oneOrMore(z.string().regex(/^\d{12}$/, 'is an account of 12 digits')).optional(),
  region: oneOrMore(z.string().regex(/^[a-z]{2,5}(-[a-z]+)+-\d$/, 'is a region')).optional(),
  /** Names; * at the end matches any text. */
  cluster: oneOrMore(clusterPattern).optional().describe('Names; * at the end matches any text.'),
  tag: oneOrMore(z.strictObject({ key: tagPart(128), value: tagPart(256) }))
    .optional()
    .describe('Tags of the clusters. Those of a cluster that EKS does not describe are not known, and match no route.'),

  emails: z
    .array(z.email())
    .default([])
    .describe('Receive matching notices. Each address must confirm the subscription once.'),
  /** A webhook's URL, or a bot's token; with a token, also the channel's id, and each incident is one thread. */
  slack: z
    .strictObject({
      secretArn: arns.secret,
      channel: z
        .string()
        .regex(/^[CDG][A-Z0-9]{2,20}$/, 'is the id of a channel such as C024BE91L, not its name')
        .optional(),
    })
    .optional(),
  /** An existing topic, for example of a pager. */
  topicArn: z
    .string()
    .regex(/^arn:[a-z-]+:sns:[a-z0-9-]+:\d{12}:[\w-]{1,256}$/, 'is the ARN of a standard topic')
    .optional()
    .describe('An existing topic in the region of the stack, for example of a pager.'),
  /** The key that encrypts that topic, if it is your own key; its policy must allow the function `tell` to use it. */
  kmsKeyArn: arns.key
    .optional()
    .describe('The key of that topic, if it is your own key; its policy must allow the function tell to use it.'),
  /** `chat`: the format of Amazon Q Developer in chat applications. Without topicArn the stack creates the topic. */
  format: z
    .enum(['text', 'chat'])
    .default('text')
    .describe(
      'chat: the format of Amazon Q Developer in chat applications. Without topicArn the stack creates the topic.',
    ),
})
export type RouteConfig = z.output<typeof route>

const clock = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'is a time of day such as 08:00')

const digest = z.strictObject({
  /** Up to this number of clusters, each has its own notice. */
  moreThan: z.int().min(1).max(100).default(10),
  /** The time that a notice waits for others; a halt does not wait. */
  settleSeconds: z.int().min(1).max(900).default(60),
  atMostMinutes: z.int().min(1).max(120).default(15),
  /** The time at which causes are repeated that a digest reported within the last 24 hours. */
  dailyAt: clock.default('08:00'),
  timezone: z.string().default('UTC'),
})
const digestDefaults = digest.parse({})

/**
 * Recipients of notices, and when. `emails` and `slackWebhookSecretArn` receive all notices; a route adds recipients.
 */
export const noticesConfig = z
  .strictObject({
    routes: z.array(route).max(100).default([]),
    /** `false`: each notice separately, however many there are. */
    digest: z
      .union([z.literal(false), digest])
      .default(digestDefaults)
      .describe('One notice instead of many; false: each separately.'),
    /** Notices that are not urgent wait until their end. A halt never waits. */
    quietHours: z
      .strictObject({
        windows: z
          .array(policySetting.shape.windows.def.innerType.def.element)
          .min(1)
          .describe('When only urgent notices are sent.'),
        holds: z.array(severity).min(1).default(['info', 'warning']),
      })
      .optional(),
  })
  .default({ routes: [], digest: digestDefaults })

interface Fault {
  path: (string | number)[]
  message: string
}
interface NoticeSettings {
  notices: z.output<typeof noticesConfig>
  emails: string[]
  env?: { account: string; region: string } | undefined
  accounts?: { account: string }[] | undefined
  /** With it the fleet has accounts that the configuration does not name. */
  organization?: object | undefined
}

/** The maximum of SNS for subscriptions of one topic with a filter policy. */
const policiesAtMost = 200
const slackAtMost = 10

export const noticeFaults = (all: NoticeSettings): Fault[] => [
  ...all.notices.routes.flatMap((it, index) => routeFaults(all, it, ['notices', 'routes', index])),
  ...emailFaults(all),
  ...countFaults(all),
  ...sizeFaults(all),
  ...timezoneFaults(all),
]

const routeFaults = (
  { env, accounts, organization }: NoticeSettings,
  it: RouteConfig,
  path: Fault['path'],
): Fault[] => {
  const { emails, slack, topicArn, kmsKeyArn, format, account = [] } = it
  const faults: (Fault | false | undefined)[] = [
    emails.length === 0 &&
      !slack &&
      !topicArn &&
      format === 'text' && { path, message: 'has no recipient: give emails, slack, topicArn or format' },
    format === 'chat' &&
      (emails.length > 0 || slack !== undefined) && {
        path: [...path, 'format'],
        message: 'applies to a topic only; e-mail and Slack need a separate route',
      },
    kmsKeyArn !== undefined &&
      !topicArn && { path: [...path, 'kmsKeyArn'], message: 'belongs to a topicArn, which is missing' },
    placeFault(topicArn, env, [...path, 'topicArn']),
    placeFault(slack?.secretArn, env, [...path, 'slack', 'secretArn']),
    filterFault(it, path),
    ...account.map(
      (one, index) =>
        accounts !== undefined &&
        organization === undefined &&
        !accounts.some((known) => known.account === one) && {
          path: [...path, 'account', index],
          message: `${one} is no account of the fleet: no notice would match`,
        },
    ),
  ]
  return faults.flatMap((fault) => fault || [])
}

const filterFault = (it: RouteConfig, path: Fault['path']): Fault | undefined => {
  const combinations = combinationsOf(filterPolicyOf(it, { progress: true }))
  if (combinations <= policyBounds.combinations) return undefined
  return {
    path,
    message: `has ${combinations} combinations of values, and a filter policy of SNS has ${policyBounds.combinations} at most: remove a condition, or write several routes`,
  }
}

/** SNS keeps one subscription for an address. */
const emailFaults = ({ notices, emails }: NoticeSettings): Fault[] => {
  const seen = new Set(emails)
  return notices.routes.flatMap((it, index) =>
    it.emails.flatMap((email, at) => {
      const path = ['notices', 'routes', index, 'emails', at]
      if (!seen.has(email)) return seen.add(email), []
      return [
        {
          path,
          message: `${email} is listed twice: SNS keeps one subscription for an address, with one set of conditions`,
        },
      ]
    }),
  )
}

/** Lambda allows 4,096 bytes of environment variables in total, including the ARNs of the stack's resources. */
const settingAtMost = 2_500

const sizeFaults = ({ notices }: NoticeSettings): Fault[] => {
  const published = notices.routes.filter(({ topicArn, format }) => topicArn !== undefined || format === 'chat')
  const tags = notices.routes.map(({ tag }) => tag)
  const bytes = Buffer.byteLength(JSON.stringify([published, tags]))
  if (bytes <= settingAtMost) return []
  const message = `take ${bytes} bytes for routes with topics or tags, ${settingAtMost} at most: use beginnings of names, or subscribe to the topic of all notices with a filter policy of your own`
  return [{ path: ['notices', 'routes'], message }]
}

const countFaults = ({ notices, emails }: NoticeSettings): Fault[] => {
  const path = ['notices', 'routes']
  const slacks = notices.routes.filter(({ slack }) => slack).length
  const policies = emails.length + slacks + notices.routes.flatMap((it) => it.emails).length
  return [
    ...(slacks > slackAtMost
      ? [
          {
            path,
            message: `have Slack ${slacks} times, ${slackAtMost} at most: each needs its own queue and function`,
          },
        ]
      : []),
    ...(policies > policiesAtMost
      ? [
          {
            path,
            message: `make ${policies} subscriptions, and a topic has ${policiesAtMost} filter policies at most: use a mailing list, or a topicArn`,
          },
        ]
      : []),
  ]
}

const timezoneFaults = ({ notices: { digest } }: NoticeSettings): Fault[] => {
  if (digest === false) return []
  if (isTimezone(digest.timezone)) return []
  return [{ path: ['notices', 'digest', 'timezone'], message: 'is a name of the tz database such as Europe/Berlin' }]
}
