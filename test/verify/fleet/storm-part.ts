import type { Moment } from '../../../lab/aws/moment.ts'
import { assemble, raise } from '../../flow/guards-stage.ts'
import type { Claim, Sizes } from './claim.ts'
import { storm } from './storm.ts'

/** Between two looks at one cluster that events ask for; the default of a deployment is three times as long. */
const gapSeconds = 20

/** Events of one cluster without end: what they cost, and what another cluster notices of them. */
export const stormPart = async (folder: string, { events }: Sizes): Promise<Claim[]> => {
  const moments: Moment[] = []
  const onMoment = (moment: Moment) => void moments.push(moment)
  const stage = await raise(await assemble(folder, { events: { gapSeconds } }), ['stormy', 'calm'], 3, { onMoment })
  try {
    stage.deploy({ canarySeconds: 1, settleSeconds: 1, nodeDeadlineSeconds: 60, clustersAtOnce: 2 })
    const figures = await storm(stage.cloud, moments, { events, stormy: 'stormy', calm: 'calm' })
    const { evaluations, rollouts, notices, otherWaited, seconds } = figures
    const dead = (
      await Promise.all(['EvaluationsDeadLetters', 'EventsDeadLetters'].map((queue) => stage.cloud.messages(queue)))
    ).flat()
    // Three are the bound where all are heard within two gaps; a slow machine hears the last of them later.
    const atMost = Math.max(3, 2 + Math.floor(seconds / gapSeconds))
    const of = `${events} events in ${Math.round(seconds)} s`
    return [
      {
        claim: `${events} events of one cluster cost at most 3 looks, and one more for each ${gapSeconds} s that they last`,
        holds: evaluations > 0 && evaluations <= atMost,
        detail: `${evaluations} of at most ${atMost}, ${of}`,
      },
      { claim: 'they lead to one rollout', holds: rollouts === 1, detail: `${rollouts}` },
      {
        claim: 'people hear once that it is needed and once that it is done',
        holds: notices.length === 2,
        detail: notices.join(' · '),
      },
      {
        claim: 'an event of another cluster waits no longer than before, within two seconds',
        holds: otherWaited.during < otherWaited.before + 2_000,
        detail: `${otherWaited.before} ms before, ${otherWaited.during} ms at most in the storm`,
      },
      { claim: 'no message is a dead letter', holds: dead.length === 0, detail: `${dead.length}` },
    ]
  } finally {
    await stage.stop()
  }
}
