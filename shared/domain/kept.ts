import type {
  ClusterState,
  ConfigMapState,
  DaemonSetState,
  EnvVar,
  FelixObject,
  ManagedFields,
  NodeState,
  PodState,
} from './cluster.ts'
import { goLower } from './felix/go.ts'
import { parameterNames } from './felix/params.ts'
import { specFields } from './felix/spec-fields.ts'
import { foreignSettings, ignoreKey, keptAnnotations, keptLabels } from './kept-annotations.ts'
import { keptConfig } from './kept-config.ts'
import { leftOut, mapped, plainAll } from './plain.ts'
import { configuredBy, keptCommand } from './proxy-mode/configured.ts'
import { keptAddonValues } from './proxy-mode/addon.ts'
import type { Read } from './read.ts'
import { valueOf } from './read.ts'
import { rangeAnnotation, ours } from './rollout/annotations.ts'
import { isMarked } from './rollout/marks.ts'
import { withoutSecrets } from './secrets.ts'

/**
 * What of a state goes into a file: what the verdict, the findings and the plan go by, object by object and field by field, and
 * nothing else. Judged from the file the cluster is what it was. `docs/security.md` lists it; a new part of the state is decided on here, or it does not compile.
 */
export const kept = (state: ClusterState): ClusterState =>
  mapped(
    Object.fromEntries(
      Object.entries(parts).flatMap(([name, keep]) => {
        const part = state[name as keyof ClusterState]
        return part === undefined ? [] : [[name, (keep as Keep)(part, state)]]
      }),
    ),
    withoutSecrets,
  ) as ClusterState

type Keep = (part: unknown, state: ClusterState) => unknown
type Part<K extends keyof ClusterState> = NonNullable<ClusterState[K]>

const whole = <T>(it: T): T => it
/** Of a section that could not be read, why; of one that could, what `keep` keeps. */
const section =
  <T>(keep: (value: NonNullable<T>, state: ClusterState) => T) =>
  (it: Read<T>, state: ClusterState): Read<T> =>
    'failure' in it
      ? { failure: plainAll(it.failure) }
      : { value: it.value === undefined || it.value === null ? it.value : keep(it.value, state) }
const each = <T>(keep: (one: T, state: ClusterState) => T) =>
  section<T[]>((all, state) => all.map((one) => keep(one, state)))

const parts: { [K in keyof Required<ClusterState>]: (part: Part<K>, state: ClusterState) => Part<K> } = {
  schemaVersion: whole,
  cluster: whole,
  observedAt: whole,
  identity: whole,
  givenServiceRange: whole,
  eks: section(({ status, version, arn, createdAt, serviceNodePortRange, autoMode, kubeProxyAddon, updates, tags }) =>
    present({
      status,
      version,
      arn,
      createdAt,
      serviceNodePortRange,
      autoMode,
      kubeProxyAddon:
        'failure' in kubeProxyAddon
          ? kubeProxyAddon
          : { value: kubeProxyAddon.value && keptAddon(kubeProxyAddon.value) },
      updates,
      tags: only(tags, (key) => key === 'calico-ipvs-sync'),
    }),
  ),
  kubernetesVersion: section(whole<string>),
  nodes: section<NodeState[]>((all, state) => {
    const decides = decidingLabels(state)
    return all.map(({ labels, calicoLabels, ...it }) => ({
      ...nodeFields(it),
      labels: only(labels, decides),
      ...(calicoLabels && { calicoLabels: only(calicoLabels, decides) }),
    }))
  }),
  daemonSets: each(daemonSet),
  pods: each(pod),
  configMaps: (all, state) =>
    Object.fromEntries(
      Object.entries(all).map(([id, it]) => [
        id,
        section<ConfigMapState | undefined>((map) => configMap(id, map, state))(it, state),
      ]),
    ),
  felix: section(({ api, nativeV3, v3Failure, objects }) =>
    present({ api, nativeV3, v3Failure: v3Failure && plainAll(v3Failure), objects: objects.map(felixObject) }),
  ),
  clusterInformation: section<{ calicoVersion?: string } | undefined>((it) =>
    present({ calicoVersion: it.calicoVersion }),
  ),
  installation: section<ClusterState['installation'] extends Read<infer T> ? T : never>(
    ({ calicoVersion, linuxDataplane, cniType, variant, annotations }) =>
      present({
        calicoVersion,
        linuxDataplane,
        cniType,
        variant,
        annotations: only(annotations, (key) => key === ignoreKey),
      }),
  ),
  nodePorts: each(({ port, service, field, protocol }) => present({ port, service, field, protocol })),
  logs: (all, state) =>
    Object.fromEntries(
      Object.entries(all).map(([id, it]) => [
        id,
        section<Part<'logs'>[string] extends Read<infer T> ? T : never>(plainAll)(it, state),
      ]),
    ),
  modeEvidence: whole,
  webhookNodes: section(whole<string[]>),
  rollout: section<ClusterState['rollout'] extends Read<infer T> ? T : never>(
    ({ resourceVersion, holder, renewedAt, leaseSeconds, annotations }) =>
      present({
        resourceVersion,
        holder,
        renewedAt,
        leaseSeconds,
        annotations: only(annotations, (key) => key.startsWith(ours)),
      }),
  ),
}

