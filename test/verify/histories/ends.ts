import { permitSeconds } from '../../../shared/domain/policy/fleet-budget.ts'
import { clusterKey } from '../../../shared/messages.ts'
import { rangeOn, rangeText } from './ranges.ts'
import type { Fleet } from './fleet.ts'
import { functionsHolder } from './hub.ts'
import type { Onlooker } from './invariants.ts'
import type { Page } from './ledger.ts'
import type { Queues } from './queues.ts'
import type { Stage } from './stage.ts'
import type { Table } from './table.ts'
import type { Published } from './topic.ts'
import { holdersIn, isOwnObject, rolloutIn } from './truths.ts'

export interface Ended {
  fleet: Fleet
  table: Table
  queues: Queues
  published: Published[]
  onlooker: Onlooker
  /** When the faults stopped. */
  calmSince: number
}

type Checking = Pick<Stage, 'check' | 'schedule' | 'struck'>

/** What must have come about some time after the faults stopped. */
export const checkEnd = (stage: Checking, ended: Ended): void => {
  const { fleet, table, queues, published } = ended
  for (const [name, messages] of Object.entries(queues.left()))
    stage.check(
      'queues are empty',
      messages.length > 0 ? `${name}: ${messages.map(({ body }) => body).join(' ')}` : undefined,
    )
  const now = stage.schedule.now()
  const held = holdersIn(table).filter(({ until }) => Date.parse(until) > now)
  stage.check('permits come home', held.length > 0 ? held.map(({ cluster }) => cluster).join(' ') : undefined)
  const waiting = table.all('notices', 'held#').length
  stage.check('all is told', waiting > 0 ? `${waiting} notices still wait` : undefined)
  for (const page of ended.onlooker.pages())
    if (fleet.clusters.get(clusterKey(page.cluster.ref)) === page.cluster) checkCluster(stage, ended, page)
  for (const key of queues.tellings) {
    const isTold = table.get(key.cluster, `told#${key.hash}`)?.['toldAt'] !== undefined
    const isDead = queues.dead.some(({ queue, body }) => queue.startsWith('tellings') && body.includes(key.hash))
    const content = table.get(key.cluster, `notice#${key.hash}`)?.['content']?.S
    stage.check('all is told', isTold || isDead ? undefined : `${key.cluster}: ${content?.slice(0, 120)}`)
  }
  checkNotices(stage, published)
}

const minute = 60_000
/** Messages that faults delayed are done by then. */
const settledAfter = 50 * minute
const lookedAtEvery = 5 * minute
/** A permit that a message may still use is not given back. */
const idleAtMost = 15 * minute

/** When all is calm, a cluster whose rollout is over keeps no permit from the others. */
export const permitsComeHome = (stage: Stage, { table, onlooker, fleet, calmSince }: Ended): void => {
  const { schedule } = stage
  const look = (): void => {
    const now = schedule.now()
    for (const page of onlooker.pages()) {
      const key = clusterKey(page.cluster.ref)
      const holder = holdersIn(table).find((it) => it.cluster === key && Date.parse(it.until) > now)
      const { state, stateSince } = page.lease
      const isOver = (state === undefined || state === 'done' || state === 'aborted') && now - stateSince > idleAtMost
      const isKept = isOver && fleet.clusters.get(key) === page.cluster && holder !== undefined
      const isIdle = now - (Date.parse(holder?.until ?? '') - permitSeconds * 1000) > idleAtMost
      stage.check(
        'permits come home',
        isKept && isIdle ? `${key} keeps its permit although its rollout is over` : undefined,
      )
    }
    if (now < calmSince + 3 * 60 * minute) schedule.after(lookedAtEvery, look)
  }
  schedule.after(calmSince + settledAfter - schedule.now(), look)
}

