import { budget } from '../../../shared/domain/policy/policy.ts'
import { overrideKey } from '../../../shared/domain/rollout/annotations.ts'
import { parseRollout } from '../../../shared/domain/rollout/parse.ts'
import { zoneOf } from '../../../shared/domain/rollout/zones.ts'
import { rangeKey } from '../../domain/states.ts'
import type { Cluster, Machine } from './cluster.ts'
import type { Page } from './ledger.ts'
import { type Check, type Doing, graceOf, longestMs, struckMs, type Watched } from './limits.ts'
import { rangeIn } from './ranges.ts'
import type { Stage } from './stage.ts'
import { hasRollback } from './truths.ts'

/** `range`: written for one node, and not for all at once. */
type Disturbing = Doing & { range?: string | undefined }

/** A node that we disturbed stays well for a time before others are disturbed beyond the budget. */
export const settlingOf =
  (stage: Stage, { deployment, slackMs }: Watched, check: Check) =>
  (page: Page, { writer, what, range }: Disturbing, touched: { machine: Machine; wasWell: boolean }[]): void => {
    const { schedule, struck } = stage
    const { cluster, disturbed } = page
    // A halt restores its nodes at once.
    if (hasRollback(cluster)) return
    const now = schedule.now()
    // The writer notes the time before the write, which a fault may delay.
    const at = (writer.sentAt ?? now) - (struck.has(writer.name) ? struckMs.call : 0)
    for (const { machine } of touched) disturbed.set(machine.name, at)
    if (!touched.some(({ wasWell }) => wasWell)) return
    const lately = deployment.within(longestMs)
    const [settle, alone] = (['settleSeconds', 'canarySeconds'] as const).map((key) =>
      Math.min(...lately.map((it) => it[key])),
    ) as [number, number]
    const most = Math.max(...lately.map(({ maxUnavailable }) => budget(maxUnavailable, cluster.machines.size)))
    // Not one that joined since under its name.
    const isThere = (name: string, since: number) => Date.parse(cluster.machines.get(name)?.createdAt ?? '') <= since
    const within = (seconds: number) =>
      [...disturbed]
        .filter(([name, since]) => isThere(name, since) && now - since < seconds * 1000 - slackMs)
        .map(([name]) => name)
    const names = within(settle)
    const fault = `${what}: ${names.join(' ')} were disturbed within ${settle} s`
    check('settled first', page, names.length > most && `${fault}, and ${most} may be`)
    if (range === undefined) return
    const zones = zonesOf(cluster, names, now)
    check('one zone at a time', page, zones.length > 1 && `${fault}, in the zones ${zones.join(' ')}`)
    const hit = touched.map(({ machine }) => machine.name)
    const since = now - graceOf(stage, writer).step
    const before = withRange(page, { range, since }).filter((name) => !hit.includes(name))
    if (isProvenBy(page, range, before)) return
    // When `default` has it, all nodes have proven it.
    if (before.length > 1 || rangeIn(cluster.felix.get('default')) === range) return
    check('the first alone', page, names.length > 1 && `${fault}, and no other node has proven the range`)
    const isNew = before.some((name) => within(alone).includes(name))
    check('the first alone', page, isNew && `${what}: ${before.join(' ')} was changed within ${alone} s, as the first`)
  }

/**
 * Whether a first node had proven the range, alone, before it left the cluster: then the second one is not the first. One that is
 * there and lost its object proves nothing, and where no node has the range any more, the next one is the first again.
 */
const isProvenBy = ({ cluster: { machines }, proven }: Page, range: string, before: string[]): boolean => {
  if (before.length === 0) proven.delete(range)
  const first = proven.get(range) ?? []
  const [only] = before
  const machine = before.length === 1 && machines.get(only ?? '')
  if (machine) proven.set(range, [...first, { name: machine.name, createdAt: machine.createdAt }])
  return first.some(({ name, createdAt }) => machines.get(name)?.createdAt !== createdAt)
}

/** Nodes whose own object has the range, or had it when the writer looked, before somebody took it back. */
const withRange = ({ cluster, reverted }: Page, { range, since }: { range: string; since: number }): string[] =>
  [...cluster.machines.keys()].filter((name) => {
    const taken = reverted.get(`node.${name}`)
    const had = taken?.range === range && taken.at >= since
    return had || cluster.felix.get(`node.${name}`)?.annotations[rangeKey] === range
  })

/** The zones of those that have an override, if the rollout keeps to zones. */
const zonesOf = ({ lease, felix }: Cluster, names: string[], now: number): string[] => {
  const parsed = parseRollout(lease, now)
  const zones = parsed.is === 'rollout' ? parsed.rollout.zones : undefined
  const marked = names.filter((name) => overrideKey in (felix.get(`node.${name}`)?.annotations ?? {}))
  return zones ? [...new Set(marked.map(zoneOf({ zones })))] : []
}
