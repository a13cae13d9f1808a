import type { Access, KubeClient } from '../../shared/clients/kube/client.ts'
import { groups } from '../../shared/domain/grant/groups.ts'
import { quoted } from '../../shared/domain/shell.ts'
import { failureOf, valueOf } from '../../shared/domain/read.ts'
import { lease } from '../../shared/domain/rollout/annotations.ts'
import type { Hop } from './hop.ts'

/** One permission that is asked about, and its purpose. `without`: what does not work where it is refused; then it is no failure. */
export interface Need extends Access {
  why: string
  without?: string
}

const v3 = 'projectcalico.org'
const v1 = 'crd.projectcalico.org'
const core = ''

const looking = ({ calico, groups, operator }: CalicoInstall): Need[] => [
  { verb: 'list', group: core, resource: 'nodes', why: 'which nodes there are' },
  { verb: 'list', group: core, resource: 'services', why: 'node ports in use outside the range' },
  { verb: 'list', group: 'apps', resource: 'daemonsets', why: 'kube-proxy and calico-node' },
  ...groups.map((group) => ({ verb: 'list', group, resource: 'felixconfigurations', why: "Felix's configuration" })),
  ...namespaces(calico).flatMap((namespace) => [
    { verb: 'list', group: core, resource: 'pods', namespace, why: 'which pods run where, since when' },
    {
      verb: 'get',
      group: core,
      resource: 'pods',
      subresource: 'log',
      namespace,
      why: 'the mode in use, and evidence at a halt',
    },
  ]),
  ...configMaps(['kube-proxy-config', 'kube-proxy']).map((it) => ({ ...it, why: "kube-proxy's configuration" })),
  ...(calico === 'kube-system' ? configMaps(['calico-config', 'kubernetes-services-endpoint']) : []).map((it) => ({
    ...it,
    why: "what calico-node's environment refers to",
    without: "Felix's environment is not known in full where it refers to it",
  })),
  { ...leases, verb: 'get', name: lease.name, why: 'where a rollout stands' },
  ...webhooks,
  ...groups.slice(0, 1).map((group) => ({
    verb: 'get',
    group,
    resource: 'clusterinformations',
    name: 'default',
    why: "Calico's version",
    without: 'it is taken from the image',
  })),
  ...(operator
    ? [
        {
          verb: 'get',
          group: 'operator.tigera.io',
          resource: 'installations',
          name: 'default',
          why: 'how Calico was installed',
          without: 'it is told by the namespace',
        },
      ]
    : []),
  {
    verb: 'list',
    group: core,
    resource: 'events',
    namespace: 'default',
    why: "kube-proxy's own warnings",
    without: 'logs tell the mode',
  },
]

const configMaps = (names: string[]): Access[] =>
  names.map((name) => ({ verb: 'get', group: core, resource: 'configmaps', namespace: 'kube-system', name }))

const admission = 'admissionregistration.k8s.io'
const webhooks: Need[] = [
  { group: admission, resource: 'validatingwebhookconfigurations' },
  { group: admission, resource: 'mutatingwebhookconfigurations' },
  { group: 'discovery.k8s.io', resource: 'endpointslices' },
].map((it) => ({
  verb: 'list',
  ...it,
  why: 'which nodes answer webhooks that the API server calls for a change',
  without: 'such a node may be the first to be touched',
}))

const leases = { group: 'coordination.k8s.io', resource: 'leases', namespace: lease.namespace }

const changing = ({ calico, groups }: CalicoInstall): Need[] => [
  ...['create', 'patch', 'delete'].flatMap((verb) =>
    groups
      .slice(0, 1)
      .map((group) => ({ verb, group, resource: 'felixconfigurations', why: 'the range, node by node' })),
  ),
  { verb: 'delete', group: core, resource: 'pods', namespace: calico, why: 'restarts of calico-node' },
  { ...leases, verb: 'create', why: 'the lock of a rollout' },
  { ...leases, verb: 'patch', name: lease.name, why: 'the lock of a rollout' },
]

export interface CalicoInstall {
  /** The namespace in which calico-node runs. */
  calico: string
  /** Calico's APIs that are served, the one that is written through first. */
  groups: string[]
  operator: boolean
}

const namespaces = (calico: string): string[] => [...new Set(['kube-system', calico])]

const placeIn = async (kube: KubeClient): Promise<CalicoInstall> => {
  const [apis, daemonSets] = [valueOf(await kube.apis()) ?? [], valueOf(await kube.daemonSets()) ?? []]
  const served = (group: string) => apis.some((api) => api.startsWith(`${group}/`))
  const groups = [v3, v1].filter(served)
  const operator = served('operator.tigera.io')
  const calico = daemonSets.find(({ role }) => role === 'calico-node')?.namespace
  return {
    calico: calico ?? (operator ? 'calico-system' : 'kube-system'),
    groups: groups.length > 0 ? groups : [v1],
    operator,
  }
}

/** In the place's terms, what infra/kubernetes/rbac.yaml grants. */
export const needsIn = (place: CalicoInstall, lookOnly: boolean): Need[] => [
  ...looking(place),
  ...(lookOnly ? [] : changing(place)),
]

export interface User {
  name: string
  groups: readonly string[]
}

interface Trying {
  lookOnly: boolean
  user: User
  /** kubectl for this cluster. */
  kubectl: string
}

/** A hop per verb: what the server says we may do. All that is missing is granted at once, by what the first one tells. */
export const tryAccess = async (kube: KubeClient, trying: Trying): Promise<Hop[]> => {
  const needs = needsIn(await placeIn(kube), trying.lookOnly)
  const hops = await Promise.all(needs.map((need) => tryOne(kube, need, trying.kubectl)))
  const first = hops.findIndex(({ state, fix }) => state === 'failed' && fix === undefined)
  return hops.map((hop, at) => (at === first ? { ...hop, fix: grantAll(trying) } : hop))
}

const tryOne = async (kube: KubeClient, { why, without, ...access }: Need, kubectl: string): Promise<Hop> => {
  const hop = `may ${inWords(access)}`
  const answer = await kube.mayI(access)
  const failure = failureOf(answer)
  if (failure) return { hop, state: 'failed', detail: failure.message, fix: canI(access, kubectl) }
  if (valueOf(answer)) return { hop, state: 'ok', detail: why }
  if (without !== undefined) return { hop, state: 'left out', detail: `refused; ${without}` }
  return { hop, state: 'failed', detail: `refused: needed for ${why}` }
}

const resourceOf = ({ resource, group, subresource }: Access): string =>
  `${resource}${group && `.${group}`}${subresource === undefined ? '' : `/${subresource}`}`

const inWords = (access: Access): string =>
  [
    access.verb,
    resourceOf(access),
    ...(access.name === undefined ? [] : [access.name]),
    ...(access.namespace === undefined ? [] : [`in ${access.namespace}`]),
  ].join(' ')

const canI = (access: Access, kubectl: string): string =>
  `${kubectl} auth can-i ${access.verb} ${resourceOf(access)}${access.namespace === undefined ? '' : ` -n ${access.namespace}`}`

/** Who is in none of our groups is bound by name. */
const grantAll = ({ lookOnly, user: { name, groups: own }, kubectl }: Trying): string => {
  const isIn = own.includes(lookOnly ? groups.viewers : groups.operators)
  const words = [...(lookOnly ? [] : ['--changes']), ...(isIn ? [] : ['--user', quoted(name)])]
  return `${['calico-ipvs-sync rbac', ...words].join(' ')} | ${kubectl} apply -f -   # all that is missing`
}
