import { randomUUID } from 'node:crypto'
import { type Fields, fieldsOf, listOf, textOf } from './json.ts'
import { fill, targetInput } from './target-input.ts'
import type { Targets } from './targets.ts'
import type { Resource, Stack } from './template.ts'

export interface SchedulerOptions {
  targets: Targets
  onFired?: (schedule: string) => void
  onFault?: (fault: Error) => void
}

export interface Scheduler {
  /** Labels of all enabled schedules. */
  schedules: string[]
  /** Fires the schedule of this label, or all, now. Throws where the template has none. */
  fire: (label?: string) => void
  /** From now on every `rate(…)` fires by itself, its interval multiplied by `timeScale`. Schedules by `cron` are fired by hand. */
  run: (timeScale: number) => void
  pending: () => number
  stop: () => void
}

interface Schedule {
  label: string
  expression: string
  deliver: () => Promise<void>
}

/** EventBridge Scheduler's schedules, and rules with a schedule expression. */
export function createScheduler(stack: Stack, { targets, onFired, onFault }: SchedulerOptions): Scheduler {
  const enabled = (type: string) => stack.ofType(type).filter(({ properties }) => properties['State'] !== 'DISABLED')
  const schedules: Schedule[] = [
    ...enabled('AWS::Scheduler::Schedule').map((resource) => scheduleOf(stack, resource, targets)),
    ...enabled('AWS::Events::Rule')
      .filter(({ properties }) => properties['ScheduleExpression'] !== undefined)
      .map((resource) => scheduledRuleOf(stack, resource, targets)),
  ]
  const timers: NodeJS.Timeout[] = []
  let pending = 0
  const fireOne = ({ label, deliver }: Schedule) => {
    onFired?.(label)
    pending += 1
    void deliver()
      .catch((error: unknown) => onFault?.(error instanceof Error ? error : new Error(String(error))))
      .finally(() => void (pending -= 1))
  }
  return {
    schedules: schedules.map(({ label }) => label),
    fire: (label) => {
      const chosen = schedules.filter((schedule) => label === undefined || schedule.label === label)
      if (chosen.length === 0) throw new Error(`The template has no enabled schedule ${label ?? 'at all'}`)
      for (const schedule of chosen) fireOne(schedule)
    },
    run: (timeScale) => {
      for (const schedule of schedules) {
        const every = millisecondsOf(schedule.expression)
        if (every !== undefined) timers.push(setInterval(fireOne, every * timeScale, schedule))
      }
    },
    pending: () => pending,
    stop: () => timers.forEach(clearInterval),
  }
}

function scheduleOf(stack: Stack, { label, arn, properties }: Resource, targets: Targets): Schedule {
  const target = fieldsOf(properties['Target'])
  const deliver = async () => {
    const time = new Date().toISOString().replace(/\.\d+Z$/, 'Z')
    const values = {
      'aws.scheduler.schedule-arn': arn,
      'aws.scheduler.scheduled-time': time,
      'aws.scheduler.execution-id': randomUUID(),
      'aws.scheduler.attempt-number': '1',
    }
    const input = textOf(target['Input'])
    const payload: unknown =
      input === undefined ? scheduledEvent(stack, arn, 'aws.scheduler', '{}') : JSON.parse(fill(input, values))
    await send(targets, target, payload)
  }
  return { label, expression: String(properties['ScheduleExpression']), deliver }
}

function scheduledRuleOf(stack: Stack, rule: Resource, targets: Targets): Schedule {
  const deliver = async () => {
    const event = scheduledEvent(stack, rule.arn, 'aws.events', {})
    for (const item of listOf(rule.properties['Targets'])) {
      const target = fieldsOf(item)
      await send(targets, target, targetInput(target, event, rule))
    }
  }
  return { label: rule.label, expression: String(rule.properties['ScheduleExpression']), deliver }
}

async function send(targets: Targets, target: Fields, payload: unknown): Promise<void> {
  const groupId = textOf(fieldsOf(target['SqsParameters'])['MessageGroupId'])
  try {
    await targets.deliver(String(target['Arn']), payload, groupId)
  } catch (error) {
    const deadLetters = textOf(fieldsOf(target['DeadLetterConfig'])['Arn'])
    if (deadLetters === undefined) throw error
    await targets.bury(deadLetters, payload, { ERROR_MESSAGE: String(error).slice(0, 1000) })
  }
}

const scheduledEvent = ({ account, region }: Stack, arn: string, source: string, detail: unknown): Fields => ({
  version: '0',
  id: randomUUID(),
  'detail-type': 'Scheduled Event',
  source,
  account,
  time: new Date().toISOString().replace(/\.\d+Z$/, 'Z'),
  region,
  resources: [arn],
  detail,
})

/** `rate(15 minutes)`; undefined for cron and one-time expressions. */
function millisecondsOf(expression: string): number | undefined {
  const [, count, unit] = /^rate\((\d+) (minute|hour|day)s?\)$/.exec(expression) ?? []
  const milliseconds = { minute: 60_000, hour: 3_600_000, day: 86_400_000 }[unit ?? '']
  return milliseconds === undefined ? undefined : Number(count) * milliseconds
}
