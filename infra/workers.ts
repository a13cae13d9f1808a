import { Duration, type Stack } from 'aws-cdk-lib'
import type { Table } from 'aws-cdk-lib/aws-dynamodb'
import type { Queue } from 'aws-cdk-lib/aws-sqs'
import type { StringParameter } from 'aws-cdk-lib/aws-ssm'
import type { RoleKind } from '../shared/domain/fleet-names.ts'
import type { Fleet } from '../shared/settings.ts'
import {
  mayAssume,
  mayConsume,
  mayDescribe,
  mayHeed,
  mayReadBrake,
  mayRecord,
  mayRecordActs,
  maySend,
  type Permission,
} from './access.ts'
import { alarm } from './alarms.ts'
import { lambdaFunction, type Surroundings } from './function.ts'
import type { EnvironmentOf } from './functions.ts'
import { workedQueue, workQueue } from './queue.ts'
import { consume } from './triggers.ts'

/** For a dozen reads, or a step of five calls, each with its own much shorter deadline. */
const timeout = Duration.seconds(60)

/** A full vCPU needs 1,769 MB; an evaluation mostly waits, but its start uses the CPU. */
const memorySize = 1024

export interface Work {
  evaluations: Queue
  rolloutSteps: Queue
  tellings: Queue
  records: Table
  brake: StringParameter
  fleet: Fleet
}

export const queues = (
  stack: Stack,
  { alarms, key }: Pick<Surroundings, 'alarms' | 'key'>,
): { evaluations: Queue; rolloutSteps: Queue } => {
  const evaluations = workQueue(stack, 'Evaluations', {
    functionTimeout: timeout,
    deadLetters: {
      meaning: 'Clusters could not be evaluated; their last verdict is out of date.',
      runbook: 'dead-letters-evaluations',
      alarms,
      key,
    },
  })
  const rolloutSteps = workQueue(stack, 'RolloutSteps', {
    fifo: true,
    functionTimeout: timeout,
    deadLetters: {
      meaning: 'A rollout stopped: its next step failed five times.',
      runbook: 'dead-letters-rollout-steps',
      alarms,
      key,
    },
  })
  alarm(evaluations, 'Late', alarms, {
    meaning: 'Clusters wait half an hour or longer for their evaluation.',
    runbook: 'evaluations-late',
    metric: evaluations.metricApproximateAgeOfOldestMessage({ period: Duration.minutes(5), statistic: 'Maximum' }),
    threshold: Duration.minutes(30).toSeconds(),
    periods: 2,
  })
  return { evaluations, rolloutSteps }
}

/** The functions `evaluate`, which reads clusters, and `rollout-step`, which changes them. RBAC in the cluster allows changes only for the group of the second. */
export const workers = (stack: Stack, around: Surroundings, work: Work) => {
  const evaluate = lambdaFunction(stack, around, {
    ...alike,
    name: 'evaluate',
    description: 'Looks at one cluster and says whether Calico is in step with kube-proxy',
    environment: {
      ...environmentOf(stack, work),
      ...workedQueue(work.evaluations),
      TELLINGS_QUEUE_URL: work.tellings.queueUrl,
    },
    may: [
      ...mayConsume(work.evaluations),
      maySend(work.tellings),
      mayRecord(work.records),
      ...mayWork(stack, around, { ...work, kind: 'viewer' }),
    ],
  })
  const rolloutStep = lambdaFunction(stack, around, {
    ...alike,
    name: 'rollout-step',
    description: "Takes the next safe step of one cluster's rollout",
    environment: { ...environmentOf(stack, work), ...workedQueue(work.rolloutSteps) },
    may: [
      ...mayConsume(work.rolloutSteps),
      mayRecordActs(work.records),
      ...mayWork(stack, around, { ...work, kind: 'operator' }),
    ],
  })
  consume(evaluate, work.evaluations, around.config.concurrency.evaluate)
  consume(rolloutStep, work.rolloutSteps, around.config.concurrency.rolloutStep)
  return { evaluate, rolloutStep }
}

const alike = { timeout, memorySize, feedsItself: true, inVpc: true } as const

const environmentOf = (
  { account }: Stack,
  { evaluations, rolloutSteps, brake, records }: Work,
): Omit<EnvironmentOf<'rollout-step'>, keyof ReturnType<typeof workedQueue>> => ({
  OWN_ACCOUNT: account,
  EVALUATIONS_QUEUE_URL: evaluations.queueUrl,
  ROLLOUT_STEPS_QUEUE_URL: rolloutSteps.queueUrl,
  BRAKE_PARAMETER: brake.parameterName,
  RECORDS_TABLE: records.tableName,
})

const mayWork = (
  stack: Stack,
  { config }: Surroundings,
  { evaluations, rolloutSteps, fleet, brake, kind }: Work & { kind: RoleKind },
): Permission[] => [
  ...mayHeed(stack, config.policy.pauseOnAlarms ?? []),
  mayReadBrake(brake),
  maySend(evaluations, rolloutSteps),
  ...mayDescribe(stack, fleet, kind),
  ...mayAssume(fleet, kind, config.organizationId),
]
