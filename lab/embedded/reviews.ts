import type { AuthenticatedUser } from '../cluster.ts'
import type { Context } from './context.ts'
import { type Fieldful, recordAt, textAt, timestamp } from './object.ts'
import { isAllowed } from './rbac.ts'
import type { RequestInfo } from './request-info.ts'

/** `kubectl auth can-i`: answers in `status.allowed`, stores nothing. */
export function accessReview(context: Context, user: AuthenticatedUser, body: unknown): Fieldful {
  const spec = recordAt(body, 'spec')
  return {
    kind: 'SelfSubjectAccessReview',
    apiVersion: 'authorization.k8s.io/v1',
    metadata: {},
    spec,
    status: { allowed: isAllowed(context, user, askedFor(spec)) },
  }
}

function askedFor(spec: Fieldful): RequestInfo {
  const path = textAt(spec, 'nonResourceAttributes', 'path')
  if (path !== undefined) return { verb: textAt(spec, 'nonResourceAttributes', 'verb') ?? '', path }
  const attributes = recordAt(spec, 'resourceAttributes')
  const optional = (field: 'namespace' | 'name' | 'subresource') => {
    const value = textAt(attributes, field)
    return value === undefined || value === '' ? {} : { [field]: value }
  }
  const target = {
    group: textAt(attributes, 'group') ?? '',
    version: textAt(attributes, 'version') ?? '',
    plural: textAt(attributes, 'resource') ?? '',
    ...optional('namespace'),
    ...optional('name'),
    ...optional('subresource'),
  }
  return { verb: textAt(attributes, 'verb') ?? '', path: '', target }
}

/** `kubectl auth whoami`. */
export const selfReview = (context: Context, user: AuthenticatedUser): Fieldful => ({
  kind: 'SelfSubjectReview',
  apiVersion: 'authentication.k8s.io/v1',
  metadata: { creationTimestamp: timestamp(context.now()) },
  status: { userInfo: { username: user.username, groups: user.groups } },
})
