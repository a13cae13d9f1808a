import type { AuthenticatedUser } from '../cluster.ts'
import type { Context } from './context.ts'
import { isRecord, type KubeObject, listAt, recordAt, textAt } from './object.ts'
import type { RequestInfo } from './request-info.ts'
import { ApiFailure } from './status.ts'

const rbacGroup = 'rbac.authorization.k8s.io'

/** Whether RBAC lets the user do it. The group `system:masters` may do everything, whatever roles there are. */
export function isAllowed(context: Context, user: AuthenticatedUser, info: RequestInfo): boolean {
  if (user.groups.includes('system:masters')) return true
  if (isOpenToAll(user, info)) return true
  return rulesFor(context, user, info.target?.namespace).some((rule) => ruleAllows(rule, info))
}

const publicPaths = new Set(['/healthz', '/livez', '/readyz', '/version', '/version/'])
const reviews = new Set(['selfsubjectaccessreviews', 'selfsubjectrulesreviews', 'selfsubjectreviews'])

/** The bootstrap roles system:public-info-viewer, system:discovery and system:basic-user. */
function isOpenToAll(user: AuthenticatedUser, { verb, path, target }: RequestInfo): boolean {
  if (target === undefined && verb === 'get' && publicPaths.has(path)) return true
  if (!user.groups.includes('system:authenticated')) return false
  if (target !== undefined) return verb === 'create' && reviews.has(target.plural)
  return verb === 'get' && /^\/(api|apis|openapi)(\/|$)/.test(path)
}

function rulesFor(context: Context, user: AuthenticatedUser, namespace: string | undefined): unknown[] {
  const clusterWide = bindingsOf(context, 'clusterrolebindings')
  const inside = bindingsOf(context, 'rolebindings').filter(
    (binding) => namespace !== undefined && binding.metadata.namespace === namespace,
  )
  return [...clusterWide, ...inside]
    .filter((binding) => listAt(binding, 'subjects').some((subject) => isSubject(subject, user)))
    .flatMap((binding) => rulesOf(context, binding))
}

const bindingsOf = ({ store, registry }: Context, plural: string): KubeObject[] => {
  const resource = registry.find(rbacGroup, 'v1', plural)
  return resource === undefined ? [] : (store.list(resource) ?? []).map(([, binding]) => binding)
}

function isSubject(subject: unknown, user: AuthenticatedUser): boolean {
  const name = textAt(subject, 'name') ?? ''
  switch (textAt(subject, 'kind')) {
    case 'User':
      return name === user.username
    case 'Group':
      return user.groups.includes(name)
    case 'ServiceAccount':
      return user.username === `system:serviceaccount:${textAt(subject, 'namespace')}:${name}`
    default:
      return false
  }
}

function rulesOf({ store, registry }: Context, binding: KubeObject): unknown[] {
  const role = recordAt(binding, 'roleRef')
  const plural = role['kind'] === 'ClusterRole' ? 'clusterroles' : 'roles'
  const resource = registry.find(rbacGroup, 'v1', plural)
  const name = textAt(role, 'name') ?? ''
  const key = plural === 'clusterroles' ? name : `${binding.metadata.namespace}/${name}`
  const found = resource === undefined ? undefined : store.get(resource, key)
  return found === undefined ? [] : listAt(found, 'rules')
}

function ruleAllows(rule: unknown, { verb, path, target }: RequestInfo): boolean {
  if (!isRecord(rule) || !includes(rule['verbs'], verb)) return false
  if (target === undefined) return listAt(rule, 'nonResourceURLs').some((pattern) => matchesPath(String(pattern), path))
  const resource = target.subresource === undefined ? target.plural : `${target.plural}/${target.subresource}`
  const resources = listAt(rule, 'resources')
  const covered =
    includes(resources, resource) || (target.subresource !== undefined && resources.includes(`*/${target.subresource}`))
  const names = listAt(rule, 'resourceNames')
  // A name restricts also a list, which then must select by that name; a create has no name yet.
  const named = names.length === 0 || (target.name !== undefined && names.includes(target.name))
  return includes(rule['apiGroups'], target.group) && covered && named
}

const includes = (list: unknown, wanted: string): boolean =>
  Array.isArray(list) && (list.includes('*') || list.includes(wanted))

const matchesPath = (pattern: string, path: string): boolean =>
  pattern.endsWith('*') ? path.startsWith(pattern.slice(0, -1)) : pattern === path

/** The 403 of the real server, word for word. */
export function forbidden(user: AuthenticatedUser, { verb, path, target }: RequestInfo): ApiFailure {
  const who = `User ${JSON.stringify(user.username)} cannot ${verb}`
  if (target === undefined) {
    return new ApiFailure(403, 'Forbidden', `forbidden: ${who} path ${JSON.stringify(path)}`, {})
  }
  const resource = target.subresource === undefined ? target.plural : `${target.plural}/${target.subresource}`
  const where = target.namespace === undefined ? 'at the cluster scope' : `in the namespace "${target.namespace}"`
  const what = target.group === '' ? target.plural : `${target.plural}.${target.group}`
  const subject = target.name === undefined ? what : `${what} "${target.name}"`
  const message = `${subject} is forbidden: ${who} resource "${resource}" in API group "${target.group}" ${where}`
  return new ApiFailure(403, 'Forbidden', message, {
    ...(target.name === undefined ? {} : { name: target.name }),
    ...(target.group === '' ? {} : { group: target.group }),
    kind: target.plural,
  })
}
