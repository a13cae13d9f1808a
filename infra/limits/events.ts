import { labelOf, type Limit, ofType } from './limit.ts'
import { lengthOf, longest } from './longest.ts'

const hour = 3_600
const day = 24 * hour

export const ofEvents: Limit[] = [
  {
    quota: 'Rules of an event bus: 300',
    faults: (stack) => {
      const buses = Map.groupBy(ofType(stack, 'AWS::Events::Rule'), ([, it]) =>
        JSON.stringify(it['EventBusName'] ?? ''),
      )
      return [...buses.values()]
        .filter(({ length }) => length > 300)
        .map(
          ({ length }) =>
            `An event bus would have ${length} rules and EventBridge takes 300. Request a higher quota (Service Quotas, EventBridge, number of rules), or use fewer kinds of events.`,
        )
    },
  },
  {
    quota: 'Event pattern: 2,048 characters',
    faults: (stack) =>
      ofType(stack, 'AWS::Events::Rule').flatMap(([id, { EventPattern }]) => {
        const length = EventPattern === undefined ? 0 : lengthOf(EventPattern, stack.stackName)
        if (length <= 2_048) return []
        return [
          `The pattern of the rule ${labelOf(id)} would have ${length} characters and EventBridge takes 2,048. Name fewer regions in \`regions\`.`,
        ]
      }),
  },
  {
    quota: 'Targets of a rule: 5',
    faults: (stack) =>
      ofType(stack, 'AWS::Events::Rule').flatMap(([id, { Targets }]) =>
        !Array.isArray(Targets) || Targets.length <= 5
          ? []
          : [
              `The rule ${labelOf(id)} would have ${Targets.length} targets and EventBridge takes 5. Create another rule.`,
            ],
      ),
  },
  {
    quota: 'Evaluation range of an alarm: a day, with periods of an hour or more a week',
    faults: (stack) =>
      ofType(stack, 'AWS::CloudWatch::Alarm').flatMap(([id, { Period, EvaluationPeriods }]) => {
        const [period, periods] = [Number(Period ?? 0), Number(EvaluationPeriods ?? 1)]
        const most = period >= hour ? 7 * day : day
        if (period * periods <= most) return []
        return [
          `The alarm ${labelOf(id)} would evaluate ${periods} periods of ${period} s, and CloudWatch allows ${most} s in total. Choose a smaller \`sweep.everyMinutes\`.`,
        ]
      }),
  },
  {
    quota: 'Description of an alarm: 1,024 characters',
    faults: (stack) => {
      const lengths = ofType(stack, 'AWS::CloudWatch::Alarm').map(
        ([, { AlarmDescription = '' }]) => String(longest(AlarmDescription, stack.stackName)).length,
      )
      const length = Math.max(0, ...lengths)
      if (length <= 1_024) return []
      return [
        `The description of an alarm would have ${length} characters and CloudWatch takes 1,024. Give a shorter \`runbookBaseUrl\`.`,
      ]
    },
  },
  {
    quota: 'Metric filters of a log group: 100',
    faults: (stack) => {
      const groups = Map.groupBy(ofType(stack, 'AWS::Logs::MetricFilter'), ([, it]) =>
        JSON.stringify(it['LogGroupName']),
      )
      return [...groups]
        .filter(([, { length }]) => length > 100)
        .map(
          ([group, { length }]) =>
            `${group} would have ${length} metric filters and CloudWatch takes 100. Count fewer lines.`,
        )
    },
  },
]
