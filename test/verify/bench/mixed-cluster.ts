import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import type { LabCluster } from '../../../lab/cluster.ts'
import type { Fragment, NodeSpec } from '../../../lab/fixtures/cluster-spec.ts'
import { configText, kubeProxyConfigMaps, kubeProxyDaemonSets } from '../../../lab/fixtures/kube-proxy.ts'
import { kubeProxyLog, setPodLogs } from '../../../lab/fixtures/pod-logs.ts'
import { populate } from '../../../lab/fixtures/populate.ts'
import { untilSettled } from '../../../lab/fixtures/settle.ts'
import { calicoVersions, defaultRange, type MixedNode, overrides, selectorRanges } from './mixed-plan.ts'

const kubernetesVersion = '1.36.3'
const rangeKey = 'config.projectcalico.org/KubeNodePortRanges'
const proxyLabel = 'example.com/proxy'
const tierLabel = 'example.com/tier'
const calicoNode = '/apis/apps/v1/namespaces/kube-system/daemonsets/calico-node'
const pods = '/api/v1/namespaces/kube-system/pods'
const mergePatch = 'application/merge-patch+json'
const strategicMerge = 'application/strategic-merge-patch+json'

/** Makes the cluster that was drawn: two kube-proxies, three versions of Calico side by side, configurations of every layer. */
export async function makeMixedCluster(cluster: LabCluster, nodes: readonly MixedNode[]): Promise<void> {
  await populate(cluster, {
    nodes: nodes.map(nodeSpec),
    kubernetesVersion,
    calico: { version: calicoVersions[0], install: 'manifest', updateStrategy: 'OnDelete' },
    felixConfigurations: felixConfigurations(nodes),
  })
  await startProxies(cluster, nodes)
  for (const version of calicoVersions.slice(1)) await upgrade(cluster, version, nodes)
}

const nodeSpec = ({ name, kind, pool, tier }: MixedNode): NodeSpec => ({
  name,
  os: kind === 'windows' ? 'windows' : 'linux',
  computeType: kind === 'windows' ? 'ec2' : kind,
  labels: { [proxyLabel]: pool, ...(tier && { [tierLabel]: tier }) },
})

function felixConfigurations(nodes: readonly MixedNode[]): Fragment[] {
  const own = nodes.flatMap(({ name, override }): Fragment[] => {
    if (!override) return []
    const given = overrides[override]
    return [
      'annotation' in given
        ? { metadata: { name: `node.${name}`, annotations: { [rangeKey]: given.annotation } }, spec: {} }
        : { metadata: { name: `node.${name}` }, spec: { kubeNodePortRanges: given.spec } },
    ]
  })
  const selecting = Object.entries(selectorRanges).map(([tier, range]) => ({
    metadata: { name: tier, annotations: { [rangeKey]: range } },
    spec: { nodeSelector: `${tierLabel} == '${tier}'` },
  }))
  return [{ metadata: { name: 'default', annotations: { [rangeKey]: defaultRange } }, spec: {} }, ...selecting, ...own]
}

/** One DaemonSet a pool. Both mount the same ConfigMap, in which each has a key of its own. */
async function startProxies(cluster: LabCluster, nodes: readonly MixedNode[]): Promise<void> {
  const [configMap] = kubeProxyConfigMaps({ mode: 'ipvs' })
  const data = { ipvs: configText('ipvs'), iptables: configText('iptables') }
  const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata: configMap?.metadata, data }
  await cluster.request('POST', '/api/v1/namespaces/kube-system/configmaps', object)
  const daemonSets = kubeProxyDaemonSets({ mode: 'ipvs', extraDaemonSets: ['kube-proxy-2'] }, kubernetesVersion)
  await Promise.all(
    (['ipvs', 'iptables'] as const).map(async (mode, at) => {
      const daemonSet = structuredClone(daemonSets[at])
      const podSpec = daemonSet?.spec?.template.spec
      if (!daemonSet || !podSpec) return
      podSpec.nodeSelector = { [proxyLabel]: mode }
      for (const container of podSpec.containers)
        container.command = ['kube-proxy', `--config=/var/lib/kube-proxy-config/${mode}`]
      await cluster.request('POST', '/apis/apps/v1/namespaces/kube-system/daemonsets', daemonSet)
      const wanted = nodes.filter(({ kind, pool }) => kind === 'ec2' && pool === mode).length
      const named = { namespace: 'kube-system', name: daemonSet.metadata?.name ?? '' }
      await untilSettled(cluster, named, { pods: wanted, timeout: 120_000 })
    }),
  )
}

