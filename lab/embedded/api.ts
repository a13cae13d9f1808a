import { parse } from 'yaml'
import type { AuthenticatedUser } from '../cluster.ts'
import type { Context, WriteOptions } from './context.ts'
import { deleteObject } from './deletion.ts'
import { discovery } from './discovery.ts'
import type { PlainAnswer } from './faults.ts'
import { isRecord, type KubeObject } from './object.ts'
import { listPage } from './paging.ts'
import { jsonPatch, mergePatch } from './patch.ts'
import { podLog } from './pod-logs.ts'
import { formOf, listText, metadataOnly } from './representation.ts'
import type { RequestInfo, Target } from './request-info.ts'
import { groupVersionOf, type Resource } from './resources.ts'
import { accessReview, selfReview } from './reviews.ts'
import { selectorOf } from './selectors.ts'
import { ApiFailure, badRequest, invalid, methodNotAllowed, requiredValue, unsupportedMediaType } from './status.ts'
import { strategicMerge } from './strategic-merge.ts'
import type { WatchRequest } from './watch.ts'
import { apply, create, existing, replace, update } from './writes.ts'

export interface ApiRequest {
  method: string
  url: URL
  info: RequestInfo
  user: AuthenticatedUser
  accept: string
  contentType: string
  userAgent: string
  body: string
}

export type Answer = PlainAnswer | { watch: WatchRequest; resource: Resource }

const json = (status: number, value: unknown): PlainAnswer => ({ status, body: JSON.stringify(value) })
const plain = (status: number, body: string): PlainAnswer => ({
  status,
  body,
  contentType: 'text/plain; charset=utf-8',
})

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
      return {
        status: 200,
        body: listText(resource, listPage(context.store, resource, { prefix, selector, query }), form),
      }
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

type NamedTarget = Target & { name: string }

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

function patch(context: Context, resource: Resource, request: ApiRequest, target: NamedTarget): PlainAnswer {
  const options = writeOptions(request)
  const type = request.contentType.split(';')[0]?.trim() ?? ''
  const accepted = patchTypes(resource)
  if (!accepted.includes(type)) throw unsupportedMediaType(accepted)
  if (type === 'application/apply-patch+yaml') return serverSideApply(context, resource, request, target)
  const before = objectAt(context, resource, target)
  const after = patched(before, type, request.body)
  if (!isRecord(after)) throw badRequest('the patch leaves no object')
  const object = { ...after, metadata: isRecord(after['metadata']) ? after['metadata'] : {} } as unknown as KubeObject
  try {
    return answered(200, update(context, resource, { before, after: object, options }), request, options)
  } catch (error) {
    throw strictPatchFailure(error, object) ?? error
  }
}

function patched(before: KubeObject, type: string, body: string): unknown {
  const change = parsedPatch(body)
  switch (type) {
    case 'application/json-patch+json':
      return jsonPatch(before, change)
    case 'application/merge-patch+json':
      return mergePatch(before, change)
    default:
      return strategicMerge(before, change)
  }
}

const patchTypes = (resource: Resource): string[] => [
  'application/json-patch+json',
  'application/merge-patch+json',
  ...(resource.schema === undefined ? ['application/strategic-merge-patch+json'] : []),
  'application/apply-patch+yaml',
]

/** Unknown fields in a POST are a bad request; in a patch the real server finds the patched object invalid. */
function strictPatchFailure(error: unknown, patchedObject: KubeObject): ApiFailure | undefined {
  const reason = /strict decoding error: .*/.exec(error instanceof ApiFailure ? error.message : '')?.[0]
  if (reason === undefined) return undefined
  const message = `Invalid value: ${JSON.stringify(JSON.stringify(patchedObject))}: ${reason}`
  const causes = [{ reason: 'FieldValueInvalid', message, field: 'patch' }]
  return new ApiFailure(422, 'Invalid', ` "" is invalid: patch: ${message}`, { causes })
}

