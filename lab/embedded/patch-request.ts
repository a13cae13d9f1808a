import { parse } from 'yaml'
import { located, parsedPatch } from './bodies.ts'
import type { Context } from './context.ts'
import type { PlainAnswer } from './faults.ts'
import { isRecord, type KubeObject } from './object.ts'
import { jsonPatch, mergePatch } from './patch.ts'
import { type ApiRequest, answered, objectAt, writeOptions } from './request.ts'
import type { NamedTarget } from './request-info.ts'
import type { Resource } from './resources.ts'
import { ApiFailure, badRequest, invalid, requiredValue, unsupportedMediaType } from './status.ts'
import { strategicMerge } from './strategic-merge.ts'
import { apply, update } from './writes.ts'

/** PATCH in all its kinds. */
export function patch(context: Context, resource: Resource, request: ApiRequest, target: NamedTarget): PlainAnswer {
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
