import type { KubeClient } from '../../../shared/clients/kube/client.ts'
import type { DaemonSetState, PodState } from '../../../shared/domain/cluster.ts'
import { valueOf } from '../../../shared/domain/read.ts'
import { KubeError } from '../../../shared/errors.ts'
import type { Party } from './call.ts'
import type { Cluster, Watch } from './cluster.ts'
import { felixApiOf, servedBy } from './felix-api.ts'
import { putLease } from './lease.ts'
import { deletePod, nodeState } from './machines.ts'
import { requestsOf } from './requests.ts'
import type { Stage } from './stage.ts'

/** The Kubernetes API of one cluster as one party sees it. */
export const kubeOf = (
  stage: Stage,
  watch: Watch,
  { cluster, party }: { cluster: Cluster; party: Party },
): KubeClient => {
  const requests = requestsOf(stage, { cluster, party })
  const { reads, writes } = requests
  const machines = () => [...cluster.machines.values()]
  const podsOf = (role: PodState['role']) =>
    machines().flatMap((it) => (role === 'kube-proxy' ? [it.proxy] : it.calico ? [it.calico] : []))
  const setNow = (set: DaemonSetState): DaemonSetState => {
    const isCalico = set.role === 'calico-node'
    if (isCalico && cluster.trouble.daemonSet === 'unseen') return { ...set, status: uncounted }
    const pods = podsOf(set.role as PodState['role'])
    const ready = pods.filter((it) => it.ready).length
    const desired = machines().filter(({ tainted }) => !(isCalico && tainted)).length
    const counts = { desired, current: pods.length, updated: pods.length, ready, unavailable: desired - ready }
    return { ...set, status: { ...set.status, ...counts } }
  }
  const { base, nature } = cluster
  const client: KubeClient = {
    ...felixApiOf(stage, watch, { cluster, party, requests }),
    calls: () => 0,
    close: () => undefined,
    within: () => client,
    version: () => reads('version', () => valueOf(base.kubernetesVersion) ?? ''),
    apis: () => reads('apis', () => [...servedBy(cluster)]),
    nodes: (name) =>
      reads('Nodes', () =>
        machines()
          .filter((it) => (name === undefined ? !cluster.trouble.nodeless : it.name === name))
          .map(nodeState),
      ),
    daemonSets: () =>
      reads('DaemonSets', () => {
        const isThere = ({ role }: DaemonSetState) => role !== 'calico-node' || cluster.trouble.daemonSet !== 'gone'
        const sets = (valueOf(base.daemonSets) ?? []).filter(isThere).map(setNow)
        const moved = sets.filter(({ role }) => cluster.trouble.migrating && role === 'calico-node')
        return [...sets, ...moved.map((set) => ({ ...set, uid: `${set.uid}-old`, namespace: 'kube-system' }))]
      }),
    configMap: (namespace, name) =>
      reads(`ConfigMap/${namespace}/${name}`, () => {
        if (cluster.trouble.logless && cluster.trouble.logless !== 'alone')
          throw new KubeError('denied', 'ConfigMaps cannot be read', { status: 403 })
        return valueOf(base.configMaps[`${namespace}/${name}`])
      }),
    clusterInformation: () => reads('ClusterInformation/default', () => valueOf(base.clusterInformation)),
    installation: () => reads('Installation/default', () => valueOf(base.installation)),
    nodePorts: () => reads('Services', () => []),
    podLog: ({ role, name }) =>
      reads('log', () => {
        if (cluster.trouble.logless) throw new KubeError('denied', 'the log cannot be read', { status: 403 })
        const pod = podsOf(role === 'kube-proxy' ? 'kube-proxy' : 'calico-node').find((it) => it.name === name)
        const at = pod?.startedAt ?? ''
        return role === 'kube-proxy' ? { mode: 'ipvs', at } : { felixIpvs: Date.parse(at) > cluster.modeChangedAt, at }
      }),
    podTail: ({ name }) => reads('log', () => (cluster.trouble.logless ? [] : tailOf(name))),
    // Among them that of a node that has left.
    ipvsDeprecations: () =>
      reads('Events', () => {
        closeTo(cluster)
        const left = { node: 'node-gone', mode: 'ipvs', at: stage.iso() } as const
        return [left, ...podsOf('kube-proxy').map(({ node, startedAt = '' }) => ({ ...left, node, at: startedAt }))]
      }),
    proxyMode: () =>
      reads('proxyMode', () => {
        closeTo(cluster)
        return 'ipvs'
      }),
    webhooks: () => reads('webhooks', () => (nature.webhook ? [webhook] : [])),
    servingNodes: () => reads('EndpointSlices', () => [...cluster.machines.keys()].slice(0, 1)),
    mayI: () => reads('access', () => !cluster.trouble.denied),
    pods: ({ role, namespace }) =>
      reads('Pods', () => {
        // The Role in the operator's namespace is there as long as that is.
        if (nature.byManifest && namespace === 'calico-system')
          throw new KubeError('denied', 'pods cannot be listed there', { status: 403 })
        return cluster.trouble.podless ? [] : podsOf(role).filter(({ node }) => node !== cluster.trouble.unlisted)
      }),
    lease: () => reads('Lease', () => cluster.lease),
    putLease: (change) => {
      watch.leasing(cluster)
      return writes('writes the Lease', (writer) => putLease(stage, watch, { cluster, writer, change }))
    },
    deletePod: ({ uid }) =>
      writes('deletes a pod', (writer) => {
        const machine = machines().find(({ calico }) => calico?.uid === uid)
        if (machine) deletePod(stage, watch, { cluster, writer, machine })
        return machine !== undefined
      }),
  }
  return client
}

/** Where nothing beside the objects can be read. */
const closeTo = ({ trouble }: Cluster): void => {
  if (trouble.logless === 'and nothing else') throw new KubeError('denied', 'may not read it', { status: 403 })
}

/** What a DaemonSet says before its controller has looked at it. */
const uncounted = { observedGeneration: 0, desired: 0, current: 0, updated: 0, ready: 0, unavailable: 0 }

const webhook = {
  service: { namespace: 'policies', name: 'admission' },
  rules: [{ groups: ['*'], operations: ['CREATE', 'UPDATE'], resources: ['*/*'], scope: '*' }],
}

/** What Felix logs before it stops: a panic, with its stack. */
const tailOf = (name: string): string[] => [
  `${name}: no route to host`,
  `a long line ${'x'.repeat(300)}`,
  'panic: (*logrus.Entry) 0xc000',
  'goroutine 1 [running]:',
  'main.main()',
  '\t/go/src/felix/main.go:42 +0x1d',
  '',
]
