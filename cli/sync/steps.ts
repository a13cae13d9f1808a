import type { Plan } from '../../shared/domain/report.ts'
import { duration } from '../../shared/report/wording.ts'
import type { Outcome, StepEvent } from '../../shared/workflows/rollout/tools.ts'
import type { ProgressOutput } from '../progress.ts'
import { eventText, tellWait } from '../rollout/step-tools.ts'

/** What each node is touched by, as the plan counts it. */
const touches: readonly string[] = ['override written', 'calico-node restarted']

const nodesIn = ({ changes }: Plan): number =>
  changes.filter(({ action, name }) => (action === 'restart' ? true : action !== 'delete' && name.startsWith('node.')))
    .length

/** Waits shorter than this, in seconds, belong to the node that settles; off a terminal only longer ones are worth a line. */
const worthALine = 60

/**
 * How far a rollout is: node by node with its number, of how many, and the time left by the plan's forecast. On a terminal one line that
 * changes, elsewhere a line for each node. A reason that several events have, as what follows a halt, is printed once; `hasPrinted`: it was.
 */
export const stepsOf = (
  plan: Plan,
  telling: ProgressOutput,
): {
  tell: (event: StepEvent) => void
  waiting: (outcome: Extract<Outcome, { next: 'wait' }>) => void
  hasPrinted: (why: string) => boolean
} => {
  const all = nodesIn(plan)
  const touched = new Set<string>()
  const reasons = new Set<string>()
  let current = ''
  const left = (): string => {
    const { seconds } = plan.forecast
    const rest = all - touched.size
    return seconds === undefined || rest <= 0 ? '' : `, about ${duration(Math.ceil((seconds * rest) / all))} left`
  }
  const far = (): string => `${Math.min(touched.size, all)} of ${all}`
  const once = ({ why, ...event }: StepEvent): string => {
    if (why === undefined || reasons.has(why)) return eventText(event)
    reasons.add(why)
    return eventText({ ...event, why })
  }
  return {
    hasPrinted: (why) => reasons.has(why),
    tell: (event) => {
      if (event.node === undefined || !touches.includes(event.what) || all === 0) return telling.done(once(event))
      touched.add(`${event.what} ${event.node}`)
      current = `, node ${event.node}`
      telling.doing(`${far()}, ${eventText(event)}${left()}`)
    },
    waiting: (outcome) => {
      if (telling.live && all > 0)
        return telling.doing(`${far()}${current}${left()}; waiting ${outcome.seconds} s: ${outcome.why}`)
      if (outcome.seconds >= worthALine || all === 0) tellWait(telling, outcome)
    },
  }
}