const keptAddon = ({
  version,
  status,
  configurationValues,
}: {
  version?: string
  status: string
  configurationValues?: string
}) => present({ version, status, configurationValues: configurationValues && keptAddonValues(configurationValues) })

const nodeFields = ({
  name,
  createdAt,
  ready,
  readySince,
  unschedulable,
  taints,
  podsMax,
  kubeletVersion,
  kernelVersion,
}: Omit<NodeState, 'labels' | 'calicoLabels'>) =>
  present({ name, createdAt, ready, readySince, unschedulable, taints, podsMax, kubeletVersion, kernelVersion })

/** Of a kind, a zone or a group of nodes; and those that a selector names. */
const knownLabels: readonly string[] = [
  'kubernetes.io/os',
  'beta.kubernetes.io/os',
  'eks.amazonaws.com/compute-type',
  'eks.amazonaws.com/nodegroup',
  'topology.kubernetes.io/zone',
  'type',
  'liqo.io/type',
]
function decidingLabels(state: ClusterState): (key: string) => boolean {
  const sets = valueOf(state.daemonSets) ?? []
  const named = new Set([
    ...knownLabels,
    ...sets.flatMap(({ nodeSelector = {}, affinity = [] }) => [
      ...Object.keys(nodeSelector),
      ...affinity.flatMap(({ labels }) => labels.map(({ key }) => key)),
    ]),
  ])
  const selectors = (valueOf(state.felix)?.objects ?? []).flatMap(({ spec }) =>
    typeof spec['nodeSelector'] === 'string' ? [spec['nodeSelector']] : [],
  )
  const asked = new Map<string, boolean>()
  return (key) => {
    const known = asked.get(key) ?? (named.has(key) || selectors.some((selector) => selector.includes(key)))
    asked.set(key, known)
    return known
  }
}

function daemonSet(it: DaemonSetState): DaemonSetState {
  const {
    role,
    namespace,
    name,
    uid,
    generation,
    createdAt,
    updateStrategy,
    selector,
    nodeSelector,
    affinity,
    tolerations,
    status,
  } = it
  const { image, env, envFrom } = it.template
  return present({
    role,
    namespace,
    name,
    uid,
    generation,
    createdAt,
    updateStrategy,
    selector,
    nodeSelector,
    affinity,
    tolerations,
    status,
    labels: {},
    annotations: only(it.annotations, (key) => key === ignoreKey),
    template: {
      image,
      command: keptCommand(it),
      env: keptEnv(env),
      envFrom,
      configMapMounts: keptMounts(it),
      annotations: {},
    },
    managedFields: keptFields(it.managedFields, [['f:spec', 'f:template', 'f:spec']]),
  })
}

/** Only the mounts that kube-proxy's configuration file may come from. */
const keptMounts = ({ role, template }: DaemonSetState): DaemonSetState['template']['configMapMounts'] =>
  role === 'kube-proxy'
    ? template.configMapMounts.filter(({ configMap }) => configMap === configuredBy({ template })?.configMap)
    : []

function pod(it: PodState): PodState {
  const {
    role,
    namespace,
    name,
    uid,
    node,
    daemonSet,
    revision,
    image,
    flags,
    createdAt,
    startedAt,
    ready,
    readySince,
    deletedAt,
    restartCount,
    waiting,
  } = it
  return present({
    role,
    namespace,
    name,
    uid,
    node,
    daemonSet,
    revision,
    image,
    flags,
    createdAt,
    startedAt,
    ready,
    readySince,
    deletedAt,
    restartCount,
    waiting,
    env: keptEnv(it.env),
    envFrom: it.envFrom,
  })
}

const isVariable = (name: string): boolean =>
  /^felix_/i.test(name) && parameterNames.has(goLower(name).slice('felix_'.length))

/** Felix's parameters that decide, and what their values are put together from. */
function keptEnv(env: EnvVar[]): EnvVar[] {
  const names = new Set(env.map(({ name }) => name).filter(isVariable))
  for (let known = -1; known < names.size; ) {
    known = names.size
    for (const { name, value = '' } of env)
      if (names.has(name)) for (const [, other = ''] of value.matchAll(/\$\(([^)]*)\)/g)) names.add(other)
  }
  return env.filter(({ name }) => names.has(name)).map(({ name, value, from }) => present({ name, value, from }))
}

