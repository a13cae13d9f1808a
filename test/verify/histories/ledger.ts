import type { Cluster, Machine, Writer } from './cluster.ts'
import { rangeText } from './ranges.ts'

/** What an onlooker who sees everything knows of one cluster. */
export interface Page {
  cluster: Cluster
  /** Ranges that EKS asked for, and until when; the last one is asked for now. */
  wanted: { range: string; until: number }[]
  /** Objects whose range others wrote. */
  byOthers: Set<string>
  /** What others took back of our writes: the object, its value, when. */
  reverted: Map<string, { range: string; at: number }>
  /** Who of us last wrote an object. */
  writers: Map<string, string>
  /** How often Felix on a node restarted for a value through us, since nobody else interfered. */
  restarts: Map<string, number>
  /** When one of us last restarted Felix on a node: it must stay well before others follow. */
  disturbed: Map<string, number>
  /** By range: the nodes that had it alone when a second one got it, and so had proven it. */
  proven: Map<string, { name: string; createdAt: string }[]>
  /** The ranges that stood in `default` before we wrote it. */
  former: Set<string | undefined>
  lease: { holder: string | undefined; holderSince: number; state: string | undefined; stateSince: number }
  /** When a person last decided something about the rollout. */
  spoken: number
  halts: number[]
  /** When its tag last changed: a cluster that is switched off has no verdict any more. */
  switchedAt: number
  /** Since when the cluster's tag allows no changes. */
  forbiddenSince: number | undefined
  /** Writes of the functions, for the records. */
  acted: { object: string; to: string; at: number; by: string }[]
}

export const pageOf = (cluster: Cluster, now: number): Page => ({
  cluster,
  wanted: [{ range: rangeText(cluster), until: Infinity }],
  byOthers: new Set(),
  reverted: new Map(),
  writers: new Map(),
  restarts: new Map(),
  disturbed: new Map(),
  proven: new Map(),
  former: new Set(),
  lease: { holder: undefined, holderSince: now, state: undefined, stateSince: now },
  spoken: 0,
  halts: [],
  switchedAt: 0,
  forbiddenSince: undefined,
  acted: [],
})

export const isUs = ({ kind }: Writer): boolean => kind !== 'others'

/** A new start: what was written before does not count any more. */
export const forgive = (page: Page, now: number): void => {
  page.restarts.clear()
  page.disturbed.clear()
  page.reverted.clear()
  page.spoken = now
}

/** What we did to a node is known by the marks on its object and by the Lease: both are gone. */
export const disown = ({ disturbed }: Page, machine: Machine): void => {
  disturbed.delete(machine.name)
  if (machine.down) machine.down = { ...machine.down, by: { name: 'nobody', kind: 'others' } }
}
