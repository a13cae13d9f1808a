import { hostname, userInfo } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import type { KubeClient } from '../../shared/clients/kube/client.ts'
import { defaultPolicy } from '../../shared/domain/policy/policy.ts'
import { takeStep } from '../../shared/workflows/rollout/step.ts'
import type { Outcome, StepEvent, StepTools } from '../../shared/workflows/rollout/tools.ts'
import type { ProgressOutput } from '../progress.ts'

/**
 * Finishes a halt that was interrupted before its nodes had their former values. Waits if another process is doing
 * so.
 */
export const finishHalt = async (kube: KubeClient, telling: ProgressOutput): Promise<void> => {
  const tools = stepTools(kube, telling)
  for (let waits = 0; waits < waitsAtMost; ) {
    const outcome = await takeStep(tools)
    if (outcome.next === 'now') continue
    if (outcome.next !== 'wait') return
    waits += 1
    tellWait(telling, outcome)
    await sleep(Math.min(outcome.seconds, 10) * 1_000)
  }
}

/** Longer than the Lease of a process that died. */
const waitsAtMost = 8

/** Our name in the Lease and in the journal. */
export const holder = (): string => `${userName()}@${hostname()} process ${process.pid}`

const userName = (): string => {
  try {
    return userInfo().username
  } catch {
    // A container's user may have no name.
    return String(process.getuid?.() ?? 'somebody')
  }
}

/** The clients and settings of a rollout in this process, with a line of progress for each effect. */
export const stepTools = (kube: KubeClient, telling: ProgressOutput): StepTools => ({
  kube,
  policy: defaultPolicy,
  holder: holder(),
  // The next process waits this long for a holder that died.
  leaseSeconds: 60,
  now: () => new Date(),
  tell: (event) => telling.done(eventText(event)),
})

/** The reason of a halt begins with its node, which is not named twice. */
export const eventText = ({ what, node, object, why }: StepEvent): string => {
  const isNamed = node !== undefined && why?.startsWith(`${node}: `)
  const subject = isNamed ? undefined : node === undefined ? object : `node ${node}`
  return `${subject === undefined ? '' : `${subject}: `}${what}${why === undefined ? '' : ` (${why})`}`
}

export const tellWait = (telling: ProgressOutput, { seconds, why }: Extract<Outcome, { next: 'wait' }>): void =>
  telling.doing(`waiting ${seconds} s: ${why}`)