function serverSideApply(context: Context, resource: Resource, request: ApiRequest, target: NamedTarget): PlainAnswer {
  const query = request.url.searchParams
  if ((query.get('fieldManager') ?? '') === '') {
    const cause = requiredValue('fieldManager', 'is required for apply patch')
    throw invalid({ group: 'meta.k8s.io', kind: 'PatchOptions' }, [cause])
  }
  const options = writeOptions(request)
  const config = located(resource, parse(request.body) as unknown, target.namespace)
  const { object, created } = apply(context, resource, { config, force: query.get('force') === 'true', options })
  return answered(created ? 201 : 200, object, request, options)
}

function objectAt(context: Context, resource: Resource, { name = '', namespace }: Target): KubeObject {
  return existing(context, resource, namespace === undefined ? { name } : { name, namespace })
}

function writeOptions({ url, userAgent, info }: ApiRequest): WriteOptions {
  const query = url.searchParams
  const validation = query.get('fieldValidation')
  const subresource = info.target?.subresource
  return {
    // The real server takes the program's name from the user agent where no manager is named.
    manager: query.get('fieldManager') ?? userAgent.split('/')[0] ?? 'unknown',
    dryRun: query.get('dryRun') === 'All',
    fieldValidation: validation === 'Strict' || validation === 'Ignore' ? validation : 'Warn',
    warnings: [],
    ...(subresource === undefined ? {} : { subresource }),
  }
}

function answered(status: number, object: KubeObject, request: ApiRequest, { warnings }: WriteOptions): PlainAnswer {
  const shown = formOf(request.accept, false) === 'metadata' ? metadataOnly(object) : object
  const answer = json(status, shown)
  const warning = warnings.map((text) => `299 - ${JSON.stringify(text)}`).join(', ')
  return warnings.length === 0 ? answer : { ...answer, headers: { warning } }
}

const bodyTypes = ['application/json', 'application/yaml']

function parsedBody({ body, contentType }: ApiRequest, resource: Resource): unknown {
  // The real server also takes protobuf, which some commands of kubectl prefer.
  if (/protobuf|cbor/.test(contentType)) throw unsupportedMediaType(bodyTypes)
  if (/yaml/.test(contentType)) return parse(body) as unknown
  try {
    return JSON.parse(body) as unknown
  } catch (cause) {
    const why = `couldn't get version/kind; json parse error: ${String(cause)}`
    throw badRequest(`the object provided is unrecognized (must be of type ${resource.kind}): ${why}`)
  }
}

function parsedPatch(body: string): unknown {
  try {
    return JSON.parse(body) as unknown
  } catch (cause) {
    throw badRequest(`error decoding patch: ${String(cause)}`)
  }
}

const parsedJson = (body: string): unknown => {
  try {
    return JSON.parse(body) as unknown
  } catch (cause) {
    throw badRequest(String(cause))
  }
}

/** The body as an object of this kind in the namespace of the path. */
function located(resource: Resource, body: unknown, namespace: string | undefined): KubeObject {
  if (!isRecord(body)) throw badRequest(`the object provided is unrecognized (must be of type ${resource.kind})`)
  const metadata = isRecord(body['metadata']) ? body['metadata'] : {}
  const { kind = resource.kind, apiVersion = groupVersionOf(resource) } = body
  if (kind !== resource.kind || apiVersion !== groupVersionOf(resource)) {
    const what = `${String(kind)} in version "${String(apiVersion)}"`
    throw badRequest(`${what} cannot be handled as a ${resource.kind}: it is another kind or version`)
  }
  if (namespace !== undefined && metadata['namespace'] !== undefined && metadata['namespace'] !== namespace) {
    throw badRequest('the namespace of the provided object does not match the namespace sent on the request')
  }
  if (resource.namespaced && namespace === undefined) {
    throw badRequest('the path of a namespaced object must name its namespace')
  }
  const { namespace: _given, ...rest } = metadata
  return {
    ...body,
    apiVersion: groupVersionOf(resource),
    kind: resource.kind,
    metadata: namespace === undefined ? rest : { ...metadata, namespace },
  } as unknown as KubeObject
}
