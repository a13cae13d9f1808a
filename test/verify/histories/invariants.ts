import { isOurs } from '../../../shared/domain/rollout/marks.ts'
import type { Cluster, Machine, Watch, Write } from './cluster.ts'
import { rangeIn, rangeOn, writtenIn } from './ranges.ts'
import { disown, forgive, isUs, type Page, pageOf } from './ledger.ts'
import { leasedOf } from './lease-watch.ts'
import { budgetsOf, type Check, graceOf, longestMs, mayActOf, type Watched } from './limits.ts'
import { settlingOf } from './settling.ts'
import type { Stage } from './stage.ts'
import { changesOthers, isSameDay, isWanted, rolloutIn } from './truths.ts'

export interface Onlooker extends Watch {
  page: (cluster: Cluster) => Page
  pages: () => Page[]
  /** A person decided something: `resume`, `abort`, `sync`, or took something of ours in hand. */
  spoke: (cluster: Cluster) => void
}

/** What must hold at every event, each with its name. */
export const onlookerOf = (stage: Stage, watched: Watched): Onlooker => {
  const pages = new Map<Cluster, Page>()
  const { schedule } = stage
  const pageFor = (cluster: Cluster): Page => {
    const page = pages.get(cluster) ?? pageOf(cluster, schedule.now())
    pages.set(cluster, page)
    return page
  }
  const check: Check = (name, { cluster }, fault) =>
    stage.check(name, fault === false ? undefined : `${cluster.ref.name}: ${fault}`)
  const mayAct = mayActOf(stage, watched, check)
  const withinBudget = budgetsOf(stage, watched, check)
  const settled = settlingOf(stage, watched, check)

  const setsRange = (page: Page, { writer, name, before, touched }: Write, given: { range: string; what: string }) => {
    const { range, what } = given
    const now = schedule.now()
    page.writers.set(name, writer.name)
    check('needed', page, !isWanted(page, range, { name, now }) && `${what}, which nobody wants`)
    const taken = page.reverted.get(name)
    const isLater = taken !== undefined && (writer.sentAt ?? now) - taken.at > graceOf(stage, writer).step
    const isAgain = isLater && taken.range === range && isSameDay(taken.at, now)
    check('never fights', page, isAgain && `${what}, which somebody took back`)
    if (name === 'default') page.former.add(rangeIn(before))
    if (writer.kind === 'function')
      page.acted.push({ object: `FelixConfiguration/${name}`, to: range, at: now, by: writer.name })
    // An override with the range that the node has already keeps it as it is, when `default` gets its former value back.
    const node = touched.find(({ machine }) => name === `node.${machine.name}`)?.machine
    const isLong = (since = '') => now - Date.parse(since) > graceOf(stage, writer).step
    check(
      'kept apart',
      page,
      node?.ready === false && isLong(node.readySince) && `${what}, whose kubelet does not answer`,
    )
    const isIll = node?.calico?.ready === false && isLong(node.calico.readySince)
    check('kept apart', page, isIll && `${what}, whose calico-node is not Ready`)
    if (page.former.has(range)) return
    for (const { machine } of touched) {
      const key = `${machine.name} ${machine.createdAt} ${range}`
      const count = (page.restarts.get(key) ?? 0) + 1
      page.restarts.set(key, count)
      check('once', page, count > 1 && `${what}: Felix on ${machine.name} restarts a second time for ${range}`)
    }
  }

  /** An abort has nothing to restore on a node without an override of ours, and continues when its deadline is over. */
  const disownLate = (page: Page): void => {
    const { felix, machines } = page.cluster
    if (rolloutIn(page.cluster)['calico-ipvs-sync/state'] !== 'aborting') return
    const seconds = Math.min(
      ...watched.deployment.within(longestMs).map(({ nodeDeadlineSeconds }) => nodeDeadlineSeconds),
    )
    for (const machine of machines.values()) {
      const object = felix.get(`node.${machine.name}`)
      const isLate = schedule.now() - (machine.down?.since ?? Infinity) > seconds * 1000
      if (isLate && !(object && isOurs(object))) disown(page, machine)
    }
  }

  const ourWrite = (page: Page, write: Write): void => {
    const { writer, name, before, after, touched, isRead } = write
    const range = rangeIn(after)
    const what = `${writer.name} writes ${name} ${rangeIn(before) ?? '-'} -> ${after ? (range ?? '-') : 'deleted'}`
    const isSet = range !== undefined && range !== rangeIn(before)
    mayAct(page, { writer, what, sets: isSet })
    check('nothing of others', page, changesOthers(page, write) && what)
    check('rests on what was read', page, !isRead && `${what}, and somebody has changed it since it was read`)
    if (isSet) setsRange(page, write, { range, what })
    disownLate(page)
    // A node whose kubelet is silent is not waited for: it gets the range with `default`.
    const isLeftOut = ({ ready }: Machine) => name === 'default' && !ready
    for (const { machine } of touched) if (isLeftOut(machine)) disown(page, machine)
    const isStaged = watched.deployment.within(3_600_000).every(({ strategy }) => strategy === 'staged')
    if (name === 'default' && !isStaged) {
      // Only the Lease says of which rollout it was, and it was deleted while the write was on its way.
      if (!page.cluster.lease) for (const { machine } of touched) disown(page, machine)
      return
    }
    const counted = touched.filter(({ machine }) => !isLeftOut(machine))
    // Who is without Felix already loses nothing.
    const hit = counted.filter(({ wasWell }) => wasWell).map(({ machine }) => machine)
    withinBudget(page, { writer, what, sets: isSet }, hit)
    settled(page, { writer, what, sets: isSet, range: isSet && name !== 'default' ? range : undefined }, counted)
  }

  const theirWrite = (page: Page, { name, before, after, touched }: Write): void => {
    const range = rangeIn(before)
    // Whether a write was made is not known to a party that was struck: it may make it once more.
    const isKnown = !stage.struck.has(page.writers.get(name) ?? '')
    // An override that goes when `default` has its range changes nothing, and nothing is taken back.
    const left = name === 'default' ? rangeIn(after) : rangeOn(page.cluster, name.slice('node.'.length))
    // What neither EKS nor the rollout wants any more may be wanted again later the same day.
    const isMeant =
      page.wanted.some((it) => it.range === range && it.until > schedule.now()) ||
      rolloutIn(page.cluster)['calico-ipvs-sync/target'] === range
    if (range !== undefined && isKnown && isMeant && !page.byOthers.has(name) && left !== range)
      page.reverted.set(name, { range, at: schedule.now() })
    if (rangeIn(after) === undefined) page.byOthers.delete(name)
    // An object of ours stays ours where only the copy of its metadata has another range: a halt removes it with its copy.
    else if (writtenIn(after) !== writtenIn(before)) page.byOthers.add(name)
    for (const { machine } of touched) page.disturbed.delete(machine.name)
    for (const { machine } of touched)
      for (const key of page.restarts.keys()) if (key.startsWith(`${machine.name} `)) page.restarts.delete(key)
  }

  return {
    page: pageFor,
    pages: () => [...pages.values()],
    spoke: (cluster) => forgive(pageFor(cluster), schedule.now()),
    looked: () => undefined,
    evaluated: () => undefined,
    writes: () => undefined,
    leasing: () => undefined,
    wrote: (write) => (isUs(write.writer) ? ourWrite : theirWrite)(pageFor(write.cluster), write),
    deletedPod: (cluster, writer, machine) => {
      if (!isUs(writer)) return
      const page = pageFor(cluster)
      const what = `${writer.name} deletes ${machine.calico?.name}`
      mayAct(page, { writer, what, sets: true })
      const isNew = Date.parse(machine.calico?.startedAt ?? '') > cluster.modeChangedAt
      check('needed', page, isNew && `${what}, which needs no restart`)
      settled(page, { writer, what, sets: true }, [{ machine, wasWell: !machine.down }])
      if (machine.down) return
      machine.down = { since: schedule.now(), by: writer }
      withinBudget(page, { writer, what, sets: true }, [machine])
    },
    leased: leasedOf(stage, watched, { pageFor, check }),
  }
}
