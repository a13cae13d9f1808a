import { readFileSync } from 'node:fs'
import { describe, expect, test } from '@jest/globals'
import { functionNames } from '../../infra/functions.ts'
import { countedLines } from '../../infra/verdicts.ts'
import { noticeSections } from '../../shared/domain/notice/links.ts'
import { deployment, everything, labelled, ofOrganization } from './deployment.ts'

const stack = deployment({ ...everything, ...ofOrganization })
const alarms = stack.ofType('AWS::CloudWatch::Alarm').map(({ properties }) => properties)
const runbook = readFileSync(new URL('../../docs/runbook.md', import.meta.url), 'utf8')
const sections = runbook.split(/^## /m).slice(1)
const titles = sections.map((section) => section.slice(0, section.indexOf('\n')))
const anchorOf = ({ AlarmDescription }: (typeof alarms)[number]) =>
  / https:\/\/github\.com\/calico-ipvs-sync\/calico-ipvs-sync\/blob\/main\/docs\/runbook\.md#([a-z-]+)$/.exec(
    String(AlarmDescription),
  )?.[1]

describe('the runbook', () => {
  test('every alarm ends with the link of a section that exists', () => {
    for (const alarm of alarms) expect(titles).toContain(anchorOf(alarm))
  })

  test('has no section that no alarm and no notice leads to', () => {
    expect(new Set([...alarms.map(anchorOf), ...Object.values(noticeSections)])).toEqual(new Set(titles))
  })

  test.each(titles.map((title, index) => [title, sections[index] ?? '']))(
    '%s says what it means, where to look and what to do',
    (_, section) => {
      const parts = ['**Means.**', '**Look here.**', '**Do this.**'].map((part) => section.indexOf(part))
      expect(Math.min(...parts)).toBeGreaterThan(0)
      expect(parts).toEqual(parts.toSorted((a, b) => a - b))
    },
  )
})

describe('the address of the runbook', () => {
  test('is one of the configuration, where there is one', () => {
    const other = deployment({ runbookBaseUrl: 'https://wiki.example.com/calico' })
    for (const { properties } of other.ofType('AWS::CloudWatch::Alarm'))
      expect(properties['AlarmDescription']).toMatch(/ https:\/\/wiki\.example\.com\/calico#[a-z-]+$/)
  })

  test('must be one of the web', () => {
    expect(() => deployment({ runbookBaseUrl: 'javascript:alert(1)' })).toThrow(/runbookBaseUrl/)
  })
})

describe('alarms', () => {
  const on = (metric: string) => alarms.filter(({ MetricName }) => MetricName === metric)
  const dimension = (alarm: (typeof alarms)[number] | undefined) =>
    (alarm?.['Dimensions'] as { Value: string }[] | undefined)?.[0]?.Value ?? ''

  test('tell somebody when they begin and when they end', () => {
    const topic = labelled(stack, 'AWS::SNS::Topic', 'Alarms').arn
    for (const alarm of alarms) expect(alarm).toMatchObject({ AlarmActions: [topic], OKActions: [topic] })
  })

  test('go to a topic of the configuration instead, where there is one', () => {
    const alarmTopicArn = 'arn:aws:sns:eu-west-1:111122223333:pager'
    const other = deployment({ alarmTopicArn })
    for (const { properties } of other.ofType('AWS::CloudWatch::Alarm'))
      expect(properties['AlarmActions']).toEqual([alarmTopicArn])
    expect(other.ofType('AWS::SNS::Topic')).toHaveLength(1)
  })

  test('watch the errors and throttles of every function', () => {
    const names = stack.ofType('AWS::Lambda::Function').map(({ name }) => name)
    for (const metric of ['Errors', 'Throttles']) expect(on(metric).map(dimension).toSorted()).toEqual(names.toSorted())
    expect(names).toHaveLength(functionNames.length)
  })

  test('notice that no sweep took place, or the fleet was not counted, for three hours: there, silence is the fault', () => {
    const silence = {
      ComparisonOperator: 'LessThanThreshold',
      Threshold: 1,
      Period: 3600,
      EvaluationPeriods: 3,
      TreatMissingData: 'breaching',
    }
    expect(on('Invocations')).toMatchObject([silence, silence])
    const names = ['Sweep', 'FleetReport'].map((label) => labelled(stack, 'AWS::Lambda::Function', label).name)
    expect(new Set(on('Invocations').map(dimension))).toEqual(new Set(names))
    expect(alarms.filter(({ TreatMissingData }) => TreatMissingData === 'breaching')).toHaveLength(2)
  })

  test('notice clusters that wait for half an hour', () => {
    expect(on('ApproximateAgeOfOldestMessage')).toMatchObject([{ Threshold: 1800, Statistic: 'Maximum' }])
    expect(dimension(on('ApproximateAgeOfOldestMessage')[0])).toBe(
      labelled(stack, 'AWS::SQS::Queue', 'Evaluations').name,
    )
  })
})

describe('findings that are alarms', () => {
  const filters = stack.ofType('AWS::Logs::MetricFilter').map(({ properties }) => properties)

  test('are counted from the log lines of the function that finds them', () => {
    expect(filters).toHaveLength(10)
    expect(filters).toContainEqual({
      LogGroupName: labelled(stack, 'AWS::Logs::LogGroup', 'EvaluateLogs').name,
      FilterPattern: '{ $.message = "brake cannot be read" }',
      MetricTransformations: [expect.objectContaining({ MetricName: 'BrakeUnreadable' })],
    })
    expect(filters).toContainEqual({
      LogGroupName: labelled(stack, 'AWS::Logs::LogGroup', 'RolloutStepLogs').name,
      FilterPattern: '{ $.message = "rollout halted" }',
      MetricTransformations: [{ MetricNamespace: 'CalicoIpvsSync', MetricName: 'RolloutHalted', MetricValue: '1' }],
    })
    expect(filters).toContainEqual({
      LogGroupName: labelled(stack, 'AWS::Logs::LogGroup', 'EvaluateLogs').name,
      FilterPattern: '{ ($.message = "assessed") && ($.verdict = "unknown") }',
      MetricTransformations: [{ MetricNamespace: 'CalicoIpvsSync', MetricName: 'ClusterUnknown', MetricValue: '1' }],
    })
  })

  test('of clusters outside the fleet are counted together, whichever function drops them', () => {
    const logs = ['OnEventLogs', 'OnAuditLogLogs', 'EvaluateLogs', 'RolloutStepLogs']
    for (const label of logs)
      expect(filters).toContainEqual({
        LogGroupName: labelled(stack, 'AWS::Logs::LogGroup', label).name,
        FilterPattern: '{ $.message = "not in the fleet" }',
        MetricTransformations: [{ MetricNamespace: 'CalicoIpvsSync', MetricName: 'OutsideTheFleet', MetricValue: '1' }],
      })
  })

  test('raise the alarm of their name', () => {
    for (const name of Object.keys(countedLines)) {
      const [alarm] = alarms.filter(({ MetricName }) => MetricName === name)
      const Threshold = name === 'BrakeUnreadable' ? 3 : 1
      expect(alarm).toMatchObject({ Namespace: 'CalicoIpvsSync', Threshold, Statistic: 'Sum' })
    }
  })
})
