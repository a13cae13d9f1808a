import { partitionOf } from '../partitions.ts'
import type { ClusterFacts } from '../facts/facts.ts'
import type { ClusterState, FelixObject } from '../cluster.ts'
import type { ParameterLayer } from '../felix/values.ts'
import { isPrivate } from '../capture/annotations.ts'
import { copyKey } from '../felix/metadata-copy.ts'
import { safeJson } from '../plain.ts'
import { quoted } from '../shell.ts'
import { annotationValue, formatRanges, specItemsMax, type PortRange } from '../ports.ts'
import { type RangeText, setRange } from '../rollout/range-writes.ts'
import { valueOf } from '../read.ts'
import type { CalicoApi, Report, ServiceRange } from '../report.ts'
import { rangeAnnotation } from '../rollout/annotations.ts'
import { specMayBeWritten } from '../version.ts'

export const apiOf = ({ state }: ClusterFacts): CalicoApi => valueOf(state.felix)?.api ?? 'crd.projectcalico.org/v1'

/** Which cluster it is, and how commands reach it. */
export type ClusterAddress = Pick<ClusterState, 'cluster' | 'reachedBy'>

export const onCluster = ({ state, serviceRange }: ClusterFacts, command: string): string =>
  commandOn(state, command, serviceRange)

/** A complete command of this tool for a cluster: its context or region, and the source of its range. */
export const commandOn = (place: ClusterAddress, command: string, range?: ServiceRange): string =>
  ['calico-ipvs-sync', command, ...placeWords(place), ...(takesRange.test(command) ? rangeWords(range) : [])].join(' ')

const placeWords = ({ cluster: { context, name, region }, reachedBy = {} }: ClusterAddress): string[] => {
  const { kubeconfig, role, inCluster } = reachedBy
  // A cluster without context and region was not found; this tool has given it a name.
  const isNamed = !inCluster && context === undefined && region !== undefined
  return optionWords({
    context: inCluster ? undefined : context,
    ...(isNamed && { cluster: name, region }),
    kubeconfig,
    role,
  })
}

const optionWords = (options: Record<string, string | undefined>): string[] =>
  Object.entries(options).flatMap(([name, value]) => (value === undefined ? [] : [`--${name}`, quoted(value)]))

/** The command that looks at all clusters of the region. */
export const sweepOf = ({ cluster: { region }, reachedBy: { role } = {} }: ClusterAddress): string =>
  ['calico-ipvs-sync sweep', ...optionWords({ region, role })].join(' ')

const takesRange = /^(?:check|plan|sync|rollout status)\b/

const rangeWords = ({ source, min, max }: Partial<ServiceRange> = {}): string[] =>
  source === 'probe' ? ['--probe'] : source === 'flag' ? ['--service-node-port-range', `${min}-${max}`] : []

/**
 * kubectl for this cluster, never for the current context. If the context is not known, it is the ARN, as `aws eks
 * update-kubeconfig` names contexts: if there is none of that name, kubectl fails.
 */
export const kubectl = ({ state }: ClusterFacts): string => kubectlOn(state)

export const kubectlOn = ({ cluster, reachedBy = {} }: ClusterAddress): string => {
  const { context = cluster.arn ?? arnOf(cluster) } = cluster
  return ['kubectl', ...optionWords({ kubeconfig: reachedBy.kubeconfig, context })].join(' ')
}

/** The aws command has no option for the account, and several accounts may have a cluster of this name: a comment before a changing command names the account. */
export const inAccount = ({ cluster: { account } }: ClusterAddress): string =>
  account === undefined ? '' : ` in account ${account}`

/** An `aws eks` command, with the profile of the kubeconfig's credential plugin. */
export const awsEks = ({ cluster: { region = 'REGION' }, reachedBy = {} }: ClusterAddress, command: string): string =>
  ['aws eks', command, ...optionWords({ region, profile: reachedBy.profile })].join(' ')

export const updateKubeconfig = (place: ClusterAddress): string => {
  const { kubeconfig, role } = place.reachedBy ?? {}
  const update = awsEks(place, `update-kubeconfig --name ${quoted(place.cluster.name)}`)
  return [update, ...optionWords({ 'role-arn': role, kubeconfig })].join(' ')
}

const onceForKubectl = '   # once, for kubectl; it also makes this cluster the current context'

/** The line that `withContext` puts before the first command of kubectl. */
export const givesContext = (line: string): boolean => line.endsWith(onceForKubectl)

/** If the cluster was not reached through a kubeconfig, kubectl needs a context first. */
export const withContext = (remedy: string, place: ClusterAddress): string => {
  const { context, region } = place.cluster
  if (context !== undefined || region === undefined) return remedy
  const once = `${updateKubeconfig(place)}${onceForKubectl}`
  return remedy.replace(/^.*\bkubectl --/m, (line) => `${once}\n${line}`)
}

/** The ARN as EKS builds it, if EKS did not return it; the reader must fill in an unknown account. */
const arnOf = ({ account = 'ACCOUNT', region, name }: Report['cluster']): string | undefined => {
  if (region === undefined) return undefined
  return `arn:${partitionOf(region)}:eks:${region}:${account}:cluster/${name}`
}

/** The resource's full name, so that kubectl cannot pick the other API. */
export const felixResource = (cluster: ClusterFacts): string =>
  `felixconfigurations.${apiOf(cluster).replace(/\/v\d+$/, '')}`

