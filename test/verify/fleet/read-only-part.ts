import { isDeepStrictEqual } from 'node:util'
import { fieldsOf, listOf, parseFields } from '../../../lab/aws/json.ts'
import { roleName } from '../../../shared/domain/fleet-names.ts'
import { assemble } from '../../flow/assemble.ts'
import { snapshotOf } from '../forgeries/snapshot.ts'
import { nextSecond } from '../../until.ts'
import type { Claim } from './claim.ts'
import { accounts, type FleetStage, hub, nameIn, type Place, places, raiseFleet, regions } from './stage.ts'
import { rowsOf } from './swept.ts'

const [, known, unknown] = accounts
const viewerRoleArn = `arn:aws:iam::${known}:role/${roleName('calico-ipvs-sync', 'viewer')}`
const settings = {
  // The configuration says of one of the two that it has no operator role.
  accounts: [{ account: hub.account }, { account: known, viewerRoleArn }, { account: unknown }],
  regions: [...regions],
  policy: { action: 'sync', canarySeconds: 1, settleSeconds: 1 },
}

/** Two spokes rolled out with `Changes=no`, whose clusters are out of step: what the hub does there, and what it reports. */
export const readOnlyPart = async (folder: string): Promise<Claim[]> => {
  const stage = await raiseFleet(await assemble(folder, settings), { changes: false })
  const spokes = places.filter(({ account }) => account !== hub.account)
  const clusters = spokes.map((place) => stage.clusters.get(nameIn(place))).filter((it) => it !== undefined)
  const snapshots = () => Promise.all(clusters.map(snapshotOf))
  try {
    const before = await snapshots()
    await swept(stage)
    const told = stage.cloud.deliveries.length
    await swept(stage)
    const after = await snapshots()
    const rows = await rowsOf(stage.cloud)
    const rowOf = (place: Place) => rows.get(`${place.account}/${place.region}/${nameIn(place)} assessment`)
    const findingOf = (place: Place) => refusalIn(rowOf(place)?.report)
    const [ofKnown, ofUnknown] = [known, unknown].map((account) => spokes.filter((it) => it.account === account))
    const outOfStep = spokes.filter((place) => rowOf(place)?.verdict === 'out-of-step')
    const subjects = stage.cloud.deliveries.map(({ subject }) => subject ?? '')
    const about = (place: Place) => subjects.slice(0, told).filter((subject) => subject.includes(`${nameIn(place)} (`))
    const dead = (await Promise.all(queuesOf(stage).map((queue) => stage.cloud.messages(queue)))).flat()
    return [
      {
        claim: 'each cluster of a spoke without an operator role is a row with its verdict',
        holds: clusters.length === 4 && outOfStep.length === clusters.length,
        detail: spokes.map((place) => `${nameIn(place)} ${rowOf(place)?.verdict}`).join(', '),
      },
      {
        claim: 'where the hub expects an operator role, the row has the finding ACCESS_DENIED with what to do',
        holds: ofUnknown?.every((place) => /Changes=yes/.test(String(findingOf(place)?.['remedy']))) === true,
        detail: ofUnknown?.map((place) => String(findingOf(place)?.['message'])).join(' ') ?? '',
      },
      {
        claim:
          'where the configuration names the viewer role alone, no rollout is tried, and the row has no such finding',
        holds:
          ofKnown?.every((place) => findingOf(place) === undefined) === true &&
          operatorsTried(stage).every((account) => account !== known),
        detail: `operator roles asked for in ${[...new Set(operatorsTried(stage))].join(', ')}`,
      },
      {
        claim: 'people are notified of each of these clusters, and not again by the next sweep',
        holds: spokes.every((place) => about(place).length > 0) && subjects.length === told,
        detail: subjects.join(' · '),
      },
      {
        claim: 'nothing is written into these clusters',
        holds: isDeepStrictEqual(before, after),
        detail: `${clusters.length} clusters compared before and after two sweeps`,
      },
      { claim: 'no message is a dead letter', holds: dead.length === 0, detail: dead.slice(0, 3).join(' ') },
    ]
  } finally {
    await stage.stop()
  }
}

/** A sweep's id has whole seconds. */
const swept = async ({ cloud }: FleetStage): Promise<void> => {
  await nextSecond()
  cloud.fire()
  await cloud.idle({ timeoutMilliseconds: 600_000 })
}

const refusalIn = (report = '{}') => {
  const findings = listOf(parseFields(report)?.['findings']).map(fieldsOf)
  return findings.find(({ code, subject }) => code === 'ACCESS_DENIED' && subject === 'rollout')
}

/** Accounts whose clusters `rollout-step` was asked to change. */
const operatorsTried = ({ moments }: FleetStage): string[] =>
  moments.flatMap((it) => {
    if (it.kind !== 'batch' || !it.queue.startsWith('RolloutSteps')) return []
    return it.messages.map(({ Body }) => (JSON.parse(Body) as { cluster: Place }).cluster.account)
  })

const queuesOf = ({ cloud }: FleetStage): string[] =>
  cloud.stack
    .ofType('AWS::SQS::Queue')
    .map(({ label }) => label)
    .filter((label) => label.endsWith('DeadLetters'))
