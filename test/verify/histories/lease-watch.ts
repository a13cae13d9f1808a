import type { RolloutRecord } from '../../../shared/domain/cluster.ts'
import type { Cluster, Watch } from './cluster.ts'
import { forgive, isUs, type Page } from './ledger.ts'
import type { Check, Watched } from './limits.ts'
import type { Stage } from './stage.ts'

const nobodys: Pick<RolloutRecord, 'holder' | 'annotations'> = { annotations: {} }

/** Who holds the Lease, and which state the rollout in it has, since when. */
export const leasedOf =
  (
    { schedule }: Stage,
    { slackMs }: Watched,
    { pageFor, check }: { pageFor: (cluster: Cluster) => Page; check: Check },
  ): Watch['leased'] =>
  (cluster, writer, before) => {
    const page = pageFor(cluster)
    const now = schedule.now()
    const { holder, annotations } = cluster.lease ?? nobodys
    const isTaken = before?.holder !== undefined && ![undefined, before.holder].includes(holder)
    const ms = (before?.leaseSeconds ?? 0) * 1000
    const leftMs = Date.parse(before?.renewedAt ?? '') + ms - now
    // A time in the future is forged, and counts for nothing.
    const isValid = leftMs > slackMs && leftMs <= ms + slackMs
    if (isUs(writer))
      check('one rollout', page, isTaken && isValid && `${writer.name} takes the Lease that ${before.holder} holds`)
    const state = annotations['calico-ipvs-sync/state']
    const last = page.lease
    if (state === 'halted' && last.state !== 'halted' && isUs(writer)) page.halts.push(now)
    page.lease = {
      holder,
      holderSince: holder === last.holder ? last.holderSince : now,
      state,
      stateSince: state === last.state ? last.stateSince : now,
    }
    // After an abort, which a person asked for, another rollout may begin from the start.
    if (!isUs(writer) || (state === 'aborted' && last.state !== state)) forgive(page, now)
  }
