import * as z from 'zod'

/** A cluster by what EKS calls it: enough to find it, and nothing that could have gone stale in a queue. */
export const clusterRef = z.object({
  account: z.string().regex(/^\d{12}$/),
  region: z.string().regex(/^[a-z]{2}(-[a-z]+)+-\d$/),
  name: z.string().regex(/^[0-9A-Za-z][A-Za-z0-9_-]{0,99}$/),
})
export type ClusterRef = z.infer<typeof clusterRef>

/**
 * "Look at this cluster." Says why for the log, never what changed.
 * `rollout`: a rollout waits to go on · `follow`: an update of EKS was still under way at the last look.
 */
export const evaluation = z.object({
  schemaVersion: z.literal(1),
  cluster: clusterRef,
  reason: z.enum(['event', 'sweep', 'follow', 'rollout']),
  /** `UpdateClusterConfig 8f0c…`: for the log. */
  cause: z.string().max(300).optional(),
  /** Looks already taken while following an update; the delay grows with it. */
  attempt: z.int().min(0).optional(),
})
export type Evaluation = z.infer<typeof evaluation>

/** "Take the next step of this cluster's rollout." What the step is, is decided from the live cluster. */
export const rolloutStep = z.object({
  schemaVersion: z.literal(1),
  cluster: clusterRef,
  /** Look at the whole cluster and plan (again) before the step: to begin a rollout, or because its target moved. */
  begin: z.boolean(),
})
export type RolloutStep = z.infer<typeof rolloutStep>

/** The same text everywhere a cluster is a key: queue group, record, log. */
export const clusterKey = ({ account, region, name }: ClusterRef): string => `${account}/${region}/${name}`
