import type { KubeClient, LeaseChange } from '../../../shared/clients/kube/client.ts'
import type { DaemonSetState, FelixObject, PodState } from '../../../shared/domain/cluster.ts'
import { failed, type Read, read, valueOf } from '../../../shared/domain/read.ts'
import { KubeError } from '../../../shared/errors.ts'
import { felixObject } from '../../domain/states.ts'
import { call, type Party } from './call.ts'
import { type Cluster, deletePod, nodeState, type Watch, type Writer, writeFelix } from './cluster.ts'
import type { Stage } from './stage.ts'

const conflict = () => new KubeError('conflict', 'the object has been modified', { status: 409, reason: 'Conflict' })
const errors = {
  throttled: () => new KubeError('unavailable', 'too many requests', { status: 429, retryAfterSeconds: 3 }),
  failed: () => new KubeError('unavailable', 'internal error', { status: 500 }),
  lost: () => new KubeError('unreachable', 'no answer within 8 s'),
}

const merged = (base: Record<string, unknown>, patch: Record<string, unknown> = {}): Record<string, unknown> =>
  Object.fromEntries(Object.entries({ ...base, ...patch }).filter(([, value]) => value !== null))

/** The Kubernetes API of one cluster as one party sees it. */
export const kubeOf = (
  stage: Stage,
  watch: Watch,
  { cluster, party }: { cluster: Cluster; party: Party },
): KubeClient => {
  const writer: Writer = { name: party.name, kind: party.kind }
  const ask = <T>(what: string, isWrite: boolean, effect: () => T): Promise<T> =>
    call(stage, party, {
      what: `Kubernetes ${what} ${cluster.ref.name}`,
      isWrite,
      errors,
      effect: () => {
        if (!cluster.exists) throw errors.lost()
        return effect()
      },
    })
  const reads = async <T>(object: string, effect: () => T): Promise<Read<T>> => {
    try {
      return read(await ask(`reads ${object}`, false, effect))
    } catch (error) {
      if (!(error instanceof KubeError) || (error.kind !== 'unreachable' && error.kind !== 'unavailable')) throw error
      const { kind, status, retryAfterSeconds, message } = error
      return failed({
        kind,
        object,
        message,
        ...(status && { status }),
        ...(retryAfterSeconds && { retryAfterSeconds }),
      })
    }
  }
  const writes = <T>(what: string, effect: () => T): Promise<T> => ask(what, true, effect)
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
  const stored = (name: string, after: FelixObject): FelixObject => {
    const object = writeFelix(stage, watch, { cluster, writer, name, after })
    if (!object) throw new Error('it was written')
    return object
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
      reads('FelixConfigurations', () => ({
        api: apis.includes('projectcalico.org/v3') ? 'projectcalico.org/v3' : 'crd.projectcalico.org/v1',
        objects: [...cluster.felix.values()],
      })),
    lease: () => reads('Lease', () => cluster.lease),
    putLease: (change) => writes('writes the Lease', () => putLease(stage, watch, { cluster, writer, change })),
    createFelix: (_api, { name, annotations = {}, spec }, { dryRun = false } = {}) =>
      writes(`${dryRun ? 'tries' : 'creates'} ${name}`, () => {
        if (!dryRun && cluster.felix.has(name)) throw conflict()
        const uid = `uid-${name}-${cluster.versions}`
        const object = felixObject({ name, uid, annotations, spec, createdAt: stage.iso() })
        return dryRun ? object : stored(name, object)
      }),
    patchFelix: (_api, { name, resourceVersion, metadata, spec }, { dryRun = false } = {}) =>
      writes(`${dryRun ? 'tries' : 'patches'} ${name}`, () => {
        const object = cluster.felix.get(name)
        // The server compares only what it is given.
        if (!object || (resourceVersion && object.resourceVersion !== resourceVersion)) throw conflict()
        if (dryRun) return object
        const annotations = merged(object.annotations, metadata?.annotations) as Record<string, string>
        return stored(name, { ...object, annotations, spec: merged(object.spec, spec) })
      }),
    deleteFelix: (_api, { name, uid, resourceVersion }) =>
      writes(`deletes ${name}`, () => {
        const object = cluster.felix.get(name)
        if (!object) return false
        if (object.uid !== uid || object.resourceVersion !== resourceVersion) throw conflict()
        writeFelix(stage, watch, { cluster, writer, name, after: undefined })
        return true
      }),
    deletePod: ({ uid }) =>
      writes('deletes a pod', () => {
        const machine = machines().find(({ calico }) => calico?.uid === uid)
        if (machine) deletePod(stage, watch, { cluster, writer, machine })
        return machine !== undefined
      }),
  }
  return client
}

export const putLease = (
  stage: Stage,
  watch: Watch,
  { cluster, writer, change }: { cluster: Cluster; writer: Writer; change: LeaseChange },
) => {
  const { lease: before } = cluster
  if (before?.resourceVersion !== change.resourceVersion) throw conflict()
  const { holder: old, ...rest } = before ?? { annotations: {} }
  const holder = change.holder === undefined ? old : change.holder
  cluster.versions += 1
  const after = {
    ...rest,
    resourceVersion: `${cluster.versions}`,
    annotations: merged(rest.annotations, change.annotations) as Record<string, string>,
    ...(holder && { holder }),
    ...(change.renewedAt && { renewedAt: change.renewedAt }),
    ...(change.leaseSeconds && { leaseSeconds: change.leaseSeconds }),
  }
  cluster.lease = after
  const said = (it: typeof before) => `${it?.annotations['calico-ipvs-sync/state'] ?? '-'} (${it?.holder ?? 'nobody'})`
  if (said(before) !== said(after))
    stage.note(writer.name, `${cluster.ref.name}: Lease ${said(before)} -> ${said(after)}`)
  watch.leased(cluster, writer, before)
  return after
}
