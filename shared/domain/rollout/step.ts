import type { FelixObject, PodState } from '../cluster.ts'
import type { HaltEvidence } from './halt-evidence.ts'
import type { TakenBack } from './rollout.ts'

/** What a step can see: the FelixConfigurations, calico-node's pods, and what Felix on a pod's node makes of the objects. */
export interface Seen {
  objects: FelixObject[]
  pods: PodState[]
  /** The raw text of the range that counts on the pod's node; `undefined`: Felix's built-in default. */
  rangeOn: (pod: PodState) => string | undefined
  /** The same for a node that has no object of its own. */
  defaultRange: string | undefined
  /** Why Felix would refuse its configuration as it stands now, and the objects it would refuse: `FelixConfiguration/node.n1`. */
  trouble?: { reason: string; objects: readonly string[] }
  /** Of the nodes that were touched: those that have left the cluster, so that nobody waits for their pods. */
  left?: ReadonlySet<string>
  /** Pods that the DaemonSet should have and does not. A node without its pod counts as disturbed. */
  missing?: number
}

/** A node that did not come back, or does not accept what was written. */
export interface Lost {
  node: string
  pod?: PodState
  wrote: NonNullable<HaltEvidence['wrote']>
}

/** One effect on the cluster, or why there is none now. */
export type Step =
  | { do: 'override'; node: string; object?: FelixObject }
  | { do: 'promote' }
  | { do: 'remove-override'; object: FelixObject }
  /** Takes the range off our override, which stays and says since when, until the node has stayed well. */
  | { do: 'take-back'; node: string; object: FelixObject }
  | { do: 'begin-restarts' }
  | { do: 'restart'; pod: PodState; settled: string[] }
  | { do: 'wait'; seconds: number; why: string }
  /**
   * `about`: the node to be looked at more closely first. `takeBack`: nodes off which our overrides are to be taken, it
   * first. `restore`: `default` gets its former value back.
   */
  | {
      do: 'halt'
      reason: string
      about?: Lost
      takeBack?: string[]
      restore?: boolean
      takenBack?: Omit<TakenBack, 'at'>
    }
  | { do: 'finish' }

/** Waits for the shortest of these times, in seconds. */
export const wait = (seconds: number[], why: string): Step => ({
  do: 'wait',
  seconds: Math.ceil(Math.min(...seconds)) || 1,
  why,
})
