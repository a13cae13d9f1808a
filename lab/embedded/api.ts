import { located, parsedBody, parsedJson } from './bodies.ts'
import type { Context } from './context.ts'
import { deleteObject } from './deletion.ts'
import { discovery } from './discovery.ts'
import type { PlainAnswer } from './faults.ts'
import { listPage } from './paging.ts'
import { patch } from './patch-request.ts'
import { podLog } from './pod-logs.ts'
import { formOf, listText, metadataOnly } from './representation.ts'
import { type ApiRequest, answered, json, objectAt, plain, writeOptions } from './request.ts'
import type { NamedTarget } from './request-info.ts'
import type { Resource } from './resources.ts'
import { accessReview, selfReview } from './reviews.ts'
import { selectorOf } from './selectors.ts'
import { badRequest, methodNotAllowed } from './status.ts'
import type { WatchRequest } from './watch.ts'
import { create, replace } from './writes.ts'

export type Answer = PlainAnswer | { watch: WatchRequest; resource: Resource }

/** Carries out an authorised request. Throws `ApiFailure` for every refusal. */
export function handle(context: Context, request: ApiRequest): Answer {
  const { info, method, url } = request
  if (info.target === undefined) return handlePath(context, method, url)
  const { group, version, plural, name, subresource } = info.target
  const resource = context.registry.find(group, version, plural)
  if (resource === undefined) return plain(404, '404 page not found\n')
  if (subresource !== undefined && !resource.subresources.includes(subresource))
    return plain(404, '404 page not found\n')
  if (subresource === 'log')
    return plain(200, podLog(context, objectAt(context, resource, info.target), url.searchParams))
  if (group === 'authorization.k8s.io')
    return json(201, accessReview(context, request.user, parsedBody(request, resource)))
  if (group === 'authentication.k8s.io') return json(201, selfReview(context, request.user))
  return name === undefined
    ? handleCollection(context, resource, request)
    : handleObject(context, resource, request, { ...info.target, name })
}

function handlePath(context: Context, method: string, url: URL): PlainAnswer {
  if (['/readyz', '/livez', '/healthz'].includes(url.pathname)) return plain(200, 'ok')
  const document = discovery(context, url.pathname, url.host)
  if (document === undefined) return plain(404, '404 page not found\n')
  if (method !== 'GET') throw methodNotAllowed()
  return json(200, document)
}

function handleCollection(context: Context, resource: Resource, request: ApiRequest): Answer {
  const { method, url, info, accept } = request
  const query = url.searchParams
  const namespace = info.target?.namespace
  const prefix = namespace === undefined ? '' : `${namespace}/`
  switch (method) {
    case 'GET': {
      const selector = selectorOf(resource, query)
      const form = formOf(accept, info.verb === 'list')
      if (info.verb === 'watch') return { resource, watch: { query, prefix, selector, form: formOf(accept, false) } }
      const page = listPage(context.store, resource, { prefix, selector, query })
      return { status: 200, body: listText(resource, page, form) }
    }
    case 'POST': {
      const options = writeOptions(request)
      const body = located(resource, parsedBody(request, resource), namespace)
      return answered(201, create(context, resource, body, options), request, options)
    }
    case 'DELETE':
      return deleteCollection(context, resource, request, prefix)
    default:
      throw methodNotAllowed()
  }
}

function deleteCollection(context: Context, resource: Resource, request: ApiRequest, prefix: string): PlainAnswer {
  const query = request.url.searchParams
  const page = listPage(context.store, resource, { prefix, selector: selectorOf(resource, query), query })
  const options = writeOptions(request)
  for (const { metadata } of page.items) {
    deleteObject(context, resource, { name: metadata.name, namespace: metadata.namespace, body: undefined, options })
  }
  return { status: 200, body: listText(resource, page, 'whole') }
}

function handleObject(context: Context, resource: Resource, request: ApiRequest, target: NamedTarget): Answer {
  const { method, url, accept } = request
  switch (method) {
    case 'GET': {
      if (request.info.verb === 'watch') {
        url.searchParams.set('fieldSelector', `metadata.name=${target.name}`)
        return handleCollection(context, resource, request)
      }
      const object = objectAt(context, resource, target)
      return json(200, formOf(accept, false) === 'metadata' ? metadataOnly(object) : object)
    }
    case 'PUT': {
      const options = writeOptions(request)
      const body = located(resource, parsedBody(request, resource), target.namespace)
      if (body.metadata.name !== target.name) {
        throw badRequest(
          `the name of the object (${body.metadata.name}) does not match the name on the URL (${target.name})`,
        )
      }
      return answered(200, replace(context, resource, body, options), request, options)
    }
    case 'PATCH':
      return patch(context, resource, request, target)
    case 'DELETE': {
      const body = request.body === '' ? undefined : parsedJson(request.body)
      const { name, namespace } = target
      return json(200, deleteObject(context, resource, { name, namespace, body, options: writeOptions(request) }))
    }
    default:
      throw methodNotAllowed()
  }
}
