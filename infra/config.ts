import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as z from 'zod'
import manifest from '../package.json' with { type: 'json' }
import { partitionOf } from '../shared/domain/partitions.ts'
import { clusterRef } from '../shared/messages.ts'
import { policySetting } from '../shared/settings.ts'
import { arns, placeFault } from './arns.ts'
import { type Fault, limitFaults } from './config-limits.ts'
import { noticeFaults, noticesConfig } from './config-notices.ts'
import { functionNames } from './functions.ts'

// The functions use short error messages; the author of a configuration gets full ones.
z.config(z.locales.en())

const { account, region, name: clusterName } = clusterRef.shape

/** The ARN of one role; no pattern and no user. */
const roleArn = z
  .string()
  .regex(/^arn:[a-z-]+:iam::\d{12}:role\/[\w+=,.@/-]+$/, 'is the ARN of one role, arn:aws:iam::ACCOUNT:role/NAME')

/** Characters that STS accepts. */
const externalId = z
  .string()
  .regex(/^[\w+=,.@:/-]{2,1224}$/, 'is an external id of STS: 2 to 1224 of A-Z a-z 0-9 +=,.@:/-_')

const regions = z
  .array(region)
  .min(1)
  .refine((all) => isDistinct(all), 'name each region once')

/**
 * Without a role, the functions use their own roles for the stack's own account, and the fixed names of a spoke for
 * any other account.
 */
const fleetAccount = z.strictObject({
  account,
  regions: regions.optional().describe('Absent: the regions of the deployment.'),
  /** The role that reads. With it and without `operatorRoleArn` nothing is changed in this account. */
  viewerRoleArn: roleArn.optional(),
  /** The role that changes. */
  operatorRoleArn: roleArn.optional(),
  externalId: externalId.optional().describe("Sent to the roles of this account. Absent: the deployment's."),
  roleArn: z
    .never(
      'one role would read and change: write viewerRoleArn (assumed by sweep and evaluate) and operatorRoleArn (assumed by rollout-step; without it the account is only reported)',
    )
    .optional(),
})

const organization = z.strictObject({
  /** Ids of organizational units, or of the root for all accounts. Absent: the tag alone decides. */
  units: z
    .array(
      z
        .string()
        .regex(
          /^(r-[0-9a-z]{4,32}|ou-[0-9a-z]{4,32}-[0-9a-z]{8,32})$/,
          'is the id of a unit or root, ou-ab12-34cd56ef or r-ab12',
        ),
    )
    .min(1)
    .max(100)
    .refine((all) => isDistinct(all), 'name each unit once')
    .optional(),
  /** A tag of the account in AWS Organizations. Without `value`: whatever it is. */
  tag: z.strictObject({ key: z.string().min(1).max(128), value: z.string().max(256).optional() }).optional(),
  /** Accounts that are not of the fleet wherever they are. */
  leaveOut: z
    .array(account)
    .max(1000)
    .refine((all) => isDistinct(all), 'name each account once')
    .optional(),
})

const vpc = z.strictObject({
  subnetIds: z.array(z.string().regex(/^subnet-[0-9a-f]+$/)).min(1),
  /** The security group of every private cluster must allow these on port 443. */
  securityGroupIds: z.array(z.string().regex(/^sg-[0-9a-f]+$/)).min(1),
  /**
   * For subnets without a route to the internet: creates an interface endpoint for each AWS service that the
   * functions call, and DynamoDB's gateway in the route tables of the subnets. Absent: the subnets have a route, or
   * their own endpoints.
   */
  endpoints: z
    .strictObject({
      vpcId: z.string().regex(/^vpc-[0-9a-f]+$/),
      routeTableIds: z.array(z.string().regex(/^rtb-[0-9a-f]+$/)).default([]),
    })
    .optional(),
})

/** The values that CloudWatch Logs accepts. */
const retentionDays = z.union(
  [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1827, 3653].map((days) => z.literal(days)),
)

const repository = manifest.repository.url.replace(/^git\+|\.git$/g, '')
const runbookUrl = `${repository}/blob/main/docs/runbook.md`

const isDistinct = (all: readonly string[]): boolean => new Set(all).size === all.length

/**
 * All settings of the deployment. All have a default: an empty file deploys a fleet of one account in one region,
 * with reports only.
 */