/**
 * Objects as arguments of kubectl. Names in Kubernetes do not begin with a dash. If a server returns such a name,
 * kubectl would read it as an option, so it gets RESOURCE/NAME.
 */
export const onObjects = (resource: string, ...names: string[]): string =>
  names.some((name) => name.startsWith('-'))
    ? names.map((name) => quoted(`${resource}/${name}`)).join(' ')
    : [resource, ...names.map(quoted)].join(' ')

export const onFelix = (cluster: ClusterFacts, ...names: string[]): string =>
  onObjects(felixResource(cluster), ...names)

export const felixObject = ({ felixObjects }: ClusterFacts, name: string): FelixObject | undefined =>
  felixObjects.get(name)

export const patchCommand = (cluster: ClusterFacts, name: string, patch: object): string =>
  `${kubectl(cluster)} patch ${onFelix(cluster, name)} --type=merge -p ${quoted(safeJson(patch))}`

/** Sets the range so that Felix uses it: annotation and spec, and the copy of the metadata if there is one. */
export function rangePatch(
  cluster: ClusterFacts,
  name: string,
  ranges: readonly PortRange[] = cluster.desired ?? [],
): string {
  const object = felixObject(cluster, name)
  if (!object) return `${kubectl(cluster)} create -f - <<'EOF'\n${rangeManifest(cluster, name, ranges)}\nEOF`
  return rangeWrite(cluster, object, { annotation: annotationValue(ranges), ...specOf(cluster, ranges) })
}

/** Without a spec the field is removed. */
export function rangeWrite(cluster: ClusterFacts, object: FelixObject, value: RangeText): string {
  const { name } = object
  try {
    const { metadata, spec } = setRange(object, value, apiOf(cluster))
    const copy = metadata.annotations[copyKey]
    if (typeof copy === 'string' && isPrivate(copy))
      return `${kubectl(cluster)} edit ${onFelix(cluster, name)}   # ${rangeAnnotation}: ${JSON.stringify(value.annotation)}, once among the annotations and once inside ${copyKey}, which contains other annotations too`
    return patchCommand(cluster, name, { metadata: { annotations: metadata.annotations }, ...(spec && { spec }) })
  } catch {
    return `The annotation projectcalico.org/metadata of FelixConfiguration/${name} is not JSON; fix it first (${kubectl(cluster)} edit ${onFelix(cluster, name)}).`
  }
}

/**
 * A list with more items than Calico's API accepts, or one that an operator cannot read, is written to the annotation
 * only.
 */
const specOf = ({ install, calico }: ClusterFacts, ranges: readonly PortRange[]): { spec?: (number | string)[] } => {
  const items = formatRanges(ranges).map((it) => (it.includes(':') ? it : Number(it)))
  return items.length <= specItemsMax && specMayBeWritten(install, calico) ? { spec: items } : {}
}

/** The manifest for Git. */
export function rangeManifest(cluster: ClusterFacts, name: string, ranges: readonly PortRange[]): string {
  const { spec } = specOf(cluster, ranges)
  return [
    `apiVersion: ${apiOf(cluster)}`,
    'kind: FelixConfiguration',
    'metadata:',
    // A line break in a name must not start a new line in a command that is pasted into a shell.
    `  name: ${/^[\w.-]+$/.test(name) ? name : JSON.stringify(name)}`,
    '  annotations:',
    `    ${rangeAnnotation}: ${JSON.stringify(annotationValue(ranges))}`,
    ...(spec ? ['spec:', `  kubeNodePortRanges: ${JSON.stringify(spec)}`] : []),
  ].join('\n')
}

const felixPrefix = 'FelixConfiguration/'

/** The name in `FelixConfiguration/NAME`. */
export const felixName = (object: string): string | undefined =>
  object.startsWith(felixPrefix) ? object.slice(felixPrefix.length) : undefined

/**
 * Sets a parameter in the layer that decides it now (`default` if none does). It uses the annotation, which takes
 * precedence over the spec and accepts values, such as large masks, that the spec field may reject.
 */
export function parameterChange(
  cluster: ClusterFacts,
  layer: ParameterLayer | undefined,
  { parameter, value }: { parameter: string; value: string },
): string {
  const name = layer ? felixName(layer.object) : 'default'
  const annotations = { [`config.projectcalico.org/${parameter}`]: value }
  if (name !== undefined && (!layer || felixObject(cluster, name)))
    return patchCommand(cluster, name, { metadata: { annotations } })
  if (layer?.kind === 'file')
    return `Set ${parameter}=${value} in /etc/calico/felix.cfg on the node and restart its calico-node pod.`
  return environmentChange(
    cluster,
    layer?.object.replace(/^env /, '') ?? `FELIX_${parameter.toUpperCase()}`,
    `=${value}`,
  )
}

/** `change`: `-` removes the variable, `=VALUE` sets it. */
export function environmentChange(cluster: ClusterFacts, name: string, change: string): string {
  const [set] = cluster.calicoSets
  const place = set
    ? `-n ${quoted(set.namespace)} daemonset/${quoted(set.name)}`
    : '-n kube-system daemonset/calico-node'
  return `${kubectl(cluster)} set env ${place} -c calico-node ${quoted(name + change)}   # rolls calico-node; a variable from envFrom is changed in its ConfigMap`
}

export const rolloutRestart = (cluster: ClusterFacts, set: { namespace: string; name: string }): string =>
  `${kubectl(cluster)} -n ${quoted(set.namespace)} rollout restart daemonset/${quoted(set.name)}`
