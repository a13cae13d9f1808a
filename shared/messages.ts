import * as z from 'zod/mini'

/** A cluster by what EKS calls it: enough to find it, and nothing that could have gone stale in a queue. */
export const clusterRef = z.object({
  account: z.string().check(z.regex(/^\d{12}$/)),
  region: z.string().check(z.regex(/^[a-z]{2,4}(-[a-z]+)+-\d$/)),
  name: z.string().check(z.regex(/^[0-9A-Za-z][A-Za-z0-9_-]{0,99}$/)),
})
export type ClusterRef = z.infer<typeof clusterRef>

/**
 * Which event, or which sweep, led to it. Each message may carry one beside its own fields, as `correlationId`: the queues put it
 * there and the frame of a function reads it, so that a log can be followed from the event to the last step. It decides nothing.
 */
export const correlationId = z.string().check(z.regex(/^[\w.:/=+-]{1,128}$/))

/** When EKS made the cluster that the message is about: for one made again under its name it is no message. Absent: for any. */
const incarnation = z.optional(z.iso.datetime())

/**
 * "Look at this cluster." Says why for the log, never what changed.
 * `rollout`: a rollout waits to go on · `follow`: a change was still under way at the last look, or a turn has come ·
 * `refused`: a rollout could not begin.
 */
export const evaluation = z.object({
  schemaVersion: z.literal(1),
  cluster: clusterRef,
  incarnation,
  reason: z.enum(['event', 'sweep', 'follow', 'rollout', 'refused']),
  /** `UpdateClusterConfig 8f0c…`: for the log. */
  cause: z.optional(z.string().check(z.maxLength(300))),
  /** Of an event: when it was heard, and by which invocation. Others rely on the look that it asks for. */
  heard: z.optional(z.object({ at: z.iso.datetime(), by: z.string().check(z.maxLength(128)) })),
  /** Of a sweep: which. In each a cluster is looked at once. */
  sweep: z.optional(z.iso.datetime()),
  /** Of a rollout that waits: the id of the step's message. However often that came, one step follows the wait. */
  waits: z.optional(z.string().check(z.maxLength(128))),
  /** Of a rollout that waits: what the deployment decided, known from no place that the cluster can write to. */
  decided: z.optional(z.string().check(z.maxLength(64))),
  /** Looks already taken while following an update; the delay grows with it. */
  attempt: z.optional(z.int().check(z.minimum(0))),
  /** Permissions that a rollout needs and does not have, as `rollout-step` found them: `delete pods in calico-system`. */
  missing: z.optional(z.array(z.string().check(z.maxLength(300))).check(z.maxLength(20))),
})
export type Evaluation = z.infer<typeof evaluation>

const ofSweep = { schemaVersion: z.literal(1), sweep: z.iso.datetime() }

/** "List the clusters of this account and region." `sweep`: its id, the time of its schedule. */
const placeMessage = z.object({ ...ofSweep, place: z.pick(clusterRef, { account: true, region: true }) })
export type PlaceMessage = z.infer<typeof placeMessage>

/** "Count the fleet when all places are done." `closing`: how often it was asked before. */
const closingMessage = z.object({ ...ofSweep, closing: z.int().check(z.minimum(0)) })
export type ClosingMessage = z.infer<typeof closingMessage>

export const sweepMessage = z.union([placeMessage, closingMessage])

/** "Send this notice." It is in the records; a message of its own sends it, so that no look waits for SNS. */
export const telling = z.object({
  schemaVersion: z.literal(1),
  /** `cluster`: as in the records. `hash`: what makes it the same notice. */
  tell: z.object({ cluster: z.string().check(z.maxLength(200)), hash: z.string().check(z.regex(/^[0-9a-f]{32}$/)) }),
})
export type Telling = z.infer<typeof telling>

/** "Look at the notices that wait." `gather`: the one for which it was sent. */
export const gathering = z.object({
  schemaVersion: z.literal(1),
  gather: z.string().check(z.regex(/^[0-9a-f]{32}$/)),
})
export type Gathering = z.infer<typeof gathering>

/** "Take the next step of this cluster's rollout." What the step is, is decided from the live cluster. */
export const rolloutStepMessage = z.object({
  schemaVersion: z.literal(1),
  cluster: clusterRef,
  incarnation,
  /** Look at the whole cluster and plan (again) before the step: to begin a rollout, or because its target moved. */
  begin: z.boolean(),
  /** What the deployment decided when it last looked: a Lease that says anything else is not acted upon. */
  decided: z.optional(z.string().check(z.maxLength(64))),
  /** Of the fleet budget. Without one that still holds, no node is touched where the fleet has a budget. */
  permit: z.optional(z.object({ token: z.int(), until: z.iso.datetime() })),
})
export type RolloutStep = z.infer<typeof rolloutStepMessage>

/** The same text everywhere a cluster is a key: queue group, record, log. */
export const clusterKey = ({ account, region, name }: ClusterRef): string => `${account}/${region}/${name}`

/** In place of a cluster's key: what is true of the whole deployment. */
export const deploymentKey = 'deployment'

/** Name of the SSM parameter that says what a deployment's table of records is called. */
export const recordsParameter = (stackName: string): string => `/calico-ipvs-sync/${stackName}/records-table`

/**
 * The index over the last reports: an item is in it that has the mark. Without it a list of the clusters would read a year of
 * verdicts.
 */
export const latestIndex = 'latest'
export const latestMark = 'report'
