import { budget } from '../../../shared/domain/policy/policy.ts'
import type { Machine } from './cluster.ts'
import type { Page } from './ledger.ts'
import { type Check, type Doing, longestMs, struckMs, type Watched } from './limits.ts'
import type { Stage } from './stage.ts'
import { hasRollback } from './truths.ts'

/** A node that we disturbed stays well for a time before others are disturbed beyond the budget. */
export const settlingOf =
  ({ schedule, struck }: Stage, { deployment, slackMs }: Watched, check: Check) =>
  (page: Page, { writer, what }: Doing, touched: { machine: Machine; wasWell: boolean }[]): void => {
    const { cluster, disturbed } = page
    // A halt restores its nodes at once.
    if (hasRollback(cluster)) return
    const now = schedule.now()
    // The writer notes the time before the write, which a fault may delay.
    const at = (writer.sentAt ?? now) - (struck.has(writer.name) ? struckMs.call : 0)
    for (const { machine } of touched) disturbed.set(machine.name, at)
    if (!touched.some(({ wasWell }) => wasWell)) return
    const lately = deployment.within(longestMs)
    const seconds = Math.min(...lately.map(({ settleSeconds }) => settleSeconds))
    const most = Math.max(...lately.map(({ maxUnavailable }) => budget(maxUnavailable, cluster.machines.size)))
    // Not one that joined since under its name.
    const isThere = (name: string, since: number) => Date.parse(cluster.machines.get(name)?.createdAt ?? '') <= since
    const names = [...disturbed]
      .filter(([name, since]) => isThere(name, since) && now - since < seconds * 1000 - slackMs)
      .map(([name]) => name)
    const fault = `${what}: ${names.join(' ')} were disturbed within ${seconds} s, and ${most} may be`
    check('settled first', page, names.length > most && fault)
  }
