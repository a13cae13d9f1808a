import type { Fieldful, KubeObject } from './object.ts'
import type { Page } from './paging.ts'
import { groupVersionOf, type Resource } from './resources.ts'

const partialObject = /as=PartialObjectMetadata(?!List)\b/
const partialList = /as=PartialObjectMetadataList\b/

/** How the client wants objects: whole, or their metadata alone. */
export type Form = 'whole' | 'metadata'

/** The real server takes the list form for lists and the single form for objects; anything else is answered whole. */
export const formOf = (accept: string, isList: boolean): Form =>
  (isList ? partialList : partialObject).test(accept) ? 'metadata' : 'whole'

export const metadataOnly = ({ metadata }: KubeObject): Fieldful => ({
  kind: 'PartialObjectMetadata',
  apiVersion: 'meta.k8s.io/v1',
  metadata,
})

const rendered = new WeakMap<KubeObject, string>()

/** Stored objects never change, so the text of one is made once, however often it is listed. */
function textOf(resource: Resource, object: KubeObject): string {
  const known = rendered.get(object)
  if (known !== undefined) return known
  const { apiVersion: _version, kind: _kind, ...rest } = object
  // Items of built-in lists carry no type of their own; custom resources always do.
  const text = JSON.stringify(resource.schema === undefined ? rest : object)
  rendered.set(object, text)
  return text
}

export function listText(resource: Resource, page: Page, form: Form): string {
  const { items, continue: next, remainingItemCount, resourceVersion } = page
  const metadata = {
    resourceVersion,
    ...(next === undefined ? {} : { continue: next }),
    ...(remainingItemCount === undefined ? {} : { remainingItemCount }),
  }
  if (form === 'metadata') {
    const head = { kind: 'PartialObjectMetadataList', apiVersion: 'meta.k8s.io/v1', metadata }
    // The real server answers null, not an empty list.
    return JSON.stringify({ ...head, items: items.length === 0 ? null : items.map(metadataOnly) })
  }
  const custom = resource.schema !== undefined
  const head = {
    kind: `${resource.kind}List`,
    apiVersion: groupVersionOf(resource),
    metadata: custom ? { continue: '', ...metadata } : metadata,
  }
  const body = items.map((item) => textOf(resource, item)).join(',')
  return `${JSON.stringify(head).slice(0, -1)},"items":[${body}]}`
}
