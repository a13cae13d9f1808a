import type { KubeClient } from '../../../shared/clients/kube/client.ts'
import type { DaemonSetState, FelixObject, PodState } from '../../../shared/domain/cluster.ts'
import { valueOf } from '../../../shared/domain/read.ts'
import { felixObject } from '../../domain/states.ts'
import type { Party } from './call.ts'
import type { Cluster, Watch, Writer } from './cluster.ts'
import { writeFelix } from './felix.ts'
import { conflict, merged, notFound, putLease } from './lease.ts'
import { deletePod, nodeState } from './machines.ts'
import { requestsOf } from './requests.ts'
import type { Stage } from './stage.ts'

/** The Kubernetes API of one cluster as one party sees it. */
export const kubeOf = (
  stage: Stage,
  watch: Watch,
  { cluster, party }: { cluster: Cluster; party: Party },
): KubeClient => {
  /** The versions of the objects as this party last read them. */
  const versions = new Map<string, string>()
  const { reads, writes } = requestsOf(stage, { cluster, party })
  const writesFelix = <T>(what: string, name: string, effect: (writer: Writer) => T): Promise<T> => {
    watch.writes(cluster, name)
    return writes(`${what} ${name}`, effect)
  }
  const machines = () => [...cluster.machines.values()]
  const podsOf = (role: PodState['role']) =>
    machines().flatMap((it) => (role === 'kube-proxy' ? [it.proxy] : it.calico ? [it.calico] : []))
  const setNow = (set: DaemonSetState): DaemonSetState => {
    const pods = podsOf(set.role as PodState['role'])
    const ready = pods.filter((it) => it.ready).length
    const desired = machines().length
    const counts = { desired, current: pods.length, updated: pods.length, ready, unavailable: desired - ready }
    return { ...set, status: { ...set.status, ...counts } }
  }
  const store = (writer: Writer, name: string, after: FelixObject | undefined): void => {
    const isRead = cluster.felix.get(name)?.resourceVersion === versions.get(name)
    const object = writeFelix(stage, watch, { cluster, writer, name, after, isRead })
    if (object) versions.set(name, object.resourceVersion)
    else versions.delete(name)
  }
  const stored = (writer: Writer, name: string, after: FelixObject): FelixObject => {
    store(writer, name, after)
    return cluster.felix.get(name) ?? after
  }
  const { base } = cluster
  const client: KubeClient = {
    calls: () => 0,
    close: () => undefined,
    within: () => client,
    version: () => reads('version', () => valueOf(base.kubernetesVersion) ?? ''),
    apis: () => reads('apis', () => ['projectcalico.org/v3', 'crd.projectcalico.org/v1', 'operator.tigera.io/v1']),
    nodes: (name) =>
      reads('Nodes', () =>
        machines()
          .filter((it) => name === undefined || it.name === name)
          .map(nodeState),
      ),
    daemonSets: () => reads('DaemonSets', () => (valueOf(base.daemonSets) ?? []).map(setNow)),
    configMap: (namespace, name) =>
      reads(`ConfigMap/${namespace}/${name}`, () => valueOf(base.configMaps[`${namespace}/${name}`])),
    clusterInformation: () => reads('ClusterInformation/default', () => valueOf(base.clusterInformation)),
    installation: () => reads('Installation/default', () => valueOf(base.installation)),
    nodePorts: () => reads('Services', () => []),
    podLog: ({ role, name }) =>
      reads('log', () => {
        const pod = podsOf(role === 'kube-proxy' ? 'kube-proxy' : 'calico-node').find((it) => it.name === name)
        const at = pod?.startedAt ?? ''
        return role === 'kube-proxy' ? { mode: 'ipvs', at } : { felixIpvs: Date.parse(at) > cluster.modeChangedAt, at }
      }),
    podTail: ({ name }) => reads('log', () => [`${name}: no route to host`]),
    ipvsDeprecations: () => reads('Events', () => []),
    proxyMode: () => reads('proxyMode', () => 'ipvs'),
    webhooks: () => reads('webhooks', () => []),
    servingNodes: () => reads('EndpointSlices', () => []),
    mayI: () => reads('access', () => true),
    pods: ({ role }) => reads('Pods', () => podsOf(role)),
    felixConfigurations: (apis) =>
      reads('FelixConfigurations', () => {
        versions.clear()
        for (const { name, resourceVersion } of cluster.felix.values()) versions.set(name, resourceVersion)
        // An evaluation asks for all APIs, a step for that of its rollout.
        if (apis.length === 1) watch.looked(cluster)
        return {
          api: apis.includes('projectcalico.org/v3') ? 'projectcalico.org/v3' : 'crd.projectcalico.org/v1',
          objects: [...cluster.felix.values()],
        }
      }),
    lease: () => reads('Lease', () => cluster.lease),
    putLease: (change) => writes('writes the Lease', (writer) => putLease(stage, watch, { cluster, writer, change })),
    createFelix: (_api, { name, annotations = {}, spec }, { dryRun = false } = {}) => {
      const object = () =>
        felixObject({ name, uid: `uid-${name}-${cluster.versions}`, annotations, spec, createdAt: stage.iso() })
      if (dryRun) return writes(`tries ${name}`, object)
      return writesFelix('creates', name, (writer) => {
        if (cluster.felix.has(name)) throw conflict()
        return stored(writer, name, object())
      })
    },
    patchFelix: (_api, { name, resourceVersion, metadata, spec }, { dryRun = false } = {}) => {
      const found = (): FelixObject => {
        const object = cluster.felix.get(name)
        if (!object) throw notFound()
        // The server compares only what it is given.
        if (resourceVersion && object.resourceVersion !== resourceVersion) throw conflict()
        return object
      }
      if (dryRun) return writes(`tries ${name}`, found)
      return writesFelix('patches', name, (writer) => {
        const object = found()
        const annotations = merged(object.annotations, metadata?.annotations) as Record<string, string>
        return stored(writer, name, { ...object, annotations, spec: merged(object.spec, spec) })
      })
    },
    deleteFelix: (_api, { name, uid, resourceVersion }) =>
      writesFelix('deletes', name, (writer) => {
        const object = cluster.felix.get(name)
        if (!object) return false
        if (object.uid !== uid || (resourceVersion && object.resourceVersion !== resourceVersion)) throw conflict()
        store(writer, name, undefined)
        return true
      }),
    deletePod: ({ uid }) =>
      writes('deletes a pod', (writer) => {
        const machine = machines().find(({ calico }) => calico?.uid === uid)
        if (machine) deletePod(stage, watch, { cluster, writer, machine })
        return machine !== undefined
      }),
  }
  return client
}
