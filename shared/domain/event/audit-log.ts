import { groups } from '../grant/groups.ts'
import { record, text } from './fields.ts'

/**
 * Lines of the API server's audit log, which say who wrote what and, of most objects, not what stands there now. Like every
 * event a line only says "look".
 */

/** What kube-proxy and Calico are configured by. Without a namespace: objects of the whole cluster. */
const objects = [
  { resource: 'configmaps', namespaces: ['kube-system'], names: ['kube-proxy', 'kube-proxy-config'] },
  { resource: 'daemonsets', namespaces: ['kube-system'], names: ['kube-proxy'] },
  { resource: 'daemonsets', namespaces: ['kube-system', 'calico-system'], names: ['calico-node'] },
  { resource: 'felixconfigurations' },
  { resource: 'ippools' },
  { resource: 'installations' },
] as const satisfies { resource: string; namespaces?: readonly string[]; names?: readonly string[] }[]

const verbs: readonly string[] = ['create', 'update', 'patch', 'delete', 'deletecollection']
const calico: readonly string[] = ['crd.projectcalico.org', 'projectcalico.org', 'operator.tigera.io']

const is = (field: string, value: string) => `($.${field} = "${value}")`
const any = (...them: string[]) => (them.length === 1 ? them.join('') : `(${them.join(' || ')})`)
const all = (...them: string[]) => `(${them.join(' && ')})`

/** As CloudWatch Logs filters, so that of a thousand lines one arrives. A collection that is deleted has no name. */
export const auditPattern = `{ ${[
  is('stage', 'ResponseComplete'),
  '($.responseStatus.code < 300)',
  '($.objectRef.subresource NOT EXISTS)',
  any(...verbs.map((verb) => is('verb', verb))),
  any(
    ...objects.map((it) =>
      'names' in it
        ? all(
            is('objectRef.resource', it.resource),
            any(...it.names.map((name) => is('objectRef.name', name)), is('verb', 'deletecollection')),
          )
        : is('objectRef.resource', it.resource),
    ),
  ),
].join(' && ')} }`

/** The text of one line. `undefined`: it says nothing of what is assessed, or it is our own write. */
export const touchedByLine = (line: string): { cause: string } | undefined => {
  const it = record(parsed(line))
  const object = record(it['objectRef'])
  const [verb, resource, name] = [text(it['verb']) ?? '', text(object['resource']) ?? '', text(object['name'])]
  const code = record(it['responseStatus'])['code']
  const isDone = it['stage'] === 'ResponseComplete' && typeof code === 'number' && code < 300
  if (!isDone || !verbs.includes(verb) || text(object['subresource']) !== undefined) return undefined
  if (!isWatched(object, { verb, resource, name }) || isOwn(it)) return undefined
  return { cause: `audit log: ${verb} ${[resource, name].filter(Boolean).join(' ')}`.slice(0, 300) }
}

const isWatched = (
  object: Record<string, unknown>,
  { verb, resource, name }: { verb: string; resource: string; name: string | undefined },
): boolean => {
  const namespace = text(object['namespace']) ?? ''
  return objects.some((it) => {
    if (it.resource !== resource) return false
    if (!('names' in it)) return calico.includes(text(object['apiGroup']) ?? '')
    const isNamed = name === undefined ? verb === 'deletecollection' : (it.names as readonly string[]).includes(name)
    return isNamed && (it.namespaces as readonly string[]).includes(namespace)
  })
}

/** Both ways in which our functions are known: a group that only their role is let in with, and what their client calls itself. */
const isOwn = (line: Record<string, unknown>): boolean => {
  const of = record(line['user'])['groups']
  const isOperator = Array.isArray(of) && of.includes(groups.operators)
  return isOperator && (text(line['userAgent']) ?? '').startsWith('calico-ipvs-sync/')
}

const parsed = (line: string): unknown => {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}