function configMap(
  id: string,
  { data, createdAt, managedFields }: ConfigMapState,
  state: ClusterState,
): ConfigMapState {
  const sets = (valueOf(state.daemonSets) ?? []).filter(({ namespace }) => id.startsWith(`${namespace}/`))
  const name = id.slice(id.indexOf('/') + 1)
  const config = new Set(sets.filter(({ role }) => role === 'kube-proxy').flatMap((set) => configKeys(set, name, data)))
  const variables = variableKeys(sets, name, state)
  const texts = Object.entries(data).flatMap(([key, text]) =>
    config.has(key) ? [[key, keptConfig(text)]] : variables(key) ? [[key, text]] : [],
  )
  return {
    data: Object.fromEntries(texts),
    createdAt,
    managedFields: keptFields(
      managedFields,
      [...config].map((key) => ['f:data', `f:${key}`]),
    ),
    labels: {},
    annotations: {},
  }
}

function configKeys({ template }: DaemonSetState, name: string, data: Record<string, string>): string[] {
  const place = configuredBy({ template })
  const keys = Object.keys(data)
  if (place?.configMap !== name) return []
  return place.key === undefined ? (keys.length === 1 ? keys : []) : [place.key]
}

/** Keys that calico-node's variables are taken from: by name, or all at once, which makes a variable of each. */
function variableKeys(sets: DaemonSetState[], name: string, state: ClusterState): (key: string) => boolean {
  const templates = sets.filter(({ role }) => role === 'calico-node').map(({ template }) => template)
  const pods = (valueOf(state.pods) ?? []).filter(({ role }) => role === 'calico-node')
  const sources = [...new Set([...templates, ...pods].map(({ env, envFrom }) => ({ env, envFrom })))]
  const named = new Set(
    sources.flatMap(({ env }) =>
      keptEnv(env).flatMap(({ from }) => (from && 'configMap' in from && from.configMap === name ? [from.key] : [])),
    ),
  )
  const prefixes = new Set(
    sources.flatMap(({ envFrom }) =>
      envFrom.flatMap((it) => ('configMap' in it && it.configMap === name ? [it.prefix ?? ''] : [])),
    ),
  )
  return (key) => named.has(key) || [...prefixes].some((prefix) => isVariable(prefix + key))
}

const isKnown = (field: string): boolean => specFields.has(field)

/** Whether an override of ours holds more than we wrote is seen by what it holds, whatever that is. */
const masked = (spec: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(spec).map(([field, value]) => [field, isKnown(field) ? value : leftOut]))

function felixObject(it: FelixObject): FelixObject {
  const { name, uid, resourceVersion, createdAt } = it
  return {
    name,
    uid,
    resourceVersion,
    createdAt,
    labels: keptLabels(it.labels),
    annotations: { ...(isMarked(it) && foreignSettings(it.annotations)), ...keptAnnotations(it.annotations) },
    spec: isMarked(it) ? masked(it.spec) : only(it.spec, isKnown),
    managedFields: keptFields(it.managedFields, [
      ['f:spec', 'f:kubeNodePortRanges'],
      ['f:metadata', 'f:annotations', `f:${rangeAnnotation}`],
    ]),
  }
}

/** Who wrote the fields that are asked about, and when. */
const keptFields = (all: readonly ManagedFields[], paths: string[][]): ManagedFields[] =>
  all.flatMap(({ manager, operation, time, fields }) => {
    const owned = paths.filter((path) => has(fields, path))
    return owned.length === 0 ? [] : [present({ manager, operation, time, fields: owned.reduce(withPath, {}) })]
  })

type Fields = Record<string, unknown>
const has = (fields: unknown, [step, ...rest]: string[]): boolean =>
  step === undefined ||
  (typeof fields === 'object' && fields !== null && Object.hasOwn(fields, step) && has((fields as Fields)[step], rest))

const withPath = (fields: Fields, [step, ...rest]: string[]): Fields =>
  step === undefined ? fields : { ...fields, [step]: withPath((fields[step] ?? {}) as Fields, rest) }

const only = <T>(all: Record<string, T>, wanted: (key: string) => boolean): Record<string, T> =>
  Object.fromEntries(Object.entries(all).filter(([key]) => wanted(key)))

/** Leaves out what has no value. */
function present<T extends object>(it: { [K in keyof T]: T[K] | undefined }): T
function present(it: object): object {
  return Object.fromEntries(Object.entries(it).filter(([, value]) => value !== undefined))
}
