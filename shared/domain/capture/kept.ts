import type { ClusterState, ConfigMapState, NodeState } from '../cluster.ts'
import { ignoreKey } from './annotations.ts'
import { configMap } from './config-maps.ts'
import { felixObject } from './felix.ts'
import { only, present } from './fields.ts'
import { decidingLabels, nodeFields } from './nodes.ts'
import { daemonSet, pod } from './workloads.ts'
import { mapped, plainAll } from '../plain.ts'
import { keptAddonValues } from '../proxy-mode/addon.ts'
import type { Read } from '../read.ts'
import { ours } from '../rollout/annotations.ts'
import { withoutSecrets } from '../secrets.ts'

/**
 * Which parts of a state go into a file: those that verdict, findings and plan depend on, object by object and field by field, and
 * nothing else. The file gives the same verdict as the cluster. `docs/security.md` lists the fields; a new part of the state does not
 * compile until it is named here.
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
/** Keeps the reason if a section could not be read, otherwise the result of `keep`. */
const section =
  <T>(keep: (value: NonNullable<T>, state: ClusterState) => T) =>
  (it: Read<T>, state: ClusterState): Read<T> =>
    'failure' in it
      ? { failure: plainAll(it.failure) }
      : { value: it.value === undefined || it.value === null ? it.value : keep(it.value, state) }
const each = <T>(keep: (one: T, state: ClusterState) => T) =>
  section<T[]>((all, state) => all.map((one) => keep(one, state)))

const parts: {
  [K in keyof Required<ClusterState>]: (part: Part<K>, state: ClusterState) => Part<K>
} = {
  schemaVersion: whole,
  cluster: whole,
  observedAt: whole,
  identity: whole,
  reachedBy: whole,
  givenServiceRange: whole,
  probeFailure: plainAll,
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
