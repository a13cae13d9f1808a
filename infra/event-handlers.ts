import { Duration, type Stack } from 'aws-cdk-lib'
import type { Table } from 'aws-cdk-lib/aws-dynamodb'
import type { IQueue } from 'aws-cdk-lib/aws-sqs'
import type { Fleet } from '../shared/settings.ts'
import { mayAssume, mayList, mayRecord, maySend } from './access.ts'
import { alarm } from './alarms.ts'
import { lambdaFunction, type Surroundings } from './function.ts'
import { deadLetterQueue } from './queue.ts'
import { keepFailures, onEvents, onSchedule } from './triggers.ts'

interface Work {
  evaluations: IQueue
  fleet: Fleet
}

/** Events: the fast way in. */
export const eventHandlers = (stack: Stack, around: Surroundings, work: Work & { records: Table }) => {
  const lost = deadLetterQueue(stack, 'EventsDeadLetters', {
    meaning: 'Events were lost; their clusters are looked at only by the next sweep.',
    runbook: 'dead-letters-events',
    alarms: around.alarms,
  })
  const onEvent = lambdaFunction(stack, around, {
    name: 'on-event',
    description: 'An event touched a cluster: has it looked at',
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
  onEvents(stack, onEvent, lost)
  return onEvent
}

const environmentOf = ({ account }: Stack, { evaluations }: Work) => ({
  OWN_ACCOUNT: account,
  EVALUATIONS_QUEUE_URL: evaluations.queueUrl,
})

/** The schedule: the sure way in. */
export const sweeping = (stack: Stack, around: Surroundings, work: Work): void => {
  const { evaluations, fleet } = work
  const { everyMinutes, withinMinutes } = around.config.sweep
  const lost = deadLetterQueue(stack, 'SweepDeadLetters', {
    meaning: 'A sweep failed; changes without an event stay unseen until one succeeds.',
    runbook: 'dead-letters-sweep',
    alarms: around.alarms,
  })
  const sweep = lambdaFunction(stack, around, {
    name: 'sweep',
    description: 'Has every cluster of the fleet looked at',
    environment: environmentOf(stack, work),
    may: [maySend(evaluations, lost), ...mayList(fleet), ...mayAssume(fleet, 'viewer', around.config.organizationId)],
    timeout: Duration.minutes(5),
    memorySize: 512,
  })
  keepFailures(sweep, lost)
  onSchedule(stack, sweep, { everyMinutes, withinMinutes, failures: lost })
  alarm(sweep, 'Missing', around.alarms, {
    meaning: 'Three sweeps in a row did not take place; only events are heard.',
    runbook: 'no-sweep',
    metric: sweep.metricInvocations({ period: Duration.minutes(everyMinutes), statistic: 'Sum' }),
    below: true,
    periods: 3,
  })
}
