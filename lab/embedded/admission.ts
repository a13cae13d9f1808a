import { createHash } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import type { Context, WriteOptions } from './context.ts'
import { withDefaults } from './defaults.ts'
import { allocateNodePorts, nodePortsOf, validateService } from './node-ports.ts'
import { type KubeObject, recordAt } from './object.ts'
import type { Resource } from './resources.ts'
import { fillDefaults, prune, violations } from './schema.ts'
import { badRequest, type Cause, invalid, invalidValue, requiredValue } from './status.ts'
import { keyOf } from './store.ts'

/**
 * What stands between a request's body and the store: unknown fields go, defaults come, what is not valid is refused.
 * Throws 400 for unknown fields under `fieldValidation=Strict`, 422 for invalid values.
 */
export function admit(
  resource: Resource,
  { object, before, options }: { object: KubeObject; before: KubeObject | undefined; options: WriteOptions },
): KubeObject {
  const pruned = withoutUnknownFields(resource, object, options)
  const named = withTidyMetadata(pruned)
  checkName(resource, named)
  if (resource.schema !== undefined) return validated(resource, fillDefaults(resource.schema, named) as KubeObject)
  const filled = withTemplateGeneration(withDefaults(named), before)
  checkBuiltin(resource, filled)
  return filled
}

const templateGeneration = 'deprecated.daemonset.template.generation'

/** A counter of DaemonSet templates that outlived its API version: pods still carry it as a label. */
function withTemplateGeneration(object: KubeObject, before: KubeObject | undefined): KubeObject {
  if (object.kind !== 'DaemonSet' || before === undefined) return object
  const earlier = Number(before.metadata.annotations?.[templateGeneration] ?? 1)
  const isSame = isDeepStrictEqual(recordAt(object, 'spec', 'template'), recordAt(before, 'spec', 'template'))
  const annotations = { ...object.metadata.annotations, [templateGeneration]: String(isSame ? earlier : earlier + 1) }
  return { ...object, metadata: { ...object.metadata, annotations } }
}

/** Fields that objects of built-in kinds have beside `spec` and `status`, where they have others at all. */
const bodyFields: Record<string, string[]> = {
  ConfigMap: ['data', 'binaryData', 'immutable'],
  Secret: ['data', 'stringData', 'type', 'immutable'],
  ServiceAccount: ['secrets', 'imagePullSecrets', 'automountServiceAccountToken'],
  ClusterRole: ['rules', 'aggregationRule'],
  Role: ['rules'],
  ClusterRoleBinding: ['subjects', 'roleRef'],
  RoleBinding: ['subjects', 'roleRef'],
  ControllerRevision: ['data', 'revision'],
  Endpoints: ['subsets'],
  EndpointSlice: ['addressType', 'endpoints', 'ports'],
  ValidatingWebhookConfiguration: ['webhooks'],
  MutatingWebhookConfiguration: ['webhooks'],
}
const headFields = ['apiVersion', 'kind', 'metadata']

function withoutUnknownFields(resource: Resource, object: KubeObject, options: WriteOptions): KubeObject {
  const unknown: string[] = []
  const kept = pruned(resource, object, unknown)
  if (unknown.length === 0) return kept
  if (options.fieldValidation === 'Strict') {
    const list = unknown.map((path) => `unknown field "${path}"`).join(', ')
    const what = `${resource.kind} in version "${resource.version}" cannot be handled as a ${resource.kind}`
    throw badRequest(`${what}: strict decoding error: ${list}`)
  }
  if (options.fieldValidation === 'Warn') options.warnings.push(...unknown.map((path) => `unknown field "${path}"`))
  return kept
}

function pruned(resource: Resource, object: KubeObject, unknown: string[]): KubeObject {
  if (resource.schema !== undefined) {
    const properties = { ...resource.schema.properties, apiVersion: {}, kind: {}, metadata: {} }
    return prune({ ...resource.schema, properties }, object, '', unknown) as KubeObject
  }
  if (resource.plural === 'events') return object
  const known = new Set([...headFields, ...(bodyFields[resource.kind] ?? ['spec', 'status'])])
  unknown.push(...Object.keys(object).filter((field) => !known.has(field)))
  return Object.fromEntries(Object.entries(object).filter(([field]) => known.has(field))) as KubeObject
}