const podList = z.object({
  items: z.array(
    z.object({
      metadata: z.object({ name: z.string() }),
      spec: z.object({ nodeName: z.string().default('') }),
      status: z.object({ conditions: z.array(z.object({ type: z.string(), status: z.string() })).default([]) }),
    }),
  ),
})

const podsOf = async (cluster: LabCluster, app: string): Promise<z.infer<typeof podList>['items']> =>
  podList.parse(await cluster.request('GET', `${pods}?labelSelector=k8s-app%3D${app}`)).items

/** The new template first, then the pods of the nodes that have it, as `OnDelete` wants. */
async function upgrade(cluster: LabCluster, version: string, nodes: readonly MixedNode[]): Promise<void> {
  const containers = [{ name: 'calico-node', image: `docker.io/calico/node:${version}` }]
  await cluster.request('PATCH', calicoNode, { spec: { template: { spec: { containers } } } }, strategicMerge)
  const upgraded = new Set(nodes.filter(({ calico }) => calico === version).map(({ name }) => name))
  const before = await podsOf(cluster, 'calico-node')
  const old = before.filter(({ spec }) => upgraded.has(spec.nodeName))
  await Promise.all(old.map(({ metadata }) => cluster.request('DELETE', `${pods}/${metadata.name}`)))
  const gone = new Set(old.map(({ metadata }) => metadata.name))
  for (const until = Date.now() + 120_000; Date.now() < until; await sleep(100)) {
    const now = await podsOf(cluster, 'calico-node')
    const ready = now.filter(({ metadata, status }) => !gone.has(metadata.name) && status.conditions.some(isReady))
    if (ready.length === before.length) return
  }
  throw new Error(`calico-node ${version} did not come up in two minutes`)
}

const isReady = ({ type, status }: { type: string; status: string }): boolean => type === 'Ready' && status === 'True'

/** The second pool's kube-proxy is told IPVS, and no pod is restarted: only their logs know what they run. */
export async function tellSecondPoolIpvs(cluster: LabCluster): Promise<void> {
  const running = (await podsOf(cluster, 'kube-proxy-2')).map(({ metadata }) => metadata.name)
  await setPodLogs(
    cluster,
    { namespace: 'kube-system', container: 'kube-proxy', pods: running },
    kubeProxyLog('iptables'),
  )
  const path = '/api/v1/namespaces/kube-system/configmaps/kube-proxy-config?fieldManager=kubectl-edit'
  await cluster.request('PATCH', path, { data: { iptables: configText('ipvs') } }, mergePatch)
}

/** Pods that have nothing to do with the question, as heavy as usual ones. */
export async function addOtherPods(
  cluster: LabCluster,
  nodes: readonly MixedNode[],
  { first, count }: { first: number; count: number },
): Promise<void> {
  const containers = Array.from({ length: 3 }, (_, at) => ({
    name: `c${at}`,
    image: `registry.example.com/team/app-${at}:1.2.3`,
    env: Array.from({ length: 20 }, (_, it) => ({
      name: `VARIABLE_${it}`,
      value: `value ${it} of something or other`,
    })),
  }))
  for (let at = first; at < first + count; at += 200) {
    const batch = Array.from({ length: Math.min(200, first + count - at) }, (_, it) => at + it)
    await Promise.all(
      batch.map((index) => {
        const metadata = { name: `app-${index}`, labels: { app: `app-${index % 50}` } }
        const spec = { nodeName: nodes[index % nodes.length]?.name, containers }
        return cluster.request('POST', pods, { apiVersion: 'v1', kind: 'Pod', metadata, spec })
      }),
    )
  }
}
