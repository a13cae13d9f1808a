import type { Evaluation, RolloutStep } from '../messages.ts'

export interface Queues {
  /** `delaySeconds`: 0 to 900; more counts as 900, for whoever waits looks again anyway. */
  sendEvaluation: (message: Evaluation, options?: { delaySeconds?: number }) => Promise<void>
  /** All of them, ten a call; what was refused is sent again. Throws where some could not be sent, naming how many. */
  sendEvaluations: (messages: readonly Evaluation[]) => Promise<void>
  /** In the queue of its cluster. A second message of one `dedupId` within five minutes is dropped by SQS. */
  sendRolloutStep: (message: RolloutStep, dedupId: string) => Promise<void>
}
