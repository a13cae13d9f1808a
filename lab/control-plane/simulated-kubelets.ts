import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { type KubernetesObject, readManifests } from '../binaries.ts'
import type { LabCluster } from '../cluster.ts'
import { readyDelayAnnotation } from '../fixtures/calico-node.ts'
import { createIfAbsent, installCrds } from './crds.ts'

/** KWOK resources the lab uses: how pods and nodes go through their lives, and what their logs say. */
const used = new Set(['stages.kwok.x-k8s.io', 'logs.kwok.x-k8s.io', 'clusterlogs.kwok.x-k8s.io'])

/** Prepares a cluster for KWOK. It must be there before KWOK starts, and the Node stage before any node, or no pod is ever played. */
export async function prepareKwok(cluster: Pick<LabCluster, 'request'>, kubelab: string): Promise<void> {
  const crds = readManifests(kubelab, 'kwok-crds').filter(({ metadata }) => used.has(metadata.name))
  await installCrds(cluster, crds)
  const nodes = readManifests(kubelab, 'kwok-node-stages').map(adopting)
  const pods = readManifests(kubelab, 'kwok-pod-stages').map(delayed)
  const stages = [...nodes, ...pods]
  await Promise.all(stages.map((stage) => createIfAbsent(cluster, '/apis/kwok.x-k8s.io/v1alpha1/stages', stage)))
}

/**
 * KWOK's own stage selects nodes that are not Ready. This one selects nodes without a kubelet port: the lab creates its nodes with
 * everything except that port, which KWOK sets. So a node that a test makes NotReady stays NotReady.
 */
function adopting(stage: KubernetesObject): KubernetesObject {
  const port = { key: '.status.daemonEndpoints.kubeletEndpoint.Port | select(. != 0)', operator: 'DoesNotExist' }
  return { ...stage, spec: { ...stage.spec, selector: { matchExpressions: [port] } } }
}

/** KWOK's own stages, but a pod's readiness waits as long as its annotation asks. */
function delayed(stage: KubernetesObject): KubernetesObject {
  if (stage.metadata.name !== 'pod-ready') return stage
  const jq = { expression: `.metadata.annotations["${readyDelayAnnotation}"]` }
  const delay = { durationMilliseconds: 0, durationFrom: { jq } }
  return { ...stage, spec: { ...stage.spec, delay } }
}

/** KWOK's own configuration; answers the file. */
export function writeKwokConfig(folder: string): string {
  const file = join(folder, 'kwok.yaml')
  const options = {
    enableDebuggingHandlers: true,
    enableCRDs: ['Stage', 'Logs', 'ClusterLogs'],
    podPlayStageParallelism: 16,
    nodePlayStageParallelism: 16,
  }
  writeFileSync(file, stringify({ apiVersion: 'config.kwok.x-k8s.io/v1alpha1', kind: 'KwokConfiguration', options }))
  return file
}
