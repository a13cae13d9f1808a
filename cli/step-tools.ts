import { hostname, userInfo } from 'node:os'
import type { KubeClient } from '../shared/clients/kube-client.ts'
import type { Outcome, StepEvent, StepTools } from '../shared/workflows/rollout-step.ts'
import type { Progress } from './progress.ts'

/** What a step of a rollout in this process works with; a line of progress per effect. */
export const stepTools = (kube: KubeClient, telling: Progress): StepTools => ({
  kube,
  holder: `${userInfo().username}@${hostname()} process ${process.pid}`,
  // A holder that died is waited out for this long by whoever goes on.
  leaseSeconds: 60,
  now: () => new Date(),
  tell: (event) => telling.done(eventText(event)),
})

const eventText = ({ what, node, object, why }: StepEvent): string => {
  const subject = node === undefined ? object : `node ${node}`
  return `${subject === undefined ? '' : `${subject}: `}${what}${why === undefined ? '' : ` (${why})`}`
}

export const tellWait = (telling: Progress, { seconds, why }: Extract<Outcome, { next: 'wait' }>): void =>
  telling.doing(`waiting ${seconds} s: ${why}`)
