import { parseConfig } from '../../../infra/config.ts'
import type { Moment } from '../../../lab/aws/moment.ts'
import { assemble, raise } from '../../flow/guards-stage.ts'
import type { Claim, Sizes } from './claim.ts'
import { storm } from './storm.ts'

/**
 * Many events of one cluster: what they cost, and what another cluster notices of them. `gapSeconds`: between two evaluations of one cluster
 * that events request.
 */
export const stormPart = async (
  folder: string,
  { events }: Sizes,
  gapSeconds = parseConfig({}).events.gapSeconds,
): Promise<Claim[]> => {
  const moments: Moment[] = []
  const onMoment = (moment: Moment) => void moments.push(moment)
  const stage = await raise(await assemble(folder, { events: { gapSeconds } }), ['stormy', 'calm'], 3, { onMoment })
  try {
    stage.deploy({ canarySeconds: 1, settleSeconds: 1, nodeDeadlineSeconds: 60, clustersAtOnce: 2 })
    const figures = await storm(stage.cloud, moments, { events, stormy: 'stormy', before: ['calm'], during: ['calm'] })
    const { evaluations, ofRollout, rollouts, notices, otherWaited, seconds } = figures
    const [before, during] = [Math.max(...otherWaited.before), Math.max(...otherWaited.during)]
    const dead = (
      await Promise.all(['EvaluationsDeadLetters', 'EventsDeadLetters'].map((queue) => stage.cloud.messages(queue)))
    ).flat()
    return [
      {
        claim: `${events} events of one cluster within ${2 * gapSeconds} s cost at most 3 evaluations, those between the steps of the rollout not counted`,
        holds: evaluations > 0 && evaluations <= 3 && seconds < 2 * gapSeconds,
        detail: `${evaluations} for ${events} events in ${Math.round(seconds)} s, and ${ofRollout} between the steps of the rollout`,
      },
      { claim: 'they lead to one rollout', holds: rollouts === 1, detail: `${rollouts}` },
      {
        claim: 'people hear once that it is needed and once that it is done',
        holds: notices.length === 2,
        detail: notices.join(' · '),
      },
      {
        claim: 'an event of another cluster waits no longer than before, within two seconds',
        holds: during < before + 2_000,
        detail: `${before} ms before, ${during} ms at most in the storm`,
      },
      { claim: 'no message is a dead letter', holds: dead.length === 0, detail: `${dead.length}` },
    ]
  } finally {
    await stage.stop()
  }
}
