import { createHash } from 'node:crypto'
import type { Context } from './context.ts'
import type { Fieldful } from './object.ts'
import { groupVersionOf, type Resource } from './resources.ts'

/** What the paths that name no resource answer; undefined where there is nothing. */
export function discovery(context: Context, path: string, address: string): Fieldful | undefined {
  const parts = path.split('/').filter((part) => part !== '')
  const [root, group, version] = parts
  if (path === '/version' || path === '/version/') return versionOf(context)
  if (root === 'api' && parts.length === 1) return coreVersions(address)
  if (root === 'apis' && parts.length === 1) return groupList(context)
  if (root === 'api' && parts.length === 2) return resourceList(context, '', group ?? '')
  if (root === 'apis' && parts.length === 2) return groupOf(context, group ?? '')
  if (root === 'apis' && parts.length === 3) return resourceList(context, group ?? '', version ?? '')
  if (root === 'openapi' && group === 'v3') return openApi(context, parts.slice(2).join('/'))
  return undefined
}

function versionOf({ kubernetesVersion }: Context): Fieldful {
  const [, major = '1', minor = '36'] = /^v?(\d+)\.(\d+)/.exec(kubernetesVersion) ?? []
  return {
    major,
    minor,
    emulationMajor: major,
    emulationMinor: minor,
    minCompatibilityMajor: major,
    minCompatibilityMinor: String(Number(minor) - 1),
    gitVersion: kubernetesVersion.startsWith('v') ? kubernetesVersion : `v${kubernetesVersion}`,
    gitCommit: '',
    gitTreeState: '',
    buildDate: '1970-01-01T00:00:00Z',
    goVersion: 'none',
    compiler: 'none',
    platform: 'linux/amd64',
  }
}

const coreVersions = (address: string): Fieldful => ({
  kind: 'APIVersions',
  versions: ['v1'],
  serverAddressByClientCIDRs: [{ clientCIDR: '0.0.0.0/0', serverAddress: address }],
})

const groupList = (context: Context): Fieldful => ({
  kind: 'APIGroupList',
  apiVersion: 'v1',
  groups: [...context.registry.groups()]
    .filter(([group]) => group !== '')
    .map(([group, versions]) => described(group, versions)),
})

function described(name: string, versions: string[]): Fieldful {
  const all = versions.map((version) => ({ groupVersion: `${name}/${version}`, version }))
  return { name, versions: all, preferredVersion: all[0] }
}

function groupOf(context: Context, name: string): Fieldful | undefined {
  const versions = context.registry.groups().get(name)
  return versions === undefined ? undefined : { kind: 'APIGroup', apiVersion: 'v1', ...described(name, versions) }
}

function resourceList(context: Context, group: string, version: string): Fieldful | undefined {
  const resources = context.registry
    .all()
    .filter((resource) => resource.group === group && resource.version === version)
  const [first] = resources
  if (first === undefined) return undefined
  return {
    kind: 'APIResourceList',
    ...(group === '' ? {} : { apiVersion: 'v1' }),
    groupVersion: groupVersionOf(first),
    resources: resources.flatMap((resource) => [resourceEntry(resource), ...subresourceEntries(resource)]),
  }
}

function resourceEntry(resource: Resource): Fieldful {
  const { plural, singular, namespaced, kind, verbs, shortNames, categories } = resource
  return {
    name: plural,
    singularName: singular,
    namespaced,
    kind,
    verbs,
    ...(shortNames.length === 0 ? {} : { shortNames }),
    ...(categories.length === 0 ? {} : { categories }),
    storageVersionHash: createHash('sha256')
      .update(`${groupVersionOf(resource)}/${kind}`)
      .digest('base64')
      .slice(0, 12),
  }
}

const subresourceEntries = ({ plural, namespaced, kind, subresources }: Resource): Fieldful[] =>
  subresources.map((subresource) => ({
    name: `${plural}/${subresource}`,
    singularName: '',
    namespaced,
    kind,
    verbs: subresource === 'log' ? ['get'] : ['get', 'patch', 'update'],
  }))

/**
 * Just enough OpenAPI for kubectl to learn that the server validates fields itself: it looks for the `fieldValidation`
 * parameter of PATCH, kind by kind, and then asks for nothing else.
 */
function openApi(context: Context, groupVersionPath: string): Fieldful | undefined {
  const pathOf = (resource: Resource) =>
    resource.group === '' ? `api/${resource.version}` : `apis/${groupVersionOf(resource)}`
  if (groupVersionPath === '') {
    const paths = [...new Set(context.registry.all().map(pathOf))]
    return { paths: Object.fromEntries(paths.map((path) => [path, { serverRelativeURL: `/openapi/v3/${path}` }])) }
  }
  const resources = context.registry.all().filter((resource) => pathOf(resource) === groupVersionPath)
  if (resources.length === 0) return undefined
  return {
    openapi: '3.0.0',
    info: { title: 'Kubernetes', version: context.kubernetesVersion },
    paths: Object.fromEntries(
      resources.map((resource) => [`/${groupVersionPath}/${resource.plural}/{name}`, pathItem(resource)]),
    ),
  }
}

const pathItem = ({ group, version, kind }: Resource): Fieldful => ({
  patch: {
    responses: {},
    parameters: [
      { name: 'fieldValidation', in: 'query', schema: { type: 'string' } },
      { name: 'dryRun', in: 'query', schema: { type: 'string' } },
    ],
    'x-kubernetes-action': 'patch',
    'x-kubernetes-group-version-kind': { group, version, kind },
  },
})
