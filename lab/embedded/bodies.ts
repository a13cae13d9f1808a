import { parse } from 'yaml'
import { isRecord, type KubeObject } from './object.ts'
import type { ApiRequest } from './request.ts'
import { groupVersionOf, type Resource } from './resources.ts'
import { badRequest, unsupportedMediaType } from './status.ts'

const bodyTypes = ['application/json', 'application/yaml']

export function parsedBody({ body, contentType }: ApiRequest, resource: Resource): unknown {
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

export function parsedPatch(body: string): unknown {
  try {
    return JSON.parse(body) as unknown
  } catch (cause) {
    throw badRequest(`error decoding patch: ${String(cause)}`)
  }
}

export const parsedJson = (body: string): unknown => {
  try {
    return JSON.parse(body) as unknown
  } catch (cause) {
    throw badRequest(String(cause))
  }
}

/** The body as an object of this kind in the namespace of the path. */
export function located(resource: Resource, body: unknown, namespace: string | undefined): KubeObject {
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
