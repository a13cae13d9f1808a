import type { Schema } from './schema.ts'

/** One resource the server serves, as discovery and the storage see it. */
export interface Resource {
  group: string
  version: string
  plural: string
  singular: string
  kind: string
  namespaced: boolean
  shortNames: string[]
  categories: string[]
  verbs: string[]
  /** `status`, `log`: what may follow the name in a path. */
  subresources: string[]
  /** Whether a change of the specification counts `metadata.generation` up. */
  generation: boolean
  /** Set for what a CustomResourceDefinition defines. */
  schema?: Schema
}

const allVerbs = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch']

type Sketch = Partial<Omit<Resource, 'group' | 'version' | 'plural' | 'kind' | 'shortNames'>> & { short?: string }

function define(groupVersion: string, plural: string, kind: string, sketch: Sketch = {}): Resource {
  const [group, version] = groupVersion.includes('/') ? groupVersion.split('/') : ['', groupVersion]
  const { short, ...rest } = sketch
  return {
    group: group ?? '',
    version: version ?? '',
    plural,
    kind,
    singular: kind.toLowerCase(),
    namespaced: true,
    shortNames: short === undefined ? [] : [short],
    categories: [],
    verbs: allVerbs,
    subresources: [],
    generation: false,
    ...rest,
  }
}

const cluster = { namespaced: false }
const rbac = 'rbac.authorization.k8s.io/v1'

/** The built-in resources that clusters of the lab hold. */
export const builtinResources: readonly Resource[] = [
  define('v1', 'configmaps', 'ConfigMap', { short: 'cm' }),
  define('v1', 'endpoints', 'Endpoints', { singular: 'endpoints', short: 'ep' }),
  define('v1', 'events', 'Event', { short: 'ev' }),
  define('v1', 'namespaces', 'Namespace', { ...cluster, short: 'ns', subresources: ['status'] }),
  define('v1', 'nodes', 'Node', { ...cluster, short: 'no', subresources: ['status'] }),
  define('v1', 'pods', 'Pod', { short: 'po', categories: ['all'], subresources: ['status', 'log'], generation: true }),
  define('v1', 'secrets', 'Secret'),
  define('v1', 'serviceaccounts', 'ServiceAccount', { short: 'sa' }),
  define('v1', 'services', 'Service', { short: 'svc', categories: ['all'], subresources: ['status'] }),
  define('apps/v1', 'controllerrevisions', 'ControllerRevision'),
  define('apps/v1', 'daemonsets', 'DaemonSet', {
    short: 'ds',
    categories: ['all'],
    subresources: ['status'],
    generation: true,
  }),
  define('apps/v1', 'deployments', 'Deployment', {
    short: 'deploy',
    categories: ['all'],
    subresources: ['status'],
    generation: true,
  }),
  define('coordination.k8s.io/v1', 'leases', 'Lease'),
  define('discovery.k8s.io/v1', 'endpointslices', 'EndpointSlice', { generation: true }),
  ...['Validating', 'Mutating'].map((kind) =>
    define(
      'admissionregistration.k8s.io/v1',
      `${kind.toLowerCase()}webhookconfigurations`,
      `${kind}WebhookConfiguration`,
      { ...cluster, categories: ['api-extensions'], generation: true },
    ),
  ),
  define('apiextensions.k8s.io/v1', 'customresourcedefinitions', 'CustomResourceDefinition', {
    ...cluster,
    short: 'crd',
    subresources: ['status'],
    generation: true,
  }),
  define('apiregistration.k8s.io/v1', 'apiservices', 'APIService', { ...cluster, subresources: ['status'] }),
  define(rbac, 'clusterrolebindings', 'ClusterRoleBinding', cluster),
  define(rbac, 'clusterroles', 'ClusterRole', cluster),
  define(rbac, 'rolebindings', 'RoleBinding'),
  define(rbac, 'roles', 'Role'),
  define('authorization.k8s.io/v1', 'selfsubjectaccessreviews', 'SelfSubjectAccessReview', {
    ...cluster,
    verbs: ['create'],
  }),
  define('authentication.k8s.io/v1', 'selfsubjectreviews', 'SelfSubjectReview', { ...cluster, verbs: ['create'] }),
]

export interface ResourceRegistry {
  all(): Resource[]
  find(group: string, version: string, plural: string): Resource | undefined
  byKind(group: string, kind: string): Resource | undefined
  groups(): Map<string, string[]>
  add(resource: Resource): void
  remove(group: string, plural: string): void
}

export function createRegistry(): ResourceRegistry {
  const byPath = new Map<string, Resource>()
  const path = (group: string, version: string, plural: string) => `${group}/${version}/${plural}`
  const add = (resource: Resource) => {
    byPath.set(path(resource.group, resource.version, resource.plural), resource)
  }
  for (const resource of builtinResources) add(resource)
  return {
    add,
    all: () => [...byPath.values()],
    find: (group, version, plural) => byPath.get(path(group, version, plural)),
    byKind: (group, kind) =>
      [...byPath.values()].find((resource) => resource.group === group && resource.kind === kind),
    groups: () => versionsByGroup([...byPath.values()]),
    remove(group, plural) {
      for (const [key, resource] of byPath) {
        if (resource.group === group && resource.plural === plural) byPath.delete(key)
      }
    },
  }
}

function versionsByGroup(resources: Resource[]): Map<string, string[]> {
  const groups = new Map<string, string[]>()
  for (const { group, version } of resources) {
    const versions = groups.get(group) ?? []
    if (!versions.includes(version)) groups.set(group, [...versions, version])
  }
  return groups
}

/** `apps/v1`, or `v1` for the core group. */
export const groupVersionOf = ({ group, version }: Pick<Resource, 'group' | 'version'>): string =>
  group === '' ? version : `${group}/${version}`
