import type { BusEvent } from '../../../lab/aws/eks-trail.ts'
import { parseFields } from '../../../lab/aws/json.ts'
import { heardEvents } from '../../infra/heard-events.ts'
import { until } from '../../until.ts'
import { type FleetStage, hub, nameIn, type Place, places } from './stage.ts'

/** What became of one event: the clusters that a look was asked for, and those that were looked at. */
export interface EventOutcome {
  what: string
  expected: string[]
  asked: string[]
}

const tableAccount = '111122223333'
const tableRegion = 'eu-west-1'

/** Each kind of event of the table as AWS would send it in that place, one after the other; the looks that they ask for go on meanwhile. */
export const sendEach = async (stage: FleetStage, place: Place): Promise<EventOutcome[]> => {
  const sent: (Omit<EventOutcome, 'asked'> & { requestIds: string[] })[] = []
  for (const { what, event, heard, clusters } of heardEvents) {
    const from = stage.moments.length
    const moved = movedTo(event, place) as BusEvent
    stage.cloud.emit(moved)
    const requestIds = await heardBy(stage, from)
    // AWS Health delivers a copy to another region as well; where no spoke is, nobody forwards it.
    const isForwarded = places.some(({ account, region }) => account === moved.account && region === moved.region)
    const expected = isForwarded && heard.length > 0 && Array.isArray(clusters) ? clusters : []
    sent.push({ what, expected: expected.map((it) => keyOf(it, place)).sort(), requestIds })
  }
  await stage.cloud.idle({ timeoutMilliseconds: 300_000 })
  const asked = askedBy(stage)
  return sent.map(({ requestIds, ...it }) => {
    const clusters = requestIds.flatMap((requestId) => asked.get(requestId) ?? [])
    return { ...it, asked: [...new Set(clusters)].sort() }
  })
}

/** The invocations of on-event that one event led to, when all have ended well. */
const heardBy = async ({ moments }: FleetStage, from: number): Promise<string[]> => {
  const routed = moments.slice(from).filter((it) => it.kind === 'routed' && it.target === 'OnEvent').length
  const ended = () =>
    moments
      .slice(from)
      .flatMap((it) =>
        it.kind === 'invocation' && it.name === 'OnEvent' && !('error' in it.result) ? [it.requestId] : [],
      )
  await until('the event to be heard', () => ended().length >= routed)
  return ended()
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

/** Clusters that on-event asked to be looked at, or found a look pending of, by the invocation. */
const askedBy = ({ moments }: FleetStage): Map<unknown, string[]> => {
  const asked = new Map<unknown, string[]>()
  for (const it of moments) {
    const line = it.kind === 'log' && it.function === 'OnEvent' ? parseFields(it.line) : undefined
    if (!['event', 'a look is pending'].includes(String(line?.['message']))) continue
    const requestId = line?.['function_request_id']
    asked.set(requestId, [...(asked.get(requestId) ?? []), String(line?.['cluster'])])
  }
  return asked
}
