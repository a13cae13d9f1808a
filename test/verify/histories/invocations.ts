import type { LogLines } from '../../../shared/clients/aws/log-lines.ts'
import { organizationRecord } from '../../../shared/clients/aws/organization-record.ts'
import { placeQueue } from '../../../shared/clients/aws/place-queue.ts'
import type { Queues } from '../../../shared/clients/aws/queues.ts'
import type { FleetBounds } from '../../../shared/domain/fleet.ts'
import type { Log } from '../../../shared/log.ts'
import { onAuditLog } from '../../../shared/workflows/fleet/on-audit-log.ts'
import { onEvent } from '../../../shared/workflows/fleet/on-event.ts'
import { sweep } from '../../../shared/workflows/fleet/sweep.ts'
import type { Party } from './call.ts'
import type { Fleet } from './fleet.ts'
import { looksOf } from './looks.ts'
import type { Queues as ModelQueues } from './queues.ts'
import { urlOf } from './sqs.ts'
import type { Stage } from './stage.ts'
import { type Table, tableName } from './table.ts'
import { invoked, type Start } from './worker.ts'

interface Parts {
  fleet: Fleet
  table: Table
  queues: ModelQueues
  start: Start
}

interface Tools {
  common: (party: Party) => { fleet: FleetBounds; queues: Queues; now: () => Date; log: Log }
  known: (party: Party) => { fleet: FleetBounds; know: (account?: string) => Promise<void> }
}

/** The functions that are invoked, at most three times for one event. */
export const invocationsOf = (
  stage: Stage,
  { fleet: { configured, organization }, table, queues, start }: Parts,
  { common, known }: Tools,
) => ({
  event: (event: unknown, requestId: string): void =>
    invoked(stage, start, { name: 'on-event', seconds: 15 }, (party) => {
      const looks = looksOf(table.client(party), party.now)
      return onEvent({ ...common(party), ...known(party), looks }, event, requestId)
    }),
  /** Of clusters in the deployment's own account, where the audit logs are sent to it. */
  auditLog: (lines: LogLines, requestId: string): void =>
    invoked(stage, start, { name: 'on-audit-log', seconds: 15 }, (party) => {
      const { own, regions } = configured
      const looks = looksOf(table.client(party), party.now)
      return onAuditLog({ ...common(party), own, region: regions[0] ?? '', looks }, lines, requestId)
    }),
  sweep: (scheduledTime: string): void =>
    invoked(stage, start, { name: 'sweep', seconds: 60 }, async (party) => {
      const record = organizationRecord(table.client(party), tableName)
      const queue = placeQueue(queues.client(party), urlOf('places'))
      const tools = {
        ...common(party),
        fleet: configured,
        queue,
        organization: { accounts: organization(party), record },
      }
      await sweep(tools, { scheduledTime })
    }),
})
