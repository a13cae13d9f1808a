import type * as z from 'zod'
import type { PortSpan } from '../cluster.ts'
import { type Addon, type Cluster, eksError, type Holding, type Place } from './eks-model.ts'
import type { BusEvent } from './eks-trail.ts'
import type { Updates } from './eks-updates.ts'

/** What follows when an update takes effect, so that the lab's cluster does what EKS told it. */
export interface EksHooks {
  onNodePortRange?(cluster: Cluster, range: PortSpan): Promise<void>
  /** After CreateAddon, UpdateAddon and DeleteAddon (then with status DELETING). */
  onAddonUpdated?(cluster: Cluster, addon: Addon): Promise<void>
  /** Every event that EventBridge would get. */
  onEvent?(event: BusEvent): void
}

export interface EksContext extends EksHooks {
  holdings: Holding[]
  updates: Updates
}

export interface EksCall {
  place: Place
  /** Decoded path labels. */
  labels: Record<string, string>
  query: URLSearchParams
  body: Record<string, unknown>
}

export interface Operation {
  method: 'GET' | 'POST' | 'DELETE'
  /** Labels under their names on the wire: `/clusters/{name}/addons/{addonName}`. */
  path: string
  run(call: EksCall, eks: EksContext): Record<string, unknown>
}

export type Operations = Record<string, Operation>

export function holdingNamed({ holdings }: EksContext, { place, labels }: EksCall): Holding {
  const name = labels['name'] ?? ''
  const found = holdings.find(
    ({ account, region, cluster }) => account === place.account && region === place.region && cluster.name === name,
  )
  if (found !== undefined) return found
  throw eksError('ResourceNotFoundException', `No cluster found for name: ${name}.`, { clusterName: name })
}

export function parseBody<S extends z.ZodType>(schema: S, body: unknown): z.output<S> {
  const parsed = schema.safeParse(body)
  if (parsed.success) return parsed.data
  const faults = parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`)
  throw eksError('InvalidParameterException', faults.join('; '))
}

/** `maxResults` 1 to 100, an opaque `nextToken`. */
export function paged<T>(items: T[], query: URLSearchParams): { page: T[]; nextToken?: string } {
  const size = Number(query.get('maxResults') ?? 100)
  const start = Number(Buffer.from(query.get('nextToken') ?? 'MA', 'base64url').toString())
  if (!(size >= 1 && size <= 100)) throw eksError('InvalidParameterException', 'maxResults must be between 1 and 100')
  if (!Number.isInteger(start)) throw eksError('InvalidParameterException', 'nextToken is not one that was given out')
  const end = start + size
  const page = items.slice(start, end)
  return end < items.length ? { page, nextToken: Buffer.from(String(end)).toString('base64url') } : { page }
}
