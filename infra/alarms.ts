import { Alarm, ComparisonOperator, type IMetric, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch'
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions'
import type { ITopic } from 'aws-cdk-lib/aws-sns'
import type { Construct } from 'constructs'

/** The sections of docs/runbook.md. A new alarm needs a section that says what to do. */
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
  | 'outside-the-fleet'
  | 'rollout-halted'

export interface Watch {
  /** One sentence for the on-call engineer: what is wrong, and what it means for clusters. */
  meaning: string
  runbook: RunbookSection
  metric: IMetric
  /** Alarms at or above; below it where `below` is set. Default 1. */
  threshold?: number
  below?: boolean
  /** Periods in a row. Default 1. */
  periods?: number
  /** So many of the last `periods` suffice. Default: all. */
  anyOf?: number
}

const runbookKey = 'calico-ipvs-sync:runbook'

/** Of all alarms of the stack, before the first of them is made. */
export const setRunbook = (stack: Construct, baseUrl: string): void => stack.node.setContext(runbookKey, baseUrl)

const runbookOf = (scope: Construct): string => String(scope.node.tryGetContext(runbookKey) ?? 'docs/runbook.md')

/** Missing data is not breaching, except where missing data is the fault (`below`). */
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
