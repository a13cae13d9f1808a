import type { ServerResponse } from 'node:http'
import type { Context } from './context.ts'
import type { Fieldful, KubeObject } from './object.ts'
import { type Form, metadataOnly } from './representation.ts'
import { groupVersionOf, type Resource } from './resources.ts'
import type { Predicate } from './selectors.ts'
import { expired } from './status.ts'
import type { Change } from './store.ts'

export interface WatchRequest {
  query: URLSearchParams
  prefix: string
  selector: Predicate | undefined
  form: Form
}

const bookmarkEvery = 60_000
const longestWatch = 30 * 60_000

/** Streams changes until the client leaves or its time is over. */
export function serveWatch(
  context: Context,
  resource: Resource,
  request: WatchRequest,
  response: ServerResponse,
): void {
  const { query } = request
  response.writeHead(200, { 'content-type': 'application/json', 'cache-control': 'no-cache, private' })
  response.flushHeaders()
  const send = (type: string, object: Fieldful) => response.write(`${JSON.stringify({ type, object })}\n`)
  const shown = (object: KubeObject) => (request.form === 'metadata' ? metadataOnly(object) : object)
  const forward = (change: Change) => {
    const type = typeFor(change, request)
    if (type !== undefined) send(type, shown(change.object))
  }
  const bookmark = (annotations?: Fieldful) => send('BOOKMARK', bookmarkOf(context, resource, annotations))
  const from = Number(query.get('resourceVersion') ?? 0)
  const missed = from > 0 ? context.store.since(resource, from) : undefined
  if (from > 0 && missed === undefined) {
    const failure = expired(`too old resource version: ${from} (${context.store.revision()})`)
    response.end(`${JSON.stringify({ type: 'ERROR', object: failure.status })}\n`)
    return
  }
  if (missed === undefined) for (const object of present(context, resource, request)) send('ADDED', shown(object))
  else missed.forEach(forward)
  if (query.get('sendInitialEvents') === 'true') bookmark({ 'k8s.io/initial-events-end': 'true' })
  const unsubscribe = context.store.subscribe(resource, forward)
  const bookmarks =
    query.get('allowWatchBookmarks') === 'true' ? setInterval(() => bookmark(), bookmarkEvery) : undefined
  const end = setTimeout(
    () => response.end(),
    Math.min(Number(query.get('timeoutSeconds') ?? 1800) * 1000, longestWatch),
  )
  response.once('close', () => {
    unsubscribe()
    clearInterval(bookmarks)
    clearTimeout(end)
  })
}

const present = (context: Context, resource: Resource, { prefix, selector }: WatchRequest): KubeObject[] =>
  (context.store.list(resource) ?? [])
    .filter(([key, object]) => key.startsWith(prefix) && (selector === undefined || selector(object)))
    .map(([, object]) => object)

/** An object that comes to match is added for this watcher, one that ceases to match is deleted. */
function typeFor(change: Change, { prefix, selector }: WatchRequest): Change['type'] | undefined {
  const { object, previous, type } = change
  const key = object.metadata.namespace === undefined ? object.metadata.name : `${object.metadata.namespace}/`
  if (prefix !== '' && !key.startsWith(prefix)) return undefined
  if (selector === undefined) return type
  const was = previous !== undefined && selector(previous)
  const is = type !== 'DELETED' && selector(object)
  if (type === 'DELETED') return was ? 'DELETED' : undefined
  if (was && is) return 'MODIFIED'
  return is ? 'ADDED' : was ? 'DELETED' : undefined
}

const bookmarkOf = (context: Context, resource: Resource, annotations: Fieldful | undefined): Fieldful => ({
  kind: resource.kind,
  apiVersion: groupVersionOf(resource),
  metadata: {
    resourceVersion: String(context.store.revision()),
    creationTimestamp: null,
    ...(annotations === undefined ? {} : { annotations }),
  },
})
