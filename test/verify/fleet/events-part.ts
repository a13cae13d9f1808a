import { setTimeout as delay } from 'node:timers/promises'
import { parseFields } from '../../../lab/aws/json.ts'
import { assemble } from '../../flow/assemble.ts'
import type { Claim, Sizes } from './claim.ts'
import { sendEach } from './events.ts'
import { strangersClaims } from './strangers.ts'
import { spokeRolesClaim } from './spoke-roles.ts'
import { fleetConfig, type FleetStage, nameIn, places, raiseFleet } from './stage.ts'

const felix = '/apis/crd.projectcalico.org/v1/felixconfigurations/default'
const annotation = 'config.projectcalico.org/KubeNodePortRanges'

/**
 * A hub and two spokes in three accounts and two regions: who is put in step, what each kind of event leads to, and who may
 * take which role. `senders`: the places whose events are tried.
 */
export const eventsPart = async (folder: string, _: Sizes, senders = places.slice(1)): Promise<Claim[]> => {
  const policy = { action: 'sync', canarySeconds: 1, settleSeconds: 1 }
  const stage = await raiseFleet(await assemble(folder, { ...fleetConfig, policy }))
  try {
    const right = await sweepUntilRead(stage)
    const claims: Claim[] = [
      {
        claim: 'a sweep puts a cluster of each account and region in step, by the roles of its own account',
        holds: right === places.length,
        detail: `${right} of ${places.length}`,
      },
    ]
    for (const place of senders) {
      const outcomes = await sendEach(stage, place)
      const wrong = outcomes.filter(({ expected, asked }) => JSON.stringify(expected) !== JSON.stringify(asked))
      claims.push({
        claim: `each kind of event of ${place.account} ${place.region} leads to exactly the look that it should`,
        holds: wrong.length === 0 && outcomes.length > 55,
        detail: [`${outcomes.length - wrong.length} of ${outcomes.length}`, ...wrong.map(({ what }) => what)].join(
          '; ',
        ),
      })
    }
    claims.push(...(await strangersClaims(stage)), spokeRolesClaim(stage))
    const faults = stage.cloud.faults.map(({ message }) => message)
    return [
      ...claims,
      {
        claim: 'nothing was lost on the way',
        holds: faults.length === 0,
        ...(faults[0] !== undefined && { detail: faults[0] }),
      },
    ]
  } finally {
    await stage.stop()
  }
}

/** A machine under load lets reads of a cluster take too long. The product leaves such a cluster to the next sweep; so does this. */
const sweepUntilRead = async (stage: FleetStage, sweepsLeft = 3): Promise<number> => {
  const from = stage.moments.length
  stage.cloud.fire()
  await stage.cloud.idle({ timeoutMilliseconds: 600_000 })
  const ranges = await Promise.all(
    places.map(async (place) => {
      const object = (await stage.clusters.get(nameIn(place))?.request('GET', felix)) as Felix
      return object.metadata.annotations?.[annotation]
    }),
  )
  const right = ranges.filter((range) => range === '20000:32767').length
  const unread = stage.moments
    .slice(from)
    .map((it) => (it.kind === 'log' ? parseFields(it.line) : undefined))
    .filter((line) => line?.['message'] === 'assessed' && line['verdict'] === 'unknown')
  if (right === places.length || unread.length === 0 || sweepsLeft === 1) return right
  // The second of its schedule is what tells a sweep from the one before it.
  await delay(1_000)
  return sweepUntilRead(stage, sweepsLeft - 1)
}

interface Felix {
  metadata: { annotations?: Record<string, string> }
}
