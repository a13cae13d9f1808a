import { Duration } from 'aws-cdk-lib'
import { FilterPattern, type IFilterPattern, type ILogGroup } from 'aws-cdk-lib/aws-logs'
import { alarm } from './alarms.ts'
import type { Surroundings } from './function.ts'

/** Log lines of the functions that alarms count. Function and alarm must use the same text; a test verifies it. */
export const countedLines = {
  RolloutHalted: { functions: ['rollout-step'], message: 'rollout halted' },
  BrakeUnreadable: { functions: ['evaluate'], message: 'brake cannot be read' },
  ClusterUnknown: { functions: ['evaluate'], message: 'assessed', verdict: 'unknown' },
  OutsideTheFleet: { functions: ['on-event', 'on-audit-log', 'evaluate', 'rollout-step'], message: 'not in the fleet' },
  FleetEmpty: { functions: ['list-clusters'], message: 'the fleet is empty' },
  OrganizationUnread: { functions: ['sweep'], message: 'the organization cannot be read' },
  FleetShrank: { functions: ['list-clusters'], message: 'the fleet has shrunk' },
} as const

const said = (message: string) => FilterPattern.stringValue('$.message', '=', message)

/** Findings are sent as notices. These log lines also cause alarms, because they need a person. */
export const watchVerdicts = (
  { alarms, config }: Surroundings,
  logs: {
    onEvent: ILogGroup
    onAuditLog: ILogGroup | undefined
    evaluate: ILogGroup
    rolloutStep: ILogGroup
    listClusters: ILogGroup
    sweep: ILogGroup
  },
): void => {
  const { RolloutHalted, BrakeUnreadable, ClusterUnknown, OutsideTheFleet, FleetEmpty, FleetShrank } = countedLines
  const unknown = FilterPattern.all(
    said(ClusterUnknown.message),
    FilterPattern.stringValue('$.verdict', '=', ClusterUnknown.verdict),
  )
  const count = (name: keyof typeof countedLines, log: ILogGroup, pattern: IFilterPattern) => {
    const metric = { metricNamespace: config.stackName, metricName: name, metricValue: '1' }
    return log.addMetricFilter(name, { filterPattern: pattern, ...metric })
  }
  const perSweep = { statistic: 'Sum', period: Duration.minutes(config.sweep.everyMinutes) }
  alarm(logs.rolloutStep, 'Halted', alarms, {
    meaning: 'A rollout halted: a node did not become Ready, and nothing more is touched in that cluster.',
    runbook: 'rollout-halted',
    metric: count('RolloutHalted', logs.rolloutStep, said(RolloutHalted.message)).metric({
      statistic: 'Sum',
      period: Duration.minutes(1),
    }),
  })
  alarm(logs.evaluate, 'Braked', alarms, {
    meaning: 'The brake cannot be read, so nothing is changed in any cluster.',
    runbook: 'brake-unreadable',
    metric: count('BrakeUnreadable', logs.evaluate, said(BrakeUnreadable.message)).metric({
      statistic: 'Sum',
      period: Duration.minutes(5),
    }),
    // A single throttled call must not raise the alarm.
    threshold: 3,
  })
  alarm(logs.evaluate, 'Unknown', alarms, {
    meaning: 'Clusters had the verdict unknown in two or more sweeps; their state is not known.',
    runbook: 'clusters-unknown',
    metric: count('ClusterUnknown', logs.evaluate, unknown).metric(perSweep),
    // A sweep runs at some time within its window: one hour may have none, and the next one two.
    periods: 3,
    anyOf: 2,
  })
  // One metric for all functions that drop messages.
  const outside = said(OutsideTheFleet.message)
  count('OutsideTheFleet', logs.evaluate, outside)
  if (logs.onAuditLog) count('OutsideTheFleet', logs.onAuditLog, outside)
  count('OutsideTheFleet', logs.rolloutStep, outside)
  alarm(logs.onEvent, 'Outside', alarms, {
    meaning: 'Events or messages named clusters of an account or region outside the fleet and were dropped.',
    runbook: 'outside-the-fleet',
    metric: count('OutsideTheFleet', logs.onEvent, outside).metric(perSweep),
  })
  alarm(logs.listClusters, 'Empty', alarms, {
    meaning: 'A sweep found no cluster: nothing is evaluated.',
    runbook: 'fleet-empty',
    metric: count('FleetEmpty', logs.listClusters, said(FleetEmpty.message)).metric(perSweep),
  })
  if (config.organization)
    alarm(logs.sweep, 'Unread', alarms, {
      meaning: 'Two sweeps could not read the organization: accounts that joined the fleet since are not looked at.',
      runbook: 'organization-unread',
      metric: count('OrganizationUnread', logs.sweep, said(countedLines.OrganizationUnread.message)).metric(perSweep),
      periods: 3,
      anyOf: 2,
    })
  alarm(logs.listClusters, 'Shrunk', alarms, {
    meaning: 'More than a tenth of the clusters were missing in a sweep.',
    runbook: 'fleet-shrank',
    metric: count('FleetShrank', logs.listClusters, said(FleetShrank.message)).metric(perSweep),
  })
}
