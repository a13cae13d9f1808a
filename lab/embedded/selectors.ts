import { type KubeObject, recordAt } from './object.ts'
import type { Resource } from './resources.ts'
import { badRequest } from './status.ts'

export type Predicate = (object: KubeObject) => boolean

/** Both selectors of a list or watch; undefined where neither is given. Throws 400 on what cannot be parsed. */
export function selectorOf(resource: Resource, query: URLSearchParams): Predicate | undefined {
  const label = query.get('labelSelector') ?? ''
  const field = query.get('fieldSelector') ?? ''
  if (label === '' && field === '') return undefined
  const requirements = parseLabelSelector(label)
  const byField = parseFieldSelector(resource, field)
  return (object) => matchesLabels(requirements, object.metadata.labels ?? {}) && byField(object)
}

interface Requirement {
  key: string
  operator: 'in' | 'notin' | 'exists' | 'absent'
  values: string[]
}

const setBased = /^(\S+)\s+(in|notin)\s*\(([^()]*)\)$/
const equality = /^([^\s=!]+)\s*(==|=|!=)\s*([^\s=!]*)$/
const presence = /^(!?)\s*([^\s=!()]+)$/

export function parseLabelSelector(selector: string): Requirement[] {
  return splitOutsideBrackets(selector).map(parseRequirement)
}

function parseRequirement(text: string): Requirement {
  const set = setBased.exec(text)
  if (set !== null) {
    const values = (set[3] ?? '').split(',').map((value) => value.trim())
    return { key: set[1] ?? '', operator: set[2] === 'in' ? 'in' : 'notin', values }
  }
  const equal = equality.exec(text)
  if (equal !== null) {
    return { key: equal[1] ?? '', operator: equal[2] === '!=' ? 'notin' : 'in', values: [equal[3] ?? ''] }
  }
  const present = presence.exec(text)
  if (present !== null) return { key: present[2] ?? '', operator: present[1] === '!' ? 'absent' : 'exists', values: [] }
  throw badRequest(`unable to parse requirement: found '${text}'`)
}

/** Commas separate requirements, but also the values in brackets. */
function splitOutsideBrackets(selector: string): string[] {
  return selector
    .split(/,(?![^(]*\))/)
    .map((part) => part.trim())
    .filter((part) => part !== '')
}

export function matchesLabels(requirements: readonly Requirement[], labels: Record<string, string>): boolean {
  return requirements.every(({ key, operator, values }) => {
    const value = labels[key]
    switch (operator) {
      case 'in':
        return value !== undefined && values.includes(value)
      case 'notin':
        return value === undefined || !values.includes(value)
      case 'exists':
        return value !== undefined
      case 'absent':
        return value === undefined
    }
  })
}

/** Fields of each kind that the real server can select by, beside the name and the namespace. */
const selectableFields: Record<string, string[]> = {
  pods: [
    'spec.nodeName',
    'spec.restartPolicy',
    'spec.schedulerName',
    'spec.serviceAccountName',
    'spec.hostNetwork',
    'status.phase',
    'status.podIP',
    'status.nominatedNodeName',
  ],
  nodes: ['spec.unschedulable'],
  namespaces: ['status.phase'],
  secrets: ['type'],
  services: ['spec.clusterIP', 'spec.type'],
  events: [
    'involvedObject.kind',
    'involvedObject.namespace',
    'involvedObject.name',
    'involvedObject.uid',
    'involvedObject.apiVersion',
    'involvedObject.resourceVersion',
    'involvedObject.fieldPath',
    'reason',
    'reportingComponent',
    'source',
    'type',
  ],
}

function parseFieldSelector(resource: Resource, selector: string): Predicate {
  const terms = selector.split(',').filter((term) => term !== '')
  const predicates = terms.map((term) => parseFieldTerm(resource, term))
  return (object) => predicates.every((predicate) => predicate(object))
}

function parseFieldTerm(resource: Resource, term: string): Predicate {
  const match = /^([^=!]+)(==|=|!=)(.*)$/.exec(term)
  if (match === null) throw badRequest(`invalid selector: '${term}'; can't understand '${term}'`)
  const [, field = '', operator, value = ''] = match
  const known =
    field === 'metadata.name' ||
    field === 'metadata.namespace' ||
    (resource.schema === undefined && selectableFields[resource.plural]?.includes(field) === true)
  if (!known) throw badRequest(`field label not supported: ${field}`)
  return (object) => (fieldValue(object, field) === value) === (operator !== '!=')
}

function fieldValue(object: KubeObject, field: string): string {
  const path = field.split('.')
  const value = recordAt(object, ...path.slice(0, -1))[path.at(-1) ?? '']
  if (value === undefined || value === null)
    return field === 'spec.unschedulable' || field === 'spec.hostNetwork' ? 'false' : ''
  return typeof value === 'string' ? value : JSON.stringify(value)
}
