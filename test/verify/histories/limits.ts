import { exceptionsFor } from '../../../shared/domain/policy/exception.ts'
import { budget, type Policy } from '../../../shared/domain/policy/policy.ts'
import { openness } from '../../../shared/domain/policy/window.ts'
import { clusterKey } from '../../../shared/messages.ts'
import type { Machine, Writer } from './cluster.ts'
import type { Deployment } from './deployment.ts'
import { functionsHolder } from './hub.ts'
import { isUs, type Page } from './ledger.ts'
import type { Stage } from './stage.ts'
import type { Table } from './table.ts'
import { hasRollback, holdersIn } from './truths.ts'

export interface Watched {
  table: Table
  deployment: Deployment
  /** By which two parties may disagree about the time. */
  slackMs: number
}

/** Something that one of us does to a cluster. */
export interface Doing {
  writer: Writer
  what: string
  /** A range, or a new pod. Whatever takes a range back cleans up, or restores a node. */
  sets: boolean
}

/** A call that a fault strikes may be carried out so much later, and a step that it strikes lasts so long. */
export const struckMs = { call: 30_000, step: 75_000 }
/** Between the answer about the brake and the write are the alarms, which are asked for once in a step. */
const soundMs = { call: 130, step: 6_000 }
/** `sync` at a terminal goes by the settings with which it began. */
export const longestMs = 45 * 60_000

export type Check = (name: string, page: Page, fault: string | false) => void

/** For how long a party may go by what it has read: before the call, and in the whole step. */
export const graceOf = ({ struck }: Stage, { name }: Writer): typeof soundMs => (struck.has(name) ? struckMs : soundMs)

/** What holds before anything of ours counts: switches, halts, the Lease, windows, alarms, exceptions. */
export const mayActOf = (stage: Stage, { deployment, slackMs }: Watched, check: Check) => {
  const { schedule } = stage
  const isHeld = (policies: Policy[], { cluster }: Page, ms: number): string | false => {
    const [now, before] = [schedule.now(), schedule.now() - ms]
    // By the clock of the writer, which may be ahead: then a window opens, and an exception ends, so much earlier.
    const ahead = now + slackMs
    const isClosed = ({ windows }: Policy) =>
      windows.length > 0 && [before, now, ahead].every((at) => !openness(windows, new Date(at)).open)
    const isExcepted = ({ exceptions }: Policy) =>
      [now, ahead].every((at) => exceptionsFor(exceptions, cluster.ref, at).cluster !== undefined)
    const { rings, since } = deployment.alarm
    const isRinging = ({ pauseOnAlarms }: Policy) => pauseOnAlarms.length > 0 && rings && since < before
    if (policies.every(isClosed)) return 'the window is closed'
    if (policies.every(isExcepted)) return 'the cluster is excepted'
    return policies.every(isRinging) && 'the alarm rings'
  }
  return (page: Page, { writer, what, sets }: Doing): void => {
    const { cluster } = page
    const { call, step } = graceOf(stage, writer)
    const sentAt = writer.sentAt ?? schedule.now()
    const { most, since } = deployment.brake
    const isFunction = writer.kind === 'function'
    const isBraked = isFunction && most !== 'sync' && sentAt - since > call
    check('brake', page, isBraked && `${what} while the brake is at ${most}`)
    const isForbidden = isFunction && page.forbiddenSince !== undefined && sentAt - page.forbiddenSince > step
    check('switched off', page, isForbidden && `${what} although the cluster's tag forbids it`)
    const { holder, holderSince, state, stateSince } = page.lease
    const own = isFunction ? functionsHolder : writer.name
    const isAnothers = holder !== undefined && holder !== own && sentAt - holderSince > step
    check('one rollout', page, isAnothers && `${writer.name}: ${what} while the Lease is held by ${holder}`)
    const isOver = state !== undefined && state !== 'running' && state !== 'aborting' && !hasRollback(cluster)
    const isAfter = isOver && sentAt - stateSince > step
    check('what is over is over', page, isAfter && `${what} although the rollout is ${state}`)
    const { incarnation } = writer
    const isStranger = incarnation !== undefined && incarnation !== cluster.eks.createdAt
    check('a message is about one cluster', page, isStranger && `${what} for the cluster of ${incarnation}`)
    if (!isFunction || !sets || hasRollback(cluster)) return
    const ms = step + slackMs
    const held = isHeld(deployment.within(ms), page, ms)
    check('held is held', page, held && `${what}, and ${held}`)
  }
}

/** Nodes without Felix through us, and clusters that are changed at one time. */
export const budgetsOf = ({ schedule }: Stage, { table, deployment }: Watched, check: Check) => {
  const graceMs = struckMs.call
  return (page: Page, { writer, what, sets }: Doing, hit: Machine[]): void => {
    if (hit.length === 0) return
    const { cluster } = page
    const down = [...cluster.machines.values()].filter((it) => it.down && isUs(it.down.by))
    const lately = deployment.within(longestMs)
    const most = Math.max(...lately.map(({ maxUnavailable }) => budget(maxUnavailable, cluster.machines.size)))
    const names = down.map(({ name }) => name).join(' ')
    check('budget', page, down.length > most && `${what}: ${names} without Felix, and ${most} may be`)
    if (writer.kind !== 'function' || !sets) return
    const now = schedule.now()
    const holders = holdersIn(table).filter(({ until }) => Date.parse(until) > now - graceMs)
    const isHeld = holders.some((it) => it.cluster === clusterKey(cluster.ref))
    check('fleet budget', page, !isHeld && `${what} without a permit`)
    const held = holders.filter(({ until }) => Date.parse(until) > now + graceMs).length
    // Who has a permit keeps it when there are fewer.
    const atOnce = Math.max(...deployment.within(Infinity).map(({ clustersAtOnce }) => clustersAtOnce))
    check('fleet budget', page, held > atOnce && `${held} clusters have a permit`)
  }
}
