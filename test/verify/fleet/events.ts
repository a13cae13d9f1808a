import type { BusEvent } from '../../../lab/aws/eks-trail.ts'
import { parseFields } from '../../../lab/aws/json.ts'
import { heardEvents } from '../../infra/heard-events.ts'
import { type FleetStage, hub, nameIn, type Place, places } from './stage.ts'

/** What became of one event: the clusters that a look was asked for, and those that were looked at. */
export interface EventOutcome {
  what: string
  expected: string[]
  asked: string[]
}

const tableAccount = '111122223333'
const tableRegion = 'eu-west-1'

/** Each kind of event of the table as AWS would send it in that place, one after the other. */
export const sendEach = async (stage: FleetStage, place: Place): Promise<EventOutcome[]> => {
  const outcomes: EventOutcome[] = []
  for (const { what, event, heard, clusters } of heardEvents) {
    const from = stage.moments.length
    const moved = movedTo(event, place) as BusEvent
    stage.cloud.emit(moved)
    await stage.cloud.idle({ timeoutMilliseconds: 300_000 })
    // AWS Health delivers a copy to another region as well; where no spoke is, nobody forwards it.
    const isForwarded = places.some(({ account, region }) => account === moved.account && region === moved.region)
    const expected = isForwarded && heard.length > 0 && Array.isArray(clusters) ? clusters : []
    outcomes.push({ what, expected: expected.map((it) => keyOf(it, place)).sort(), asked: askedFor(stage, from) })
  }
  return outcomes
}

const keyOf = (ofTable: string, place: Place): string => {
  const [region = '', name = ''] = ofTable.split('/')
  return `${place.account}/${region === tableRegion ? place.region : region}/${renamed(name, place)}`
}

const renamed = (text: string, place: Place): string => text.replaceAll('prod-1', nameIn(place))

/** The table is of the hub's account and region; the same event of another place says so everywhere. */
const movedTo = (event: object, place: Place): object => {
  const text = renamed(JSON.stringify(event), place)
  if (place.account === hub.account && place.region === hub.region) return JSON.parse(text) as object
  return JSON.parse(text.replaceAll(tableAccount, place.account).replaceAll(tableRegion, place.region)) as object
}

/** Clusters that on-event asked to be looked at, or found a look pending of. */
const askedFor = ({ moments }: FleetStage, from: number): string[] => {
  const asked = moments.slice(from).flatMap((it) => {
    const line = it.kind === 'log' ? parseFields(it.line) : undefined
    if (line?.['service'] !== 'on-event') return []
    return ['event', 'a look is pending'].includes(String(line['message'])) ? [String(line['cluster'])] : []
  })
  return [...new Set(asked)].sort()
}
