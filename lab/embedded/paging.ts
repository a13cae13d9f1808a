import { ApiFailure, badRequest } from './status.ts'
import type { KeyedObject, Store } from './store.ts'
import type { KubeObject } from './object.ts'
import type { Predicate } from './selectors.ts'
import type { Resource } from './resources.ts'

export interface Page {
  items: KubeObject[]
  resourceVersion: string
  continue?: string
  remainingItemCount?: number
}

export interface PageRequest {
  /** `namespace/`, or empty for all. */
  prefix: string
  selector: Predicate | undefined
  query: URLSearchParams
}

/** The token names the moment of the first page and the key after which to go on, as the real server's does. */
interface Token {
  v: 'meta.k8s.io/v1'
  rv: number
  start: string
}

export function listPage(store: Store, resource: Resource, request: PageRequest): Page {
  const token = decode(request.query.get('continue') ?? '')
  const revision =
    token === undefined ? requestedRevision(store, request.query) : token.rv < 0 ? store.revision() : token.rv
  const entries = store.list(resource, revision)
  if (entries === undefined) throw token === undefined ? tooOld(revision) : expiredToken(token)
  const limit = Number(request.query.get('limit') ?? 0)
  return cut(entries, { ...request, limit, revision, after: token?.start ?? '' })
}

type Cut = PageRequest & { limit: number; revision: number; after: string }

function cut(entries: readonly KeyedObject[], { prefix, selector, limit, revision, after }: Cut): Page {
  const within = entries.filter(([key]) => key.startsWith(prefix) && key > after)
  const resourceVersion = String(revision)
  if (limit <= 0 || within.length <= limit) {
    const items = within.map(([, object]) => object)
    return { items: selector === undefined ? items : items.filter(selector), resourceVersion }
  }
  const items: KubeObject[] = []
  let seen = 0
  while (items.length < limit && seen < within.length) {
    const object = within[seen++]?.[1]
    if (object !== undefined && (selector === undefined || selector(object))) items.push(object)
  }
  if (seen === within.length) return { items, resourceVersion }
  const next = encode({ v: 'meta.k8s.io/v1', rv: revision, start: within[seen - 1]?.[0] ?? '' })
  // Only without a selector can the real server tell how many remain.
  const remaining = selector === undefined ? { remainingItemCount: within.length - seen } : {}
  return { items, resourceVersion, continue: next, ...remaining }
}

/** With a limit, a resource version other than 0 asks for exactly that moment; without one, for anything not older. */
function requestedRevision(store: Store, query: URLSearchParams): number {
  const asked = Number(query.get('resourceVersion') ?? 0)
  const exact = query.get('resourceVersionMatch') === 'Exact' || (query.get('limit') ?? '0') !== '0'
  return asked > 0 && exact && asked < store.revision() ? asked : store.revision()
}

const encode = (token: Token): string => Buffer.from(JSON.stringify(token)).toString('base64url')

function decode(text: string): Token | undefined {
  if (text === '') return undefined
  try {
    const token: unknown = JSON.parse(Buffer.from(text, 'base64url').toString())
    if (isToken(token)) return token
  } catch {
    // Told below.
  }
  throw badRequest('invalid continue token: continue key is not valid: it is not one this server gave out')
}

const isToken = (value: unknown): value is Token =>
  typeof value === 'object' && value !== null && 'rv' in value && 'start' in value && typeof value.start === 'string'

const tooOld = (revision: number): ApiFailure =>
  new ApiFailure(410, 'Expired', `The resourceVersion for the provided list is too old: ${revision}`)

/** The real server hands back a token that goes on from the same key at the present moment. */
function expiredToken({ start }: Token): ApiFailure {
  const failure = new ApiFailure(
    410,
    'Expired',
    'The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.',
  )
  failure.status.metadata = { continue: encode({ v: 'meta.k8s.io/v1', rv: -1, start }) }
  return failure
}
