import type { KubeReads } from '../../clients/kube/client.ts'
import { kubernetesMinor } from '../../domain/proxy-mode/kubernetes-minor.ts'
import type { ClusterState, ModeEvidence } from '../../domain/cluster.ts'
import { type RunningMode, runningModes } from '../../domain/proxy-mode/running.ts'
import { valueOf } from '../../domain/read.ts'

type Evidence = NonNullable<ClusterState['modeEvidence']>
type Found = [node: string, evidence: ModeEvidence][]

/**
 * Other evidence of kube-proxy's mode, read only if the logs are not conclusive. It is optional: a cluster without
 * such an Event, or without the permission, has no such evidence, and that is no failure.
 */
export async function observeModeEvidence(kube: KubeReads, state: ClusterState, deep: boolean): Promise<Evidence> {
  const running = [...runningModes(state).values()]
  const [events, answers] = await Promise.all([
    mayWarn(state) && running.some(({ mode }) => mode === 'unknown') ? fromEvents(kube, running) : [],
    deep ? fromProxies(kube, running) : [],
  ])
  const byNode = new Map<string, ModeEvidence[]>()
  for (const [node, evidence] of [...answers, ...events]) byNode.set(node, [...(byNode.get(node) ?? []), evidence])
  return Object.fromEntries(byNode)
}

/** kube-proxy warns of its IPVS mode from Kubernetes 1.35 on (kubernetes/kubernetes#134539). */
const mayWarn = (state: ClusterState): boolean => (kubernetesMinor(state) ?? 0) >= 35

async function fromEvents(kube: KubeReads, running: readonly RunningMode[]): Promise<Found> {
  const nodes = new Set(running.map(({ pod }) => pod.node))
  const said = valueOf(await kube.ipvsDeprecations()) ?? []
  return said.flatMap(({ node, mode, at }) => (nodes.has(node) ? [[node, { kind: 'event', mode, at }]] : []))
}

/**
 * The number of parallel requests. If none of a batch answers, the rest will not either: a firewall, or no
 * permission.
 */
const batch = 8

async function fromProxies(kube: KubeReads, running: readonly RunningMode[]): Promise<Found> {
  const open = running.flatMap(({ confidence, configuration, pod }) => {
    const port = configuration?.metricsPort
    return confidence === 'proven' || port === undefined || pod.startedAt === undefined ? [] : [{ pod, port }]
  })
  const found: Found = []
  for (let at = 0; at < open.length; at += batch) {
    const asked = open.slice(at, at + batch).map(async ({ pod, port }): Promise<Found> => {
      const mode = valueOf(await kube.proxyMode(pod, port))
      return mode ? [[pod.node, { kind: 'proxyMode', mode }]] : []
    })
    const answers = (await Promise.all(asked)).flat()
    if (answers.length === 0) break
    found.push(...answers)
  }
  return found
}
