import type { AuthenticatedUser } from '../cluster.ts'
import type { Context, WriteOptions } from './context.ts'
import type { PlainAnswer } from './faults.ts'
import type { KubeObject } from './object.ts'
import { formOf, metadataOnly } from './representation.ts'
import type { RequestInfo, Target } from './request-info.ts'
import type { Resource } from './resources.ts'
import { existing } from './writes.ts'

/** An authorised request. */
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

export const json = (status: number, value: unknown): PlainAnswer => ({ status, body: JSON.stringify(value) })
export const plain = (status: number, body: string): PlainAnswer => ({
  status,
  body,
  contentType: 'text/plain; charset=utf-8',
})

export function objectAt(context: Context, resource: Resource, { name = '', namespace }: Target): KubeObject {
  return existing(context, resource, namespace === undefined ? { name } : { name, namespace })
}

export function writeOptions({ url, userAgent, info }: ApiRequest): WriteOptions {
  const query = url.searchParams
  const validation = query.get('fieldValidation')
  const subresource = info.target?.subresource
  return {
    // The real server takes the program's name from the user agent where no manager is named.
    manager: query.get('fieldManager') ?? (userAgent.split('/')[0] || 'unknown'),
    dryRun: query.get('dryRun') === 'All',
    fieldValidation: validation === 'Strict' || validation === 'Ignore' ? validation : 'Warn',
    warnings: [],
    ...(subresource === undefined ? {} : { subresource }),
  }
}

export function answered(
  status: number,
  object: KubeObject,
  request: ApiRequest,
  { warnings }: WriteOptions,
): PlainAnswer {
  const shown = formOf(request.accept, false) === 'metadata' ? metadataOnly(object) : object
  const answer = json(status, shown)
  const warning = warnings.map((text) => `299 - ${JSON.stringify(text)}`).join(', ')
  return warnings.length === 0 ? answer : { ...answer, headers: { warning } }
}