const knobs = z.strictObject({
  /** Two deployments in one account (for example a trial) need two names. */
  stackName: z.string().default('CalicoIpvsSync'),
  /** Absent: the account and region of the deploying credentials. */
  env: z.strictObject({ account, region }).optional(),

  regions: regions
    .optional()
    .describe(
      "Regions of the fleet. Absent: the stack's own. Events of other regions arrive if the spoke's template is deployed there.",
    ),
  /** Accounts of the fleet. Absent: the stack's own. docs/fleet.md. */
  accounts: z.array(fleetAccount).min(1).optional(),
  externalId: externalId
    .optional()
    .describe(
      "Sent to every role of another account without its own external id. Absent: `calico-ipvs-sync-` and the stack's own account.",
    ),
  /** The AWS organization whose accounts may send events to the hub's bus. Absent: the accounts of the fleet, one by one. */
  organizationId: z
    .string()
    .regex(/^o-[a-z0-9]{10,32}$/, 'is the id of an organization such as o-a1b2c3d4e5')
    .optional(),
  /**
   * Further accounts of the fleet, found by each sweep in that organization: those of units (and all units below), those with a tag, or
   * those that are both. They have `regions` and the fixed role names; `accounts` gives others to some. docs/fleet.md.
   */
  organization: organization.optional(),
  /**
   * Clusters of the stack's own account and region for the output `GrantCommand`. The stack itself creates no access
   * entries: one missing cluster, or one with the authentication mode `CONFIG_MAP`, would roll back the whole
   * deployment.
   */
  clusters: z.array(clusterName).refine(isDistinct, 'name each cluster once').default([]),

  /**
   * The default is to report only. To enable changes, set `"action": "sync"` or tag a cluster. Without `windows`
   * changes are made at any time. `clustersAtOnce` is 1 by default, because a faulty change is faulty in every
   * cluster, and only the first should be exposed to it. `exceptions` need an end and a reason, so that they are not
   * forgotten. `pauseOnAlarms` is for alarms of your workloads, not of this deployment. docs/change.md explains them.
   */
  policy: z.strictObject(policySetting.shape).default({}),

  /**
   * The minimum time in seconds between two evaluations of a cluster for events: the first event leads to an
   * evaluation at once, later events to one when the time is over. A longer time is cheaper with many events, but
   * delays evaluations.
   */
  events: z.strictObject({ gapSeconds: z.int().min(0).max(900).default(60) }).default({ gapSeconds: 60 }),

  /**
   * Clusters of the stack's own account and region whose audit log is listened to, so that what somebody writes into a cluster is seen
   * within a minute and not by the next sweep. Each must log `audit` already. docs/fleet.md.
   */
  auditLogs: z
    .array(clusterName)
    .max(100)
    .refine((all) => isDistinct(all), 'name each cluster once')
    .default([]),

  /** The sweep evaluates every cluster; events only make this faster. The window spreads the start of sweeps. */
  sweep: z
    .strictObject({
      everyMinutes: z.int().min(5).max(1440).default(60),
      withinMinutes: z.int().min(1).max(240).default(15),
    })
    .default({ everyMinutes: 60, withinMinutes: 15 }),

  /**
   * Receive notices about clusters and, without another topic, alarms. Each address must confirm the subscription
   * once.
   */
  emails: z.array(z.email()).refine(isDistinct, 'name each address once').default([]),
  /** A secret with the URL of an incoming webhook and nothing else. Absent: no Slack resources are deployed. */
  slackWebhookSecretArn: arns.secret.optional(),
  /** Each alarm's description ends with this URL and the section. Absent: the page in the repository. */
  runbookBaseUrl: z.url({ protocol: /^https?$/ }).default(runbookUrl),
  /**
   * A custom rule of AWS Config over the clusters of the stack's own account and region. AWS Config must
   * be recording there.
   */
  configRule: z.boolean().default(false),
  /** Other recipients of notices, and when: docs/notices.md. */
  notices: noticesConfig,
  /** An existing topic for alarms, for example of a pager. Absent: the stack creates a topic for `emails`. */
  alarmTopicArn: arns.topic.optional(),

  /**
   * For clusters with private endpoints: the VPC of `evaluate` and `rollout-step`. Absent: no VPC, public endpoints
   * only.
   */
  vpc: vpc.optional(),

  /**
   * Your own key, in the stack's region, for the table, the queues, the topics, the bus, the bucket of reports and the logs. Absent:
   * keys of AWS, and for notices a key that the stack creates. Its policy must allow the services that docs/deploy.md names.
   */
  kmsKeyArn: arns.key.optional(),
  /** The key of the Slack secret, if it is your own key and not `kmsKeyArn`. */
  secretKmsKeyArn: arns.key.optional(),

  /**
   * Clusters that are evaluated, and changed, at one time. EKS throttles Describe calls for each account and region.
   */
  concurrency: z
    .strictObject({ evaluate: z.int().min(2).max(1000).default(10), rolloutStep: z.int().min(2).max(1000).default(5) })
    .default({ evaluate: 10, rolloutStep: 5 }),
  /**
   * By function. None by default: the event source mappings already limit the concurrency, and a reservation reduces
   * what is left for the account (a new account has ten in total and rejects it). Reserve if other functions use up
   * the account's concurrency.
   */
  reservedConcurrency: z.partialRecord(z.enum(functionNames), z.int().min(1)).default({}),

  /** Long enough to investigate a rollout of the last quarter. */
  logRetentionDays: retentionDays.default(90),
  /** Not above INFO, because alarms count lines of that level. */
  logLevel: z.enum(['DEBUG', 'INFO']).default('INFO'),
  /** X-Ray costs money for each trace; normally the logs are sufficient. */
  tracing: z.boolean().default(false),
  /** Tags of all resources of the stack. */
  tags: z.record(z.string(), z.string()).default({}),
})
export const config = knobs.superRefine((all, context) => {
  const faults = [
    accountFaults,
    organizationFaults,
    clusterFaults,
    partitionFaults,
    exceptionFaults,
    placeFaults,
    timeFaults,
    limitFaults,
    noticeFaults,
  ]
  for (const { path, message } of faults.flatMap((of) => of(all))) context.addIssue({ code: 'custom', path, message })
})
export type Config = z.output<typeof config>

