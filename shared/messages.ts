import * as z from 'zod/mini'

/** A cluster by its EKS identity: enough to find it, and nothing that could become stale in a queue. */
export const clusterRef = z.object({
  account: z.string().check(z.regex(/^\d{12}$/)),
  region: z.string().check(z.regex(/^[a-z]{2,4}(-[a-z]+)+-\d$/)),
  name: z.string().check(z.regex(/^[0-9A-Za-z][A-Za-z0-9_-]{0,99}$/)),
})
export type ClusterRef = z.infer<typeof clusterRef>

/**
 * The event or the sweep that led to a message. Each message may have it as `correlationId`: the queue client adds it
 * and the handler reads it, so that a log can be followed from the event to the last step. It affects no decision.
 */
export const correlationId = z.string().check(z.regex(/^[\w.:/=+-]{1,128}$/))

/**
 * The creation time of the cluster that the message is about: it does not apply to a cluster that was created again
 * under the same name. Absent: applies to any.
 */
const incarnation = z.optional(z.iso.datetime())

/** How often in a row the cluster refused a step: what it had read was outdated, or it throttles, or hides calico-node's pods. */
const outdated = z.optional(z.int().check(z.minimum(1)))

const permit = z.optional(z.object({ token: z.int(), until: z.iso.datetime() }))

/**
 * "Evaluate this cluster." It has the reason for the log, never the change. `rollout`: a waiting rollout is to
 * continue · `follow`: a change was still in progress at the last evaluation, or the fleet budget has a free place ·
 * `refused`: a rollout could not begin.
 */
export const evaluation = z.object({
  schemaVersion: z.literal(1),
  cluster: clusterRef,
  incarnation,
  reason: z.enum(['event', 'sweep', 'follow', 'rollout', 'refused']),
  /** `UpdateClusterConfig 8f0c…`: for the log. */
  cause: z.optional(z.string().check(z.maxLength(300))),
  /** For an event: when it was received, and by which invocation. Other events may rely on the requested evaluation. */
  heard: z.optional(z.object({ at: z.iso.datetime(), by: z.string().check(z.maxLength(128)) })),
  /** The id of a sweep. Each sweep evaluates a cluster once. */
  sweep: z.optional(z.iso.datetime()),
  /**
   * For a waiting rollout: the id of the step's message. Even if that is delivered several times, one step follows
   * the wait.
   */
  waits: z.optional(z.string().check(z.maxLength(128))),
  /** For a waiting rollout: the decision of the deployment, stored where the cluster cannot write. */
  decided: z.optional(z.string().check(z.maxLength(64))),
  /** For a waiting rollout: as the message of its step said. */
  outdated,
  /** The number of evaluations while following an update; the delay grows with it. */
  attempt: z.optional(z.int().check(z.minimum(0))),
  /** Permissions that a rollout needs and does not have, as `rollout-step` found them: `delete pods in calico-system`. */
  missing: z.optional(z.array(z.string().check(z.maxLength(300))).check(z.maxLength(20))),
  /** The permit that the message of the step had: if it is given back, then unless another message has asked for it since. */
  permit,
})
export type Evaluation = z.infer<typeof evaluation>

const ofSweep = { schemaVersion: z.literal(1), sweep: z.iso.datetime() }

/** "List the clusters of this account and region." `sweep`: its id, the time of its schedule. */
const placeMessage = z.object({ ...ofSweep, place: z.pick(clusterRef, { account: true, region: true }) })
export type PlaceMessage = z.infer<typeof placeMessage>

/** "Count the fleet when all places are finished." `closing`: the number of earlier attempts. */
const closingMessage = z.object({ ...ofSweep, closing: z.int().check(z.minimum(0)) })
export type ClosingMessage = z.infer<typeof closingMessage>

export const sweepMessage = z.union([placeMessage, closingMessage])

/** "Send this notice." It is in the records; a separate message sends it, so that no evaluation waits for SNS. */
export const telling = z.object({
  schemaVersion: z.literal(1),
  /** `cluster`: as in the records. `hash`: the identity of the notice. */
  tell: z.object({ cluster: z.string().check(z.maxLength(200)), hash: z.string().check(z.regex(/^[0-9a-f]{32}$/)) }),
})
export type Telling = z.infer<typeof telling>

/** "Process the waiting notices." `gather`: the notice for which the message was sent. */
export const gathering = z.object({
  schemaVersion: z.literal(1),
  gather: z.string().check(z.regex(/^[0-9a-f]{32}$/)),
})
export type Gathering = z.infer<typeof gathering>

/** "Apply the next step of this cluster's rollout." The step is decided from the live cluster. */
export const rolloutStepMessage = z.object({
  schemaVersion: z.literal(1),
  cluster: clusterRef,
  incarnation,
  /** Observe the whole cluster and plan (again) before the step: to begin a rollout, or because its target changed. */
  begin: z.boolean(),
  /** The last decision of the deployment: a Lease with another decision is not applied. */
  decided: z.optional(z.string().check(z.maxLength(64))),
  /** The cluster is changing, or a finding blocks the rollout: no node is touched. What was touched is observed, and undone where it must be. */
  changing: z.optional(z.literal(true)),
  outdated,
  /** The permit of the fleet budget. If the fleet has a budget, no node is touched without a valid permit. */
  permit,
})
export type RolloutStep = z.infer<typeof rolloutStepMessage>

/** The same text everywhere a cluster is a key: queue group, record, log. */
export const clusterKey = ({ account, region, name }: ClusterRef): string => `${account}/${region}/${name}`

/** Instead of a cluster's key: for the whole deployment. */
export const deploymentKey = 'deployment'

/** Name of the SSM parameter with the name of a deployment's table of records. */
export const recordsParameter = (stackName: string): string => `/calico-ipvs-sync/${stackName}/records-table`

/** In place of a cluster's key: the accounts that the last sweep found in the organization. */
export const organizationKey = 'organization'

/**
 * The index over the last reports: it contains the items with this attribute. Without it a list of the clusters would
 * read all verdicts that are kept.
 */
export const latestIndex = 'latest'
export const latestMark = 'report'
