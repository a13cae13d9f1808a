import { Duration, type Stack } from 'aws-cdk-lib'
import {
  Alarm,
  AlarmStatusWidget,
  Dashboard,
  GraphWidget,
  type IMetric,
  Metric,
  SingleValueWidget,
} from 'aws-cdk-lib/aws-cloudwatch'
import type { Table } from 'aws-cdk-lib/aws-dynamodb'
import { Function } from 'aws-cdk-lib/aws-lambda'
import { Queue } from 'aws-cdk-lib/aws-sqs'
import { metricOf } from '../shared/domain/fleet-count.ts'
import type { Verdict } from '../shared/domain/report.ts'
import type { Config } from './config.ts'

/** The most severe first, in the colours of the reports. */
const verdicts: [Verdict, string, string][] = [
  ['out-of-step', 'out of step', '#c7254e'],
  ['unknown', 'unknown', '#8a63d2'],
  ['changing', 'changing', '#e0a100'],
  ['in-step', 'in step', '#2e8b57'],
  ['not-applicable', 'not applicable', '#9aa0a6'],
]

interface Shown {
  records: Table
}

/**
 * The dashboard: the state of the fleet, rollouts, the tool's own health, and its costs. Created last, because it
 * uses all other resources.
 */
export const dashboard = (stack: Stack, config: Config, { records }: Shown): Dashboard => {
  const { stackName, auditLogs, organization } = config
  const own = (service: string, metricName: string, label: string, more: Partial<Own> = {}) => {
    const { verdict, color, statistic = 'Sum', period = hour } = more
    const dimensionsMap = { service, ...(verdict && { verdict }) }
    return new Metric({
      namespace: stackName,
      metricName,
      label,
      dimensionsMap,
      statistic,
      period,
      ...(color && { color }),
    })
  }
  const newest = { statistic: 'Maximum', period: hour }
  const fleet = verdicts.map(([verdict, label, color]) =>
    own('fleet-report', metricOf(verdict), label, { ...newest, color }),
  )
  const found = <T>(type: new (...args: never[]) => T): T[] =>
    stack.node.findAll().filter((it): it is typeof it & T => it instanceof type)
  const queues = found(Queue)
  const [worked, dead] = [queues.filter((it) => it.deadLetterQueue), queues.filter((it) => !it.deadLetterQueue)]
  const functions = found(Function)
  const graph = (title: string, left: IMetric[], more: { stacked?: boolean; right?: IMetric[] } = {}) =>
    new GraphWidget({ title, left, width: 8, height: 6, ...more })
  const oldest = own('fleet-report', 'OldestVerdictSeconds', 'oldest verdict, in seconds', newest)
  const rollouts = ['Begun', 'Done', 'Aborted', 'Halted'].map((what) =>
    own('rollout-step', `Rollouts${what}`, what.toLowerCase()),
  )
  const findings = ['Critical', 'Warning', 'Info'].map((it) => own('evaluate', `Findings${it}`, it.toLowerCase()))
  const looks = verdicts.map(([verdict, label, color]) => own('evaluate', 'Looks', label, { verdict, color }))
  const receivers = auditLogs.length > 0 ? ['on-event', 'on-audit-log'] : ['on-event']
  const events = receivers.flatMap((service) =>
    eventCounts.map(([name, label]) => own(service, name, receivers.length > 1 ? `${label} (${service})` : label)),
  )
  const places = placeCounts.map(([name, label]) => own('list-clusters', name, label, newest))
  const listed = [
    own('list-clusters', 'ClustersListed', 'clusters of the last sweep', newest),
    own('fleet-report', 'Clusters', 'clusters with a verdict', newest),
    ...(organization ? [own('sweep', 'AccountsFound', 'accounts of the organization', newest)] : []),
  ]
  const seconds = ['p50', 'p95', 'Maximum'].map((statistic) => own('evaluate', 'LookSeconds', statistic, { statistic }))
  const sum = { statistic: 'Sum', period: hour }
  return new Dashboard(stack, 'Dashboard', {
    dashboardName: stackName,
    defaultInterval: Duration.days(7),
    widgets: [
      [
        new SingleValueWidget({ title: 'Clusters', metrics: fleet, width: 16, height: 4 }),
        new SingleValueWidget({ title: 'Oldest verdict (seconds)', metrics: [oldest], width: 8, height: 4 }),
      ],
      [
        graph('Clusters by verdict', fleet, { stacked: true }),
        graph('Oldest verdict', [oldest]),
        graph('Rollouts', rollouts),
      ],
      [
        graph('Looks by verdict', looks, { stacked: true }),
        graph('Seconds of a look', seconds),
        graph('Findings by severity', findings, { right: [own('tell', 'Notices', 'notices')] }),
      ],
      [graph('Events', events), graph('Places of a sweep', places), graph('Clusters listed and evaluated', listed)],
      [
        graph(
          'Age of the oldest message',
          worked.map((it) => it.metricApproximateAgeOfOldestMessage({ label: labelOf(it), period: fiveMinutes })),
        ),
        graph(
          'Dead letters',
          dead.map((it) => it.metricApproximateNumberOfMessagesVisible({ label: labelOf(it), period: fiveMinutes })),
        ),
        new AlarmStatusWidget({ title: 'Alarms', alarms: found(Alarm), width: 8, height: 6 }),
      ],
      [
        graph(
          'Cost: function seconds',
          functions.map((it) => it.metricDuration({ ...sum, label: labelOf(it) })),
        ),
        graph('Cost: capacity of the table', [
          records.metricConsumedWriteCapacityUnits({ ...sum, label: 'written' }),
          records.metricConsumedReadCapacityUnits({ ...sum, label: 'read' }),
        ]),
        graph(
          'Cost: bytes of logs',
          functions.map((it) => logged(it)),
        ),
      ],
    ],
  })
}

const eventCounts = [
  ['Events', 'led to an evaluation'],
  ['EventsCovered', 'covered by a pending evaluation'],
  ['EventsIgnored', 'name no cluster'],
] as const

const placeCounts = [
  ['Places', 'all'],
  ['PlacesUnlisted', 'could not be listed'],
  ['PlacesOpen', 'were not finished'],
] as const

interface Own {
  verdict: Verdict
  color: string
  statistic: string
  period: Duration
}

const hour = Duration.hours(1)
const fiveMinutes = Duration.minutes(5)
const labelOf = ({ node }: Function | Queue): string => node.id

const logged = (it: Function): Metric =>
  new Metric({
    namespace: 'AWS/Logs',
    metricName: 'IncomingBytes',
    dimensionsMap: { LogGroupName: it.logGroup.logGroupName },
    statistic: 'Sum',
    period: hour,
    label: labelOf(it),
  })
