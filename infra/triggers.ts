import { Duration, Stack } from 'aws-cdk-lib'
import { type EventBus, Rule } from 'aws-cdk-lib/aws-events'
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets'
import { ServicePrincipal } from 'aws-cdk-lib/aws-iam'
import type { IKey } from 'aws-cdk-lib/aws-kms'
import { CfnEventInvokeConfig, EventSourceMapping, type IFunction } from 'aws-cdk-lib/aws-lambda'
import { CfnSchedule } from 'aws-cdk-lib/aws-scheduler'
import type { IQueue } from 'aws-cdk-lib/aws-sqs'
import type { Construct } from 'constructs'
import { mayInvoke, maySend } from './access.ts'
import { mayUseKey } from './customer-key.ts'
import { patterns } from './events.ts'
import { roleFor } from './role.ts'

/** After an hour a sweep has evaluated the cluster anyway; an older event is dropped with an alarm. */
const stale = Duration.hours(1)

export interface Listening {
  failures: IQueue
  /** Absent: the account's default bus, which receives events of its own region. */
  eventBus?: EventBus | undefined
}

/** Creates a rule for each pattern of `events.ts`, with its name. Undelivered events are sent to `failures`. */
export const onEvents = (scope: Construct, it: IFunction, { failures, eventBus }: Listening): void => {
  for (const [name, eventPattern] of Object.entries(patterns)) {
    const rule = eventBus
      ? new Rule(scope, `Forwarded${name}`, { eventPattern, eventBus })
      : new Rule(scope, name, { eventPattern })
    rule.addTarget(new LambdaFunction(it, { deadLetterQueue: failures, retryAttempts: 10, maxEventAge: stale }))
  }
}

interface Rate {
  everyMinutes: number
  withinMinutes: number
  failures: IQueue
  key?: IKey | undefined
}

/** Invokes the function at the rate, at some time within the window. Undelivered invocations are sent to `failures`. */
export const onSchedule = (
  scope: Construct,
  it: IFunction,
  { everyMinutes, withinMinutes, failures, key }: Rate,
): void => {
  const scheduler = new ServicePrincipal('scheduler.amazonaws.com', {
    conditions: { StringEquals: { 'aws:SourceAccount': Stack.of(scope).account } },
  })
  const role = roleFor(scope, 'ScheduleRole', {
    assumedBy: scheduler,
    may: [mayInvoke(it), maySend(failures), ...mayUseKey(scope, key ? [key.keyArn] : [])],
  })
  const schedule = new CfnSchedule(scope, 'Schedule', {
    description: 'The sweep over the fleet',
    scheduleExpression: `rate(${everyMinutes} ${everyMinutes === 1 ? 'minute' : 'minutes'})`,
    flexibleTimeWindow: { mode: 'FLEXIBLE', maximumWindowInMinutes: withinMinutes },
    target: {
      arn: it.functionArn,
      roleArn: role.roleArn,
      // The id of a sweep: the same for each retry of one scheduled time.
      input: JSON.stringify({ scheduledTime: '<aws.scheduler.scheduled-time>' }),
      deadLetterConfig: { arn: failures.queueArn },
      retryPolicy: { maximumRetryAttempts: 3, maximumEventAgeInSeconds: stale.toSeconds() },
    },
  })
  schedule.node.addDependency(role)
}

/** For asynchronous invocations: two retries, then the event is kept. */
export const keepFailures = (it: IFunction, failures: IQueue): void => {
  new CfnEventInvokeConfig(it, 'Failures', {
    functionName: it.functionName,
    qualifier: '$LATEST',
    maximumRetryAttempts: 2,
    maximumEventAgeInSeconds: stale.toSeconds(),
    destinationConfig: { onFailure: { destination: failures.queueArn } },
  }).node.addDependency(it)
}

/** One message for each invocation, so that a slow or broken cluster does not delay others. */
export const consume = (it: IFunction, queue: IQueue, maxConcurrency: number): EventSourceMapping =>
  new EventSourceMapping(it, 'Work', {
    target: it,
    eventSourceArn: queue.queueArn,
    batchSize: 1,
    reportBatchItemFailures: true,
    maxConcurrency,
  })
