import { Duration } from 'aws-cdk-lib'
import { FilterPattern, type IFilterPattern, type ILogGroup } from 'aws-cdk-lib/aws-logs'
import { alarm, type Watch } from './alarms.ts'
import type { Surroundings } from './function.ts'

/** Lines of the functions' logs that are counted. Their words are part of the contract between function and alarm; a test holds them together. */
export const countedLines = {
  RolloutHalted: { function: 'rollout-step', message: 'rollout halted' },
  BrakeUnreadable: { function: 'evaluate', message: 'brake cannot be read' },
  ClusterUnknown: { function: 'evaluate', message: 'assessed', verdict: 'unknown' },
} as const

const said = (message: string) => FilterPattern.stringValue('$.message', '=', message)

/** What the tool finds is told by notices. Two findings are alarms too, because they need a person and may not be missed. */
export const watchVerdicts = (
  { alarms, config }: Surroundings,
  logs: { evaluate: ILogGroup; rolloutStep: ILogGroup },
): void => {
  const { RolloutHalted, BrakeUnreadable, ClusterUnknown } = countedLines
  const unknown = FilterPattern.all(
    said(ClusterUnknown.message),
    FilterPattern.stringValue('$.verdict', '=', ClusterUnknown.verdict),
  )
  const count = (metricName: keyof typeof countedLines, log: ILogGroup, filterPattern: IFilterPattern) =>
    log.addMetricFilter(metricName, {
      filterPattern,
      metricNamespace: 'CalicoIpvsSync',
      metricName,
      metricValue: '1',
    })
  const halted: Watch = {
    meaning: 'A rollout halted: a node did not come back, and nothing more is touched in that cluster.',
    runbook: 'rollout-halted',
    metric: count('RolloutHalted', logs.rolloutStep, said(RolloutHalted.message)).metric({
      statistic: 'Sum',
      period: Duration.minutes(1),
    }),
  }
  alarm(logs.rolloutStep, 'Halted', alarms, halted)
  alarm(logs.evaluate, 'Braked', alarms, {
    meaning: 'The brake cannot be read, so nothing is changed in any cluster.',
    runbook: 'brake-unreadable',
    metric: count('BrakeUnreadable', logs.evaluate, said(BrakeUnreadable.message)).metric({
      statistic: 'Sum',
      period: Duration.minutes(5),
    }),
    // One throttled call is no news.
    threshold: 3,
  })
  alarm(logs.evaluate, 'Unknown', alarms, {
    meaning: 'Clusters cannot be judged for two sweeps and longer; what runs there is not known.',
    runbook: 'clusters-unknown',
    metric: count('ClusterUnknown', logs.evaluate, unknown).metric({
      statistic: 'Sum',
      period: Duration.minutes(config.sweep.everyMinutes),
    }),
    // A sweep comes some time within its window: an hour of the clock may hold none, and the next two.
    periods: 3,
    anyOf: 2,
  })
}
