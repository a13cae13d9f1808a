import { budget, type Policy } from '../../../shared/domain/policy/policy.ts'
import { clusterKey } from '../../../shared/messages.ts'
import { type Cluster, type Machine, rangeIn, type Watch, type Write, type Writer } from './cluster.ts'
import { functionsHolder } from './hub.ts'
import { forgive, isUs, type Page, pageOf } from './ledger.ts'
import type { Stage } from './stage.ts'
import type { Table } from './table.ts'
import { changesOthers, hasRollback, holdersIn, isSameDay, isWanted } from './truths.ts'

export interface Onlooker extends Watch {
  page: (cluster: Cluster) => Page
  pages: () => Page[]
  /** A person decided something: `resume`, `abort`, `sync`, or took something of ours in hand. */
  spoke: (cluster: Cluster) => void
}

/** A call that the caller gave up may still be carried out so much later. */
const graceMs = 30_000
/** A step reads the tags of its cluster when it begins. */
const stepMs = 75_000

interface Watched {
  table: Table
  policy: Policy
  brake: () => { most: string; since: number }
  /** By which two parties may disagree about the time. */
  slackMs: number
}

interface Doing {
  writer: Writer
  what: string
  /** A range, or a new pod. */
  sets: boolean
}

/** What must hold at every event, each with its name. */
export const onlookerOf = (stage: Stage, { table, policy, brake, slackMs }: Watched): Onlooker => {
  const pages = new Map<Cluster, Page>()
  const { schedule } = stage
  const pageFor = (cluster: Cluster): Page => {
    const page = pages.get(cluster) ?? pageOf(cluster, schedule.now())
    pages.set(cluster, page)
    return page
  }
  const check = (name: string, { cluster }: Page, fault: string | false): void =>
    stage.check(name, fault === false ? undefined : `${cluster.ref.name}: ${fault}`)

  /** Before anything of ours counts: switches, halts, the Lease, the permit. */
  const mayAct = (page: Page, writer: Writer, what: string): void => {
    const now = schedule.now()
    const { most, since } = brake()
    const isFunction = writer.kind === 'function'
    const isBraked = isFunction && most !== 'sync' && now - since > graceMs
    check('brake', page, isBraked && `${what} while the brake is at ${most}`)
    const isForbidden = isFunction && page.forbiddenSince !== undefined && now - page.forbiddenSince > stepMs
    check('switched off', page, isForbidden && `${what} although the cluster's tag forbids it`)
    const { holder, holderSince, state, stateSince } = page.lease
    const own = isFunction ? functionsHolder : writer.name
    const isAnothers = holder !== undefined && holder !== own && now - holderSince > graceMs
    check('one rollout', page, isAnothers && `${writer.name}: ${what} while the Lease is held by ${holder}`)
    const isHalted = state === 'halted' && now - stateSince > graceMs && !hasRollback(page.cluster)
    check('halted is halted', page, isHalted && `${what} after the halt`)
  }

  const withinBudget = (page: Page, { writer, what, sets }: Doing, hit: Machine[]): void => {
    if (hit.length === 0) return
    const { cluster } = page
    const down = [...cluster.machines.values()].filter((it) => it.down && isUs(it.down.by))
    const most = budget(policy.maxUnavailable, cluster.machines.size)
    const names = down.map(({ name }) => name).join(' ')
    check('budget', page, down.length > most && `${what}: ${names} without Felix, and ${most} may be`)
    // Taking a range back is always allowed: it cleans up, or restores a node.
    if (writer.kind !== 'function' || !sets) return
    const holders = holdersIn(table).filter(({ until }) => Date.parse(until) > schedule.now() - graceMs)
    const isHeld = holders.some((it) => it.cluster === clusterKey(cluster.ref))
    check('fleet budget', page, !isHeld && `${what} without a permit`)
    const held = holders.filter(({ until }) => Date.parse(until) > schedule.now() + graceMs).length
    check('fleet budget', page, held > policy.clustersAtOnce && `${held} clusters have a permit`)
  }

  const ourWrite = (page: Page, write: Write): void => {
    const { writer, name, before, after, touched } = write
    const range = rangeIn(after)
    const what = `${writer.name} writes ${name} ${rangeIn(before) ?? '-'} -> ${after ? (range ?? '-') : 'deleted'}`
    mayAct(page, writer, what)
    check('nothing of others', page, changesOthers(page, write) && what)
    const isSet = range !== undefined && range !== rangeIn(before)
    if (isSet) {
      page.writers.set(name, writer.name)
      check('needed', page, !isWanted(page, range, { name, now: schedule.now() }) && `${what}, which nobody wants`)
      const taken = page.reverted.get(name)
      const isAgain =
        taken?.range === range && schedule.now() - taken.at > stepMs && isSameDay(taken.at, schedule.now())
      check('never fights', page, isAgain && `${what}, which somebody took back`)
      if (name === 'default') page.former.add(rangeIn(before))
      if (writer.kind === 'function')
        page.acted.push({ object: `FelixConfiguration/${name}`, to: range, at: schedule.now(), by: writer.name })
    }
    const node = name.startsWith('node.') ? page.cluster.machines.get(name.slice('node.'.length)) : undefined
    const isSilent = isSet && node?.ready === false && schedule.now() - Date.parse(node.readySince) > graceMs
    check('kept apart', page, isSilent && `${what}, whose kubelet does not answer`)
    const isAtOnce = name === 'default' && policy.strategy !== 'staged'
    // Who is without Felix already loses nothing.
    const hit = touched.filter(({ wasWell }) => wasWell).map(({ machine }) => machine)
    if (!isAtOnce) withinBudget(page, { writer, what, sets: isSet }, hit)
    if (!isSet || page.former.has(range)) return
    for (const { machine } of touched) {
      const key = `${machine.name} ${machine.createdAt} ${range}`
      const count = (page.restarts.get(key) ?? 0) + 1
      page.restarts.set(key, count)
      check('once', page, count > 1 && `${what}: Felix on ${machine.name} restarts a second time for ${range}`)
    }
  }

  const theirWrite = (page: Page, { name, before, after, touched }: Write): void => {
    const range = rangeIn(before)
    // Whether a write was made is not known to a party that was struck: it may make it once more.
    const isKnown = !stage.struck.has(page.writers.get(name) ?? '')
    if (range !== undefined && isKnown && !page.byOthers.has(name) && rangeIn(after) !== range)
      page.reverted.set(name, { range, at: schedule.now() })
    if (rangeIn(after) === undefined) page.byOthers.delete(name)
    else if (rangeIn(after) !== range) page.byOthers.add(name)
    for (const { machine } of touched)
      for (const key of page.restarts.keys()) if (key.startsWith(`${machine.name} `)) page.restarts.delete(key)
  }

  return {
    page: pageFor,
    pages: () => [...pages.values()],
    spoke: (cluster) => forgive(pageFor(cluster), schedule.now()),
    wrote: (write) => (isUs(write.writer) ? ourWrite : theirWrite)(pageFor(write.cluster), write),
    deletedPod: (cluster, writer, machine) => {
      if (!isUs(writer)) return
      const page = pageFor(cluster)
      const what = `${writer.name} deletes ${machine.calico?.name}`
      mayAct(page, writer, what)
      const isNew = Date.parse(machine.calico?.startedAt ?? '') > cluster.modeChangedAt
      check('needed', page, isNew && `${what}, which needs no restart`)
      if (machine.down) return
      machine.down = { since: schedule.now(), by: writer }
      withinBudget(page, { writer, what, sets: true }, [machine])
    },
    leased: (cluster, writer, before) => {
      const page = pageFor(cluster)
      const isTaken = before?.holder !== undefined && ![undefined, before.holder].includes(cluster.lease?.holder)
      const leftMs = Date.parse(before?.renewedAt ?? '') + (before?.leaseSeconds ?? 0) * 1000 - schedule.now()
      // A time in the future is forged, and counts for nothing.
      const isValid = leftMs > slackMs && leftMs <= (before?.leaseSeconds ?? 0) * 1000 + slackMs
      if (isUs(writer))
        check('one rollout', page, isTaken && isValid && `${writer.name} takes the Lease that ${before.holder} holds`)
      const { holder, annotations } = cluster.lease ?? { annotations: {} }
      const now = schedule.now()
      const state = (annotations as Record<string, string>)['calico-ipvs-sync/state']
      const last = page.lease
      if (state === 'halted' && last.state !== 'halted' && isUs(writer)) page.halts.push(now)
      page.lease = {
        holder,
        holderSince: holder === last.holder ? last.holderSince : now,
        state,
        stateSince: state === last.state ? last.stateSince : now,
      }
      if (!isUs(writer)) forgive(page, now)
    },
  }
}