/**
 * With a wrong account, the clusters of another account would be returned: so each entry must have the account of its
 * credentials.
 */
const accountFaults = ({ accounts = [], env }: Knobs): Fault[] =>
  accounts.flatMap((entry, index) => {
    const { account, viewerRoleArn, operatorRoleArn } = entry
    const path = ['accounts', index]
    if (accounts.findIndex((it) => it.account === account) < index)
      return { path, message: `${account} stands there twice` }
    if (viewerRoleArn === undefined && !env)
      return {
        path,
        message: `${account} has no viewerRoleArn: the functions use their own roles if it is the stack's own account, else the fixed names, and env does not name the stack's own account`,
      }
    if (viewerRoleArn !== undefined && viewerRoleArn === operatorRoleArn)
      return {
        path: [...path, 'operatorRoleArn'],
        message: `is viewerRoleArn too: the role that reads must not be the role that changes`,
      }
    return rolesOf(entry).flatMap(([knob, role]) => {
      const ofRole = role.split(':')[4]
      if (ofRole === account) return []
      return { path: [...path, knob], message: `the role ${role} is of account ${ofRole}, not of ${account}` }
    })
  })

/** Who is asked for accounts must be who may send events and whose roles are taken. */
const organizationFaults = ({ organization, organizationId, accounts = [] }: Knobs): Fault[] => {
  if (!organization) return []
  const { units, tag, leaveOut = [] } = organization
  const path = ['organization']
  const roots = new Set(units?.map((unit) => unit.split('-')[1]))
  const both = accounts.find((it) => leaveOut.includes(it.account))
  return [
    ...(units || tag
      ? []
      : [{ path, message: 'says neither units nor tag: give the root as a unit to mean all accounts' }]),
    ...(organizationId === undefined
      ? [
          {
            path,
            message: 'needs organizationId: accounts that are found may send events, and their roles be taken, by it',
          },
        ]
      : []),
    ...(roots.size > 1
      ? [
          {
            path: [...path, 'units'],
            message: `are of ${roots.size} organizations (${[...roots].join(', ')}), and there is one`,
          },
        ]
      : []),
    ...(both ? [{ path: [...path, 'leaveOut'], message: `has ${both.account}, which stands in accounts` }] : []),
  ]
}

const rolesOf = ({ viewerRoleArn, operatorRoleArn }: z.output<typeof fleetAccount>): [knob: string, arn: string][] =>
  Object.entries({ viewerRoleArn, operatorRoleArn }).flatMap(([knob, arn]) => (arn === undefined ? [] : [[knob, arn]]))

/** `GrantCommand` would give access to a cluster that is not in the fleet; its audit log would lead to nothing. */
const clusterFaults = (all: Knobs): Fault[] =>
  (['clusters', 'auditLogs'] as const).flatMap((knob) => ownFaults(all, knob))

const ownFaults = ({ env, accounts, regions, ...all }: Knobs, knob: 'clusters' | 'auditLogs'): Fault[] => {
  if (all[knob].length === 0 || !env) return []
  const path = [knob]
  if (accounts && !accounts.some(({ account }) => account === env.account))
    return [{ path, message: `are of the stack's own account ${env.account}, which is not among accounts` }]
  const own = accounts?.find(({ account }) => account === env.account)?.regions ?? regions
  if (own && !own.includes(env.region))
    return [{ path, message: `are of the stack's own region ${env.region}, which is not among regions` }]
  return []
}

type Knobs = z.output<typeof knobs>

