/** A sweep's last message waits five seconds until all places are sent, then longer and longer until they are done. */
export const delays = { Places: (seconds: number) => seconds / 10 }
/**
 * Waits for others too: until an update has ended, or somebody has released a Lease or the brake. Those of a rollout's pace stay. The look
 * that comes eleven minutes later, in case no message carries a rollout on, still comes when these rollouts have ended.
 */
export const shortDelays = {
  ...delays,
  Evaluations: (seconds: number) => (seconds < 5 ? seconds : Math.min(seconds / 5, 20)),
}

export const place = { account: '111122223333', region: 'eu-west-1' }
