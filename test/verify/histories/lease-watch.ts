import { overrideKey } from '../../../shared/domain/rollout/annotations.ts'
import { lostNodes, parseEvidence } from '../../../shared/domain/rollout/halt-evidence.ts'
import type { Cluster, Watch } from './cluster.ts'
import { disown, forgive, isUs, type Page } from './ledger.ts'
import type { Check, Watched } from './limits.ts'
import type { Stage } from './stage.ts'
import { rolloutIn } from './truths.ts'

/** What a command has read it goes by for as long, at most. */
const readMs = 120_000

/** Who holds the Lease, and which state the rollout in it has, since when. */
export const leasedOf =
  (
    { schedule }: Stage,
    { slackMs, deployment }: Watched,
    { pageFor, check }: { pageFor: (cluster: Cluster) => Page; check: Check },
  ): Watch['leased'] =>
  (cluster, writer, before) => {
    const page = pageFor(cluster)
    const now = schedule.now()
    const { holder } = cluster.lease ?? {}
    const annotations = rolloutIn(cluster)
    const isTaken = before?.holder !== undefined && ![undefined, before.holder].includes(holder)
    const ms = (before?.leaseSeconds ?? 0) * 1000
    const leftMs = Date.parse(before?.renewedAt ?? '') + ms - now
    // A time in the future is forged, and counts for nothing.
    const isValid = leftMs > slackMs && leftMs <= ms + slackMs
    if (isUs(writer))
      check('one rollout', page, isTaken && isValid && `${writer.name} takes the Lease that ${before.holder} holds`)
    const state = annotations['calico-ipvs-sync/state']
    const last = page.lease
    if (last.state === 'halted' && state === 'running' && isUs(writer)) {
      const lost = cluster.machines.get(parseEvidence(before?.annotations['calico-ipvs-sync/evidence'])?.node ?? '')
      const isIll = lost?.calico?.ready === false && now - Date.parse(lost.calico.readySince ?? '') > readMs
      const isInsisted = annotations['calico-ipvs-sync/careful'] === 'true'
      check('resumed when well', page, isIll && !isInsisted && `${lost.name}, on which it halted, is not Ready`)
    }
    // `rollout abort` after a halt continues past the nodes for which it halted: a person knows that they are not well.
    if (last.state === 'halted' && state === 'aborting' && isUs(writer)) {
      const evidence = parseEvidence(before?.annotations['calico-ipvs-sync/evidence'])
      for (const name of evidence ? lostNodes(evidence) : []) {
        const machine = cluster.machines.get(name)
        if (machine) disown(page, machine)
      }
    }
    // Where the deployment only reports, whoever runs `sync` sees it halt.
    const isToBeTold = writer.kind === 'function' || deployment.policy().action === 'sync'
    if (state === 'halted' && last.state !== 'halted' && isUs(writer) && isToBeTold) page.halts.push(now)
    page.lease = {
      holder,
      holderSince: holder === last.holder ? last.holderSince : now,
      state,
      stateSince: state === last.state ? last.stateSince : now,
    }
    // Only the journal says when `default` was last written.
    const journal = 'calico-ipvs-sync/journal'
    const isHidden = !isUs(writer) && annotations[journal] !== before?.annotations[journal]
    if (!cluster.lease || isHidden)
      for (const machine of cluster.machines.values())
        if (!(overrideKey in (cluster.felix.get(`node.${machine.name}`)?.annotations ?? {}))) disown(page, machine)
    // While pods are restarted, no range is read: by this text alone it is known that nodes have stayed well with theirs. Who may
    // write it may change FelixConfigurations, too.
    const phase = 'calico-ipvs-sync/phase'
    const isForged = annotations[phase] === 'restarts' && before?.annotations[phase] === 'range'
    if (!isUs(writer) && isForged) for (const machine of cluster.machines.values()) disown(page, machine)
    // After an abort, which a person asked for, another rollout may begin from the start.
    if (!isUs(writer) || (state === 'aborted' && last.state !== state)) forgive(page, now)
  }
