import { Duration, type Stack } from 'aws-cdk-lib'
import type { Table } from 'aws-cdk-lib/aws-dynamodb'
import type { IQueue, Queue } from 'aws-cdk-lib/aws-sqs'
import { placesOf } from '../shared/domain/fleet.ts'
import type { Fleet } from '../shared/settings.ts'
import {
  mayAssume,
  mayConsume,
  mayCount,
  mayList,
  mayReadOrganization,
  mayRecord,
  mayRecordOrganization,
  maySend,
} from './access.ts'
import { alarm } from './alarms.ts'
import { auditLogs } from './audit-logs.ts'
import { hearsItself, hubBus } from './hub-bus.ts'
import { lambdaFunction, type Surroundings } from './function.ts'
import { deadLetterQueue, workedQueue, workQueue } from './queue.ts'
import { consume, keepFailures, onEvents, onSchedule } from './triggers.ts'

interface Work {
  evaluations: IQueue
  fleet: Fleet
}

/** The function for events, which makes evaluations fast. */
export const eventHandlers = (stack: Stack, around: Surroundings, work: Work & { records: Table }) => {
  const lost = deadLetterQueue(stack, 'EventsDeadLetters', {
    meaning: 'Events were lost; only the next sweep evaluates their clusters.',
    runbook: 'dead-letters-events',
    ...around,
  })
  const onEvent = lambdaFunction(stack, around, {
    name: 'on-event',
    description: 'Requests an evaluation of the clusters that an event is about',
    environment: {
      ...environmentOf(stack, work),
      RECORDS_TABLE: work.records.tableName,
      LOOK_GAP_SECONDS: String(around.config.events.gapSeconds),
    },
    may: [maySend(work.evaluations, lost), mayRecord(work.records)],
    timeout: Duration.seconds(15),
    memorySize: 256,
  })
  keepFailures(onEvent, lost)
  if (hearsItself(stack, work.fleet)) onEvents(stack, onEvent, { failures: lost })
  const bus = hubBus(stack, around.config, work.fleet, around.key)
  if (bus) onEvents(stack, onEvent, { failures: lost, eventBus: bus })
  const onAuditLog = auditLogs(stack, around, { ...work, lost })
  return { onEvent, onAuditLog, bus }
}

const environmentOf = ({ account }: Stack, { evaluations }: Work) => ({
  OWN_ACCOUNT: account,
  EVALUATIONS_QUEUE_URL: evaluations.queueUrl,
})

/** Thousands of messages; with an organization three minutes to read its accounts before. */
const sweepTimeout = Duration.minutes(5)
/** Half a minute to list, the rest to request evaluations. */
const listTimeout = Duration.seconds(60)
/**
 * Places that are listed at one time: EKS throttles each account and region separately. A sweep waits twenty minutes for its places, each of
 * which takes a second or more. How many an organization has is not known here. Not more than are reserved.
 */
const placesAtOnce = (fleet: Fleet, reserved = Infinity): number =>
  Math.min(50, reserved, Math.max(fleet.organization ? 20 : 5, Math.ceil(placesOf(fleet).length / 100)))

/**
 * The functions for the sweep, which evaluates every cluster: `sweep` requests the list of each place;
 * `list-clusters` requests the evaluations.
 */
export const sweeping = (stack: Stack, around: Surroundings, work: Work & { records: Table; tellings: Queue }) => {
  const { everyMinutes, withinMinutes } = around.config.sweep
  const lost = deadLetterQueue(stack, 'SweepDeadLetters', {
    meaning: 'A sweep failed; changes without an event are not detected until one succeeds.',
    runbook: 'dead-letters-sweep',
    ...around,
  })
  const places = workQueue(stack, 'Places', {
    functionTimeout: listTimeout,
    deadLetters: {
      meaning: 'The clusters of an account and region were not listed in a sweep; the next one tries again.',
      runbook: 'dead-letters-places',
      ...around,
    },
  })
  const sweep = lambdaFunction(stack, around, {
    name: 'sweep',
    description: 'Requests a list of every account and region of the fleet',
    environment: {
      OWN_ACCOUNT: stack.account,
      PLACES_QUEUE_URL: places.queueUrl,
      RECORDS_TABLE: work.records.tableName,
    },
    may: [
      maySend(places, lost),
      ...(work.fleet.organization ? [mayRecordOrganization(work.records)] : []),
      ...mayReadOrganization(stack, around.config),
    ],
    timeout: sweepTimeout,
    memorySize: 256,
  })
  keepFailures(sweep, lost)
  onSchedule(stack, sweep, { everyMinutes, withinMinutes, failures: lost, key: around.key })
  alarm(sweep, 'Missing', around.alarms, {
    meaning: 'Three sweeps in a row did not run; only events are processed.',
    runbook: 'no-sweep',
    metric: sweep.metricInvocations({ period: Duration.minutes(everyMinutes), statistic: 'Sum' }),
    below: true,
    periods: 3,
  })
  return { sweep, listClusters: lister(stack, around, { ...work, places }) }
}

const lister = (
  stack: Stack,
  around: Surroundings,
  work: Work & { records: Table; places: Queue; tellings: Queue },
) => {
  const { evaluations, fleet, records, places, tellings } = work
  const listClusters = lambdaFunction(stack, around, {
    name: 'list-clusters',
    description: 'Lists the clusters of one account and region and requests an evaluation of each',
    environment: {
      ...environmentOf(stack, work),
      ...workedQueue(places),
      TELLINGS_QUEUE_URL: tellings.queueUrl,
      RECORDS_TABLE: records.tableName,
    },
    may: [
      ...mayConsume(places),
      maySend(places, evaluations, tellings),
      mayCount(records),
      ...mayList(fleet),
      ...mayAssume(fleet, 'viewer', around.config.organizationId),
    ],
    timeout: listTimeout,
    memorySize: 512,
    feedsItself: true,
  })
  consume(listClusters, places, placesAtOnce(fleet, around.config.reservedConcurrency['list-clusters']))
  return listClusters
}
