/** What a path and a method ask for, in the words RBAC rules are written in. */
export interface RequestInfo {
  verb: string
  path: string
  /** Absent for paths like `/version`. */
  target?: Target
}

export interface Target {
  group: string
  version: string
  plural: string
  namespace?: string
  name?: string
  subresource?: string
}

/** A target that is one object. */
export type NamedTarget = Target & { name: string }

export function requestInfo(method: string, url: URL): RequestInfo {
  const path = url.pathname
  const target = targetOf(path)
  if (target === undefined) return { verb: method.toLowerCase(), path }
  return { verb: verbOf(method, target, url.searchParams), path, target }
}

function targetOf(path: string): Target | undefined {
  const parts = path
    .split('/')
    .filter((part) => part !== '')
    .map(decodeURIComponent)
  const [root, ...rest] = parts
  const [group, version, ...tail] = root === 'api' ? ['', ...rest] : root === 'apis' ? rest : []
  if (group === undefined || version === undefined || tail.length === 0) return undefined
  // A namespace itself is a resource; what follows its name, other than a subresource of it, lies inside it.
  const inside = tail[0] === 'namespaces' && tail.length > 2 && tail[2] !== 'status' && tail[2] !== 'finalize'
  const [plural = '', name, subresource] = inside ? tail.slice(2) : tail
  return {
    group,
    version,
    plural,
    ...(inside ? { namespace: tail[1] ?? '' } : {}),
    ...(name === undefined ? {} : { name }),
    ...(subresource === undefined ? {} : { subresource }),
  }
}

function verbOf(method: string, { name }: Target, query: URLSearchParams): string {
  switch (method) {
    case 'GET':
    case 'HEAD':
      if (isWatch(query)) return 'watch'
      return name === undefined ? 'list' : 'get'
    case 'POST':
      return 'create'
    case 'PUT':
      return 'update'
    case 'PATCH':
      return 'patch'
    case 'DELETE':
      return name === undefined ? 'deletecollection' : 'delete'
    default:
      return method.toLowerCase()
  }
}

export const isWatch = (query: URLSearchParams): boolean => ['true', '1'].includes(query.get('watch') ?? '')

/** To RBAC a collection selected by one name is that object: rules that give names allow it. */
export function withSelectedName(info: RequestInfo, query: URLSearchParams): RequestInfo {
  const name = /(?:^|,)metadata\.name==?([^,]+)/.exec(query.get('fieldSelector') ?? '')?.[1]
  const { target } = info
  if (name === undefined || target === undefined || target.name !== undefined) return info
  return { ...info, target: { ...target, name } }
}
