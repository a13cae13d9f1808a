import type { Queues } from '../../clients/aws/queues.ts'
import { type Entrance, entrance, placesOf } from '../../domain/fleet.ts'
import type { ClusterRef, Evaluation } from '../../messages.ts'
import type { Fleet } from '../../settings.ts'

export interface SweepTools {
  /** Names of the clusters in one account and region. */
  list: (place: { account: string; region: string } & Entrance) => Promise<string[]>
  queues: Queues
  log: (event: string, facts: object) => void
}

/**
 * Asks for a look at every cluster of the fleet. An account or region that cannot be listed does not keep the others
 * from being looked at, but the sweep then fails, so that somebody hears of it.
 */
export const sweep = async (tools: SweepTools, fleet: Fleet): Promise<{ clusters: number }> => {
  const places = placesOf(fleet)
  const list = async (place: Place) => {
    const way = entrance(fleet, place.account, 'viewer')
    if (!way) throw new Error('there is no role for this account')
    return refs(place, await tools.list({ ...place, ...way }))
  }
  const lists = await Promise.allSettled(places.map(list))
  const clusters = lists.flatMap((it) => (it.status === 'fulfilled' ? it.value : []))
  await tools.queues.sendEvaluations(clusters.map(evaluationOf))
  tools.log('sweep', { clusters: clusters.length, places: places.length })
  const failures = lists.flatMap((it, index) =>
    it.status === 'rejected' ? [`${nameOf(places[index])}: ${String(it.reason)}`] : [],
  )
  if (failures.length > 0)
    throw new Error(`Clusters could not be listed in ${failures.length} places. ${failures.join('; ')}`)
  return { clusters: clusters.length }
}

interface Place {
  account: string
  region: string
}

const refs = ({ account, region }: Place, names: string[]): ClusterRef[] =>
  names.map((name) => ({ account, region, name }))
const evaluationOf = (cluster: ClusterRef): Evaluation => ({ schemaVersion: 1, cluster, reason: 'sweep' })
const nameOf = (place: Place | undefined): string => `${place?.account}/${place?.region}`
