import { Duration, type Stack } from 'aws-cdk-lib'
import type { Table } from 'aws-cdk-lib/aws-dynamodb'
import type { IRole } from 'aws-cdk-lib/aws-iam'
import type { IKey } from 'aws-cdk-lib/aws-kms'
import type { IFunction } from 'aws-cdk-lib/aws-lambda'
import type { ITopic } from 'aws-cdk-lib/aws-sns'
import type { IQueue, Queue } from 'aws-cdk-lib/aws-sqs'
import type { Fleet } from '../shared/settings.ts'
import { mayAssume, mayConsume, mayDescribe, mayRecord, maySend, mayTell, type Permission } from './access.ts'
import { alarm } from './alarms.ts'
import { lambdaFunction, type Surroundings } from './function.ts'
import type { EnvironmentOf } from './functions.ts'
import { workQueue } from './queue.ts'
import { consume } from './triggers.ts'

/** A dozen reads, or a step of four calls, each with a deadline of its own well below it. */
const timeout = Duration.seconds(60)

/** A full vCPU comes with 1,769 MB; most of a look is waiting, its start is not. */
const memorySize = 1024

export interface Work {
  evaluations: IQueue
  rolloutSteps: IQueue
  notices: ITopic
  key: IKey
  records: Table
  fleet: Fleet
}

export const queues = (stack: Stack, alarms: ITopic): { evaluations: Queue; rolloutSteps: Queue } => {
  const evaluations = workQueue(stack, 'Evaluations', {
    functionTimeout: timeout,
    deadLetters: {
      meaning: 'Clusters could not be looked at; their last verdict is stale.',
      runbook: 'dead-letters-evaluations',
      alarms,
    },
  })
  const rolloutSteps = workQueue(stack, 'RolloutSteps', {
    fifo: true,
    functionTimeout: timeout,
    deadLetters: {
      meaning: 'A rollout stopped in the middle: its next step failed five times.',
      runbook: 'dead-letters-rollout-steps',
      alarms,
    },
  })
  alarm(evaluations, 'Late', alarms, {
    meaning: 'Clusters wait half an hour and more to be looked at.',
    runbook: 'evaluations-late',
    metric: evaluations.metricApproximateAgeOfOldestMessage({ period: Duration.minutes(5), statistic: 'Maximum' }),
    threshold: Duration.minutes(30).toSeconds(),
    periods: 2,
  })
  return { evaluations, rolloutSteps }
}

/** Who looks and who acts; returns their roles, for the way into the clusters. */
export const working = (stack: Stack, around: Surroundings, work: Work): { viewer: IRole; operator: IRole } => {
  const { concurrency } = around.config
  const alike = {
    environment: environmentOf(stack, around, work),
    timeout,
    memorySize,
    feedsItself: true,
    inVpc: true,
  } as const
  const evaluate = lambdaFunction(stack, around, {
    ...alike,
    name: 'evaluate',
    description: 'Looks at one cluster and says whether Calico is in step with kube-proxy',
    may: [mayConsume(work.evaluations), ...mayWork(stack, work)],
  })
  consume(evaluate, work.evaluations, concurrency.evaluate)
  const rolloutStep = lambdaFunction(stack, around, {
    ...alike,
    name: 'rollout-step',
    description: "Takes the next safe step of one cluster's rollout",
    may: [mayConsume(work.rolloutSteps), ...mayWork(stack, work)],
  })
  consume(rolloutStep, work.rolloutSteps, concurrency.rolloutStep)
  return { viewer: roleOf(evaluate), operator: roleOf(rolloutStep) }
}

const environmentOf = (
  stack: Stack,
  { config }: Surroundings,
  { evaluations, rolloutSteps, notices, records, fleet }: Work,
): EnvironmentOf<'evaluate'> & EnvironmentOf<'rollout-step'> => ({
  EVALUATIONS_QUEUE_URL: evaluations.queueUrl,
  ROLLOUT_STEPS_QUEUE_URL: rolloutSteps.queueUrl,
  NOTICES_TOPIC_ARN: notices.topicArn,
  RECORDS_TABLE: records.tableName,
  FLEET: stack.toJsonString(fleet),
  POLICY: JSON.stringify({ ...config.policy, action: config.policy.action ?? 'report' }),
})

/** Both see, tell and go on. That only one of them may change a cluster is decided in the cluster, by its groups. */
const mayWork = (stack: Stack, { evaluations, rolloutSteps, notices, key, records, fleet }: Work): Permission[] => [
  maySend(evaluations, rolloutSteps),
  ...mayTell(notices, key),
  mayRecord(records),
  ...mayDescribe(stack, fleet),
  ...mayAssume(fleet),
]

const roleOf = ({ role, node }: IFunction): IRole => {
  if (!role) throw new Error(`${node.path} has no role; functions are made by lambdaFunction, which gives them one.`)
  return role
}