const checkCluster = (stage: Checking, { table, published, calmSince }: Ended, page: Page): void => {
  const { cluster } = page
  const key = clusterKey(cluster.ref)
  const say = (name: string, fault: string | false) =>
    stage.check(name, fault === false ? undefined : `${cluster.ref.name}: ${fault}`)
  const wanted = rangeText(cluster)
  const off = [...cluster.machines.keys()].filter((name) => rangeOn(cluster, name) !== wanted)
  const isBuiltIn = wanted === '30000:32767' && off.every((name) => rangeOn(cluster, name) === undefined)
  say('comes in step', off.length > 0 && !isBuiltIn && `${off.join(' ')} without ${wanted}`)
  const old = [...cluster.machines.values()].filter(
    (it) => Date.parse(it.calico?.startedAt ?? '') <= cluster.modeChangedAt,
  )
  say('comes in step', old.length > 0 && `not restarted: ${old.map(({ name }) => name).join(' ')}`)
  const { holder } = cluster.lease ?? {}
  const state = rolloutIn(cluster)['calico-ipvs-sync/state']
  say('leases come home', holder === functionsHolder && `held by ${holder}`)
  say('rollouts end', state !== undefined && state !== 'done' && state !== 'aborted' && `the rollout is ${state}`)
  const left = [...cluster.felix.values()].filter((it) => it.name !== 'default' && !isOwnObject(it))
  say('nothing is left', left.length > 0 && left.map(({ name }) => name).join(' '))
  const verdict = table.get(key, 'assessment')?.['verdict']?.S
  const at = Date.parse(table.get(key, 'assessment')?.['observedAt']?.S ?? '')
  say('is known to be in step', (verdict !== 'in-step' || !(at > calmSince)) && `its record says ${verdict}`)
  for (const at of page.halts) {
    const isTold = published.some((it) => it.kind === 'halted' && it.clusters.includes(cluster.ref.name) && it.at >= at)
    say(
      'a halt is told',
      isLasting(page, at) && !isTold && `the halt of ${new Date(at).toISOString()} was told to nobody`,
    )
  }
  const since = Date.parse(table.get(key, 'incident')?.['since']?.S ?? '')
  const ends = published.filter(
    ({ kind, clusters }) => /in-step|digest/.test(kind) && clusters.includes(cluster.ref.name),
  )
  const about = published.filter(({ clusters }) => clusters.includes(cluster.ref.name))
  const isBegun = about.some(({ kind, at }) => (kind === 'trouble' || kind === 'halted') && at >= since)
  const isSaid =
    !isBegun ||
    !(since > Math.max(page.switchedAt, Date.parse(cluster.eks.createdAt ?? ''))) ||
    ends.some(({ at }) => at >= since)
  say('the end is told', !isSaid && `the incident of ${new Date(since || 0).toISOString()} has no end`)
  say('all is told', page.acted.length > 0 && about.length === 0 && 'it was changed, and nobody was told anything')
  const [written, claimed] = [table.all(key, 'write#'), table.all(key, 'claim#')]
  for (const { object, to, at, by } of page.acted) {
    // A function that died in between leaves it to the next evaluation, as a claim of the cluster.
    const kept = stage.struck.has(by) ? [...written, ...claimed] : written
    const isKept = kept.some((item) => item['object']?.S === object && item['after']?.S === to)
    say('records have every write', !isKept && `${object} -> ${to} of ${new Date(at).toISOString()} is on no record`)
  }
}

/** The brake may keep it from being told until the next sweep of each hour, one of which may be lost. */
const toldAtLatest = 130 * minute

/** Nobody resumed or ended it before. */
const isLasting = ({ spoken }: Page, at: number): boolean => !(spoken >= at && spoken - at < toldAtLatest)

/** The same notice a second time only where its sender was struck after it had sent it. */
const checkNotices = ({ check, struck }: Checking, published: Published[]): void => {
  const seen = new Map<string, Published>()
  for (const it of published) {
    const before = seen.get(`${it.topic} ${it.notice}`)
    const isTwice = before !== undefined && !struck.has(before.by)
    check('told once', isTwice ? `${it.subject} by ${before.by} and ${it.by}` : undefined)
    seen.set(`${it.topic} ${it.notice}`, it)
  }
}
