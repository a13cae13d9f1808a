import type { FelixObject, PodState } from '../cluster.ts'
import type { HaltEvidence } from './halt-evidence.ts'
import type { Reverted } from './rollout.ts'

/**
 * What a step can read: the FelixConfigurations, calico-node's pods, and Felix's effective configuration on a pod's
 * node.
 */
export interface StepInput {
  objects: FelixObject[]
  pods: PodState[]
  /** The text of the effective range on the pod's node; `undefined`: Felix's built-in default. */
  rangeOn: (pod: PodState) => string | undefined
  /** The node's own FelixConfiguration says something about its range. */
  setsOwnRange: (pod: PodState) => boolean
  /** The same as `rangeOn` for a node that has no object of its own. */
  defaultRange: string | undefined
  /** Why Felix would reject its current configuration, and the rejected objects: `FelixConfiguration/node.n1`. */
  trouble?: { reason: string; objects: readonly string[] }
  /** The touched nodes that have left the cluster; the rollout does not wait for their pods. */
  left?: ReadonlySet<string>
  /** When each Node was created, if the Nodes were read: one that joined after the write of `default` is not watched. */
  born?: ReadonlyMap<string, string>
  /** The number of missing pods of the DaemonSet. A node without its pod counts as disturbed. */
  missing?: number
}

/** A node that did not become Ready, or does not accept the written value. */
export interface Lost {
  node: string
  pod?: PodState
  wrote: NonNullable<HaltEvidence['wrote']>
}

/** One change of the cluster, or why there is none now. */
export type Step =
  | { do: 'override'; node: string; object?: FelixObject }
  | { do: 'promote' }
  | { do: 'remove-override'; object: FelixObject }
  /**
   * Removes the range from our override. The object remains and has the time of the change, until the node has stayed
   * well.
   */
  | { do: 'take-back'; node: string; object: FelixObject }
  | { do: 'begin-restarts' }
  | { do: 'restart'; pod: PodState; settled: string[] }
  | { do: 'wait'; seconds: number; why: string }
  /**
   * `about`: the node whose log is to be read first. `takeBack`: nodes whose overrides are to be removed, that node
   * first. `restore`: `default` gets its former value back.
   */
  | {
      do: 'halt'
      reason: string
      about?: Lost
      takeBack?: string[]
      restore?: boolean
      reverted?: Omit<Reverted, 'at'>
    }
  | { do: 'finish' }

/** Waits for the shortest of these times, in seconds. */
export const wait = (seconds: number[], why: string): Step => ({
  do: 'wait',
  seconds: Math.ceil(Math.min(...seconds)) || 1,
  why,
})

export const settling = 'the changed nodes must stay well'
