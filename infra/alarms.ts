import { Alarm, ComparisonOperator, type IMetric, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch'
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions'
import type { ITopic } from 'aws-cdk-lib/aws-sns'
import type { Construct } from 'constructs'

/** The sections of docs/runbook.md. A new alarm needs a section with the steps to take. */
export type RunbookSection =
  | 'brake-unreadable'
  | 'clusters-unknown'
  | 'dead-letters-config-rule'
  | 'dead-letters-evaluations'
  | 'dead-letters-events'
  | 'dead-letters-places'
  | 'dead-letters-fleet-report'
  | 'dead-letters-notices'
  | 'dead-letters-rollout-steps'
  | 'dead-letters-slack'
  | 'dead-letters-sweep'
  | 'evaluations-late'
  | 'fleet-empty'
  | 'fleet-shrank'
  | 'fleet-not-counted'
  | 'function-errors'
  | 'function-throttled'
  | 'no-sweep'
  | 'organization-unread'
  | 'outside-the-fleet'
  | 'rollout-halted'

export interface Watch {
  /** One sentence for the on-call engineer: the problem, and its effect on clusters. */
  meaning: string
  runbook: RunbookSection
  metric: IMetric
  /** The alarm is raised at or above this value; below it if `below` is set. Default 1. */
  threshold?: number
  below?: boolean
  /** Periods in a row. Default 1. */
  periods?: number
  /** The number of the last `periods` that must breach. Default: all. */
  anyOf?: number
}

const runbookKey = 'calico-ipvs-sync:runbook'

/** Sets the runbook's URL for all alarms of the stack; must be called before the first is created. */
export const setRunbook = (stack: Construct, baseUrl: string): void => stack.node.setContext(runbookKey, baseUrl)

const runbookOf = (scope: Construct): string => String(scope.node.tryGetContext(runbookKey) ?? 'docs/runbook.md')

/** Missing data is not breaching, except if missing data is the problem (`below`). */
export const alarm = (scope: Construct, id: string, topic: ITopic, watch: Watch): Alarm => {
  const it = new Alarm(scope, id, {
    alarmDescription: `${watch.meaning} ${runbookOf(scope)}#${watch.runbook}`,
    metric: watch.metric,
    threshold: watch.threshold ?? 1,
    evaluationPeriods: watch.periods ?? 1,
    ...(watch.anyOf ? { datapointsToAlarm: watch.anyOf } : {}),
    comparisonOperator: watch.below
      ? ComparisonOperator.LESS_THAN_THRESHOLD
      : ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
    treatMissingData: watch.below ? TreatMissingData.BREACHING : TreatMissingData.NOT_BREACHING,
  })
  it.addAlarmAction(new SnsAction(topic))
  it.addOkAction(new SnsAction(topic))
  return it
}
