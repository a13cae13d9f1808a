import type { KubeClient } from '../../clients/kube/client.ts'
import type { Health } from '../../clients/aws/health.ts'
import { isSound, type Permit } from '../../domain/policy/fleet-budget.ts'
import type { Policy, Switch } from '../../domain/policy/policy.ts'
import { ours, rangeAnnotation } from '../../domain/rollout/annotations.ts'
import { openness } from '../../domain/policy/window.ts'

/** Why no further node may be changed now, and after how many seconds to check again. */
export interface Hold {
  seconds: number
  why: string
}

/** Thrown instead of a write that would have disturbed a node: nothing was written. */
export class HeldError extends Error {
  override name = 'HeldError'
  readonly hold: Hold

  constructor(hold: Hold) {
    super(hold.why)
    this.hold = hold
  }
}

export interface Guards {
  policy: Policy
  health?: Health
  now: () => Date
}

const farOff = 14 * 86_400
/** An alarm may end at any time; a check costs little. */
const alarmSeconds = 900
/** Well below the time after which other evaluations resume a rollout whose Lease was not renewed. */
export const holdSeconds = 300

/** Holds for the whole fleet: maintenance windows, then alarms. */
export const holdFor = async ({ policy, health, now }: Guards): Promise<Hold | undefined> => {
  const at = now()
  const window = openness(policy.windows, at)
  if (!window.open) {
    const { opensAt } = window
    const seconds = opensAt ? Math.ceil((opensAt.getTime() - at.getTime()) / 1000) : farOff
    const when = opensAt ? `it opens ${opensAt.toISOString()}` : 'no window opens within the next two weeks'
    return { seconds, why: `the maintenance window is closed; ${when}` }
  }
  const trouble = await health?.trouble()
  return trouble === undefined ? undefined : { seconds: alarmSeconds, why: trouble }
}

export const budgetSpent = 'as many clusters as the fleet budget allows are being changed already'

/** The hold of this cluster: the fleet budget. A permit that expired on the way is requested again at once; after a refusal, later. */
export const holdWithout = (permit: Permit | undefined, now: Date): Hold | undefined => {
  if (permit && isSound(permit, now.getTime())) return undefined
  return permit
    ? { seconds: 1, why: 'the permit of the fleet budget has expired' }
    : { seconds: holdSeconds, why: budgetSpent }
}

/**
 * A client that checks for a hold before each write that disturbs a node: setting a range, deleting a pod, and the
 * note in the Lease just before. The removal of a range is always allowed, because it cleans up or restores a node.
 */
export const fenced = (kube: KubeClient, now: () => Date, ask: () => Promise<Hold | undefined>): KubeClient => {
  const begun = now().getTime()
  const pass = async (disturbs: boolean) => {
    const hold = disturbs ? await ask() : undefined
    if (hold) throw new HeldError(hold)
  }
  const sets = (annotations: Record<string, string | null> = {}) => typeof annotations[rangeAnnotation] === 'string'
  return {
    ...kube,
    createFelix: async (api, draft, options) => {
      await pass(!options?.dryRun && sets(draft.annotations))
      return kube.createFelix(api, draft, options)
    },
    patchFelix: async (api, patch, options) => {
      await pass(!options?.dryRun && sets(patch.metadata?.annotations))
      return kube.patchFelix(api, patch, options)
    },
    deletePod: async (pod) => {
      await pass(true)
      return kube.deletePod(pod)
    },
    putLease: async (change) => {
      await pass(touchedSince(begun, change.annotations?.[`${ours}touching`] ?? ''))
      return kube.putLease(change)
    },
  }
}

/** The next evaluation notifies people and waits as long as necessary. */
export const stoppedBy = ({ action, by }: Switch): Hold | undefined =>
  action === 'sync' ? undefined : { seconds: 1, why: `the action is set to ${action} by the ${by}` }

/**
 * A client that checks the brake before each write of any kind: after it is set, nothing more is written, not even to
 * clean up.
 */
export const braked = (kube: KubeClient, stopped: () => Promise<Hold | undefined>): KubeClient => {
  const pass = async () => {
    const hold = await stopped()
    if (hold) throw new HeldError(hold)
  }
  const asking =
    <Args extends unknown[], Result>(write: (...args: Args) => Promise<Result>) =>
    async (...args: Args): Promise<Result> => {
      await pass()
      return write(...args)
    }
  const createFelix = asking(kube.createFelix)
  const patchFelix = asking(kube.patchFelix)
  return {
    ...kube,
    // A dry run stores nothing.
    createFelix: (api, draft, options) => (options?.dryRun ? kube : { createFelix }).createFelix(api, draft, options),
    patchFelix: (api, patch, options) => (options?.dryRun ? kube : { patchFelix }).patchFelix(api, patch, options),
    deleteFelix: asking(kube.deleteFelix),
    deletePod: asking(kube.deletePod),
    putLease: asking(kube.putLease),
  }
}

/** The entries are `NODE=POD=WHEN`. */
const touchedSince = (begun: number, touching: string): boolean =>
  touching.split(' ').some((entry) => Date.parse(entry.split('=')[2] ?? '') >= begun)