/** Credentials are valid in one AWS partition only. */
const partitionFaults = ({ env, regions = [], accounts = [] }: Knobs): Fault[] => {
  const places = [...(env ? [env.region] : []), ...regions, ...accounts.flatMap((it) => it.regions ?? [])]
  const known = new Set(places.map(partitionOf))
  if (known.size > 1)
    return [
      { path: ['regions'], message: `are of ${[...known].join(' and ')}: each partition needs its own deployment` },
    ]
  return accounts.flatMap((entry, index) =>
    rolesOf(entry).flatMap(([knob, role]) => {
      const partition = role.split(':')[1] ?? ''
      if (known.size === 0 || known.has(partition)) return []
      return {
        path: ['accounts', index, knob],
        message: `the role is of ${partition}, the regions of ${[...known][0]}`,
      }
    }),
  )
}

/** An exception that matches no cluster of the fleet is probably a mistake. */
const exceptionFaults = ({ policy, env, regions, accounts, organization }: Knobs): Fault[] =>
  (policy.exceptions ?? []).flatMap(({ cluster }, index) => {
    const path = ['policy', 'exceptions', index, 'cluster']
    const parts = cluster.split('/')
    const [ofAccount = '', ofRegion = ''] = parts
    // The text before the first star must begin like an account.
    const isBegun = /^(\d{0,11}$|\d{12}(\/|$))/.test(cluster.split('*')[0] ?? '')
    if (!isBegun || (!cluster.includes('*') && parts.length !== 3))
      return { path, message: `${cluster} matches no cluster: give it as ACCOUNT/REGION/NAME, with * for any text` }
    const named = accounts?.map((it) => it.account) ?? (env ? [env.account] : undefined)
    const known = organization ? undefined : named
    const general = regions ?? (env ? [env.region] : undefined)
    const places = general && [...general, ...(accounts ?? []).flatMap((it) => it.regions ?? [])]
    if (known && parts.length > 1 && !ofAccount.includes('*') && !known.includes(ofAccount))
      return { path, message: `${cluster} matches no cluster: ${ofAccount} is no account of the fleet` }
    if (places && parts.length > 2 && !/[*]/.test(`${ofAccount}${ofRegion}`) && !places.includes(ofRegion))
      return { path, message: `${cluster} matches no cluster: ${ofRegion} is no region of the fleet` }
    return []
  })

/** CloudWatch sends to topics of its own region only; secret and keys must be in the stack's region. */
const placeFaults = ({ env, alarmTopicArn, slackWebhookSecretArn, kmsKeyArn, secretKmsKeyArn }: Knobs): Fault[] =>
  Object.entries({ alarmTopicArn, slackWebhookSecretArn, kmsKeyArn, secretKmsKeyArn }).flatMap(
    ([name, value]) => placeFault(value, env, [name]) ?? [],
  )

/**
 * A message that is throttled for lack of concurrency is received repeatedly, and becomes a dead letter without an
 * attempt.
 */
const timeFaults = ({ sweep, concurrency, reservedConcurrency: reserved }: Knobs): Fault[] => [
  ...(sweep.withinMinutes > sweep.everyMinutes
    ? [{ path: ['sweep', 'withinMinutes'], message: `is more than everyMinutes, which is ${sweep.everyMinutes}` }]
    : []),
  ...(
    [
      ['evaluate', 'evaluate'],
      ['rollout-step', 'rolloutStep'],
    ] as const
  ).flatMap(([name, knob]) => {
    const least = concurrency[knob]
    if ((reserved[name] ?? least) >= least) return []
    return { path: ['reservedConcurrency', name], message: `is less than concurrency.${knob}, which is ${least}` }
  }),
  ...(['list-clusters', 'tell', 'notify-slack'] as const).flatMap((name) =>
    (reserved[name] ?? 2) >= 2
      ? []
      : [{ path: ['reservedConcurrency', name], message: 'is less than 2, with which Lambda reads a queue at least' }],
  ),
]

/** Throws with all invalid names and what they must be. */
export const parseConfig = (value: unknown): Config => {
  const parsed = config.safeParse(value)
  if (parsed.success) return parsed.data
  throw new Error(
    `The deployment's configuration cannot be used; fix it and try again.\n${z.prettifyError(parsed.error)}`,
  )
}

/**
 * The JSON file named by `-c config=FILE`, else `deploy.json` beside cdk.json, else the defaults. `place`: of the
 * deploying credentials, if the CDK's command line knows it. Then the stack is for this account and region only, and
 * everything is checked.
 */
export const readConfig = (root: string, named?: string, place?: Config['env']): Config => {
  const file = join(root, named ?? 'deploy.json')
  const placed = (value: unknown) => (place && typeof value === 'object' ? { env: place, ...value } : value)
  if (named === undefined && !existsSync(file)) return parseConfig(placed({}))
  try {
    return parseConfig(placed(JSON.parse(readFileSync(file, 'utf8'))))
  } catch (cause) {
    throw new Error(`${file}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause })
  }
}