/** The real server drops empty maps and lists of the metadata when it decodes them. */
function withTidyMetadata(object: KubeObject): KubeObject {
  const full = Object.entries(object.metadata).filter(([, value]) => !isEmpty(value))
  return { ...object, metadata: Object.fromEntries(full) as unknown as KubeObject['metadata'] }
}

const isEmpty = (value: unknown): boolean =>
  value === undefined || value === null || (typeof value === 'object' && Object.keys(value).length === 0)

const subdomain = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/
const subdomainRule =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"

function checkName(resource: Resource, { metadata }: KubeObject): void {
  const subject = { group: resource.group, kind: resource.kind, name: metadata.name ?? '' }
  if (subject.name === '') {
    throw invalid({ ...subject }, [requiredValue('metadata.name', 'name or generateName is required')])
  }
  // Names of RBAC objects are only kept from breaking a path.
  const fits =
    resource.group === 'rbac.authorization.k8s.io' ? !/[/%]/.test(subject.name) : subdomain.test(subject.name)
  if (!fits) throw invalid(subject, [invalidValue('metadata.name', subject.name, subdomainRule)])
}

function validated(resource: Resource, object: KubeObject): KubeObject {
  const causes = violations(resource.schema ?? {}, object, '')
  if (causes.length === 0) return object
  throw invalid({ group: resource.group, kind: resource.kind, name: object.metadata.name }, causes)
}

function checkBuiltin(resource: Resource, object: KubeObject): void {
  const causes: Cause[] = []
  const { leaseDurationSeconds } = recordAt(object, 'spec')
  if (resource.kind === 'Lease' && typeof leaseDurationSeconds === 'number' && leaseDurationSeconds <= 0) {
    causes.push(invalidValue('spec.leaseDurationSeconds', leaseDurationSeconds, 'must be greater than 0'))
  }
  if (causes.length > 0)
    throw invalid({ group: resource.group, kind: resource.kind, name: object.metadata.name }, causes)
  for (const [key, value] of Object.entries(resource.kind === 'ConfigMap' ? recordAt(object, 'data') : {})) {
    if (typeof value !== 'string')
      throw badRequest(
        `ConfigMap in version "v1" cannot be handled as a ConfigMap: json: cannot unmarshal ${typeof value} into Go struct field ConfigMap.data of type string (${key})`,
      )
  }
}

/**
 * What the server itself assigns once an object is accepted; no field manager owns it. Throws 422 for node ports that
 * cannot be had.
 */
export function allocate(
  context: Context,
  resource: Resource,
  { object, before, options }: { object: KubeObject; before: KubeObject | undefined; options: WriteOptions },
): KubeObject {
  if (resource.schema !== undefined) return object
  switch (resource.kind) {
    case 'Service':
      return allocateService(context, object, before, options)
    case 'Namespace':
      return { status: { phase: 'Active' }, ...object, spec: { finalizers: ['kubernetes'] } }
    case 'Pod':
      return { status: { phase: 'Pending', qosClass: 'BestEffort' }, ...object }
    default:
      return object
  }
}

function allocateService(
  context: Context,
  service: KubeObject,
  before: KubeObject | undefined,
  { dryRun }: WriteOptions,
): KubeObject {
  validateService(service)
  const others = context.store.list(serviceResource(context)) ?? []
  const taken = new Set(others.filter(([key]) => key !== keyOf(service)).flatMap(([, other]) => nodePortsOf(other)))
  const allocated = allocateNodePorts(service, before, { range: context.nodePortRange, taken, dryRun })
  return { status: { loadBalancer: {} }, ...withClusterIp(allocated, before) }
}

function serviceResource({ registry }: Context): Resource {
  const resource = registry.find('', 'v1', 'services')
  if (resource === undefined) throw new Error('the registry has lost the Services')
  return resource
}

/** An address of the usual 10.96.0.0/16, by the Service's name: nothing in the lab routes to it. */
function withClusterIp(service: KubeObject, before: KubeObject | undefined): KubeObject {
  const spec = recordAt(service, 'spec')
  if (spec['type'] === 'ExternalName') return service
  const digest = createHash('sha256').update(keyOf(service)).digest()
  const derived = `10.96.${digest[0]}.${((digest[1] ?? 0) % 254) + 1}`
  const clusterIP = spec['clusterIP'] ?? recordAt(before, 'spec')['clusterIP'] ?? derived
  const family = { ipFamilies: ['IPv4'], ipFamilyPolicy: 'SingleStack' }
  return { ...service, spec: { ...family, ...spec, clusterIP, clusterIPs: [clusterIP] } }
}
