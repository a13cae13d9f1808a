import { randomUUID } from 'node:crypto'
import { matchesPattern } from './event-pattern.ts'
import { type Fields, fieldsOf, isFields, listOf, textOf } from './json.ts'
import { targetInput } from './target-input.ts'
import type { Targets } from './targets.ts'
import type { Resource, Stack } from './template.ts'

export interface Routed {
  /** Labels of the rule and of what it handed the event to. */
  rule: string
  target: string
  event: Fields
}

export interface EventBusOptions {
  targets: Targets
  onRouted?: (routed: Routed) => void
  /** A delivery that failed for good and that no dead-letter queue took. */
  onFault?: (fault: Error) => void
}

export interface EventBus {
  /** Hands the event to every rule that matches; answers which took it, before their targets are through. */
  putEvent: (event: object, bus?: string) => Routed[]
  /** Deliveries under way, retries included. */
  pending: () => number
}

/** Every enabled rule of the template with an event pattern. */
export function createEventBus(stack: Stack, { targets, onRouted, onFault }: EventBusOptions): EventBus {
  const rules = stack
    .ofType('AWS::Events::Rule')
    .filter(({ properties }) => properties['State'] !== 'DISABLED' && isFields(properties['EventPattern']))
  const buses = stack.ofType('AWS::Events::EventBus')
  let pending = 0
  const deliver = async (rule: Resource, target: Fields, event: Fields): Promise<void> => {
    const arn = String(target['Arn'])
    const onBus = buses.find((bus) => bus.arn === arn)
    if (onBus !== undefined) return void putEvent(event, onBus.name)
    const groupId = textOf(fieldsOf(target['SqsParameters'])['MessageGroupId'])
    try {
      await targets.deliver(arn, targetInput(target, event, rule), groupId)
    } catch (error) {
      const deadLetters = textOf(fieldsOf(target['DeadLetterConfig'])['Arn'])
      if (deadLetters === undefined) throw error
      const attributes = { RULE_ARN: rule.arn, TARGET_ARN: arn, ERROR_MESSAGE: String(error).slice(0, 1000) }
      await targets.bury(deadLetters, event, attributes)
    }
  }
  const putEvent: EventBus['putEvent'] = (given, bus = 'default') => {
    const event = complete(given, stack)
    const matching = rules.filter(
      ({ properties }) => busOf(properties) === bus && matchesPattern(fieldsOf(properties['EventPattern']), event),
    )
    return matching.flatMap((rule) =>
      listOf(rule.properties['Targets']).map((item) => {
        const target = fieldsOf(item)
        const arn = String(target['Arn'])
        const routed = { rule: rule.label, target: stack.byArn(arn)?.label ?? arn, event }
        onRouted?.(routed)
        pending += 1
        void deliver(rule, target, event)
          .catch((error: unknown) => onFault?.(error instanceof Error ? error : new Error(String(error))))
          .finally(() => void (pending -= 1))
        return routed
      }),
    )
  }
  return { putEvent, pending: () => pending }
}

/** By name or ARN; a rule that names none is on the default bus. */
const busOf = ({ EventBusName }: Fields): string => textOf(EventBusName)?.split('/').at(-1) ?? 'default'

const complete = (event: object, { account, region }: Stack): Fields => ({
  version: '0',
  id: randomUUID(),
  account,
  region,
  time: new Date().toISOString().replace(/\.\d+Z$/, 'Z'),
  resources: [],
  ...event,
})
