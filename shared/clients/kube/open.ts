import type { LogEvidence } from '../../domain/cluster.ts'
import { failed, type Read, read } from '../../domain/read.ts'
import { KubeError } from '../../errors.ts'
import type { KubeConnection } from './connection.ts'
import { exactTextMapOf, type Foreign, isObject, objectOf, objectsOf, textOf } from '../foreign.ts'
import { calicoPath, calicoVersionOf, felixConfigurations, installationOf } from './calico.ts'
import type { KubeClient, KubeReads, LoggingPod, PodsOf } from './client.ts'
import { daemonSetOf, ofTheCluster } from './daemon-sets.ts'
import type { ExchangeLimits } from './exchange.ts'
import { type KubeHttp, kubeHttp } from './http.ts'
import { leaseOf, leasePath } from './lease.ts'
import { list } from './list.ts'
import { felixLog, kubeProxyLog } from './logs.ts'
import { managedFieldsOf, metadataOf } from './metadata.ts'
import { ipvsDeprecations, proxyMode } from './mode-evidence.ts'
import { nodeOf, nodePortsOf } from './nodes.ts'
import { podReader } from './pods.ts'
import { failureFrom } from './refusal.ts'
import { servingNodes, webhooks } from './webhooks.ts'
import { accessReview, kubeWrites } from './writes.ts'

export function kubeClient(connection: KubeConnection, limits: Partial<ExchangeLimits> = {}): KubeClient {
  const http = kubeHttp(connection, limits)
  return {
    ...kubeReads(http),
    ...kubeWrites(http),
    within: (look) => kubeReads(http.within(look)),
    close: http.close,
  }
}

function kubeReads(http: KubeHttp): KubeReads {
  return {
    calls: http.calls,
    version: () => reading('version', async () => versionOf(await http.json({ method: 'GET', path: '/version' }))),
    apis: () => reading('apis', async () => groupVersions(await http.json({ method: 'GET', path: '/apis' }))),
    nodes: (name) =>
      reading('Nodes', () =>
        list(http, '/api/v1/nodes', name === undefined ? {} : { fieldSelector: `metadata.name=${name}` }, nodeOf),
      ),
    daemonSets: () =>
      reading('DaemonSets', async () => ofTheCluster(await list(http, '/apis/apps/v1/daemonsets', {}, daemonSetOf))),
    pods: (of) =>
      reading(`Pods of ${of.role} in ${of.namespace}`, () =>
        list(http, podsPath(of.namespace), selecting(of), podReader(of)),
      ),
    configMap: (namespace, name) =>
      reading(`ConfigMap/${namespace}/${name}`, () =>
        optional(http, namespaced(namespace, 'configmaps', name), configMapOf),
      ),
    felixConfigurations: (apis) => felixConfigurations(http, apis),
    clusterInformation: (apis) => {
      const path = calicoPath(apis, 'clusterinformations/default')
      return path === undefined
        ? none()
        : reading('ClusterInformation/default', () => optional(http, path, calicoVersionOf))
    },
    installation: (apis) =>
      apis.includes('operator.tigera.io/v1')
        ? reading('Installation/default', () =>
            optional(http, '/apis/operator.tigera.io/v1/installations/default', installationOf),
          )
        : none(),
    nodePorts: () =>
      reading('Services', async () => (await list(http, '/api/v1/services', holdingPorts, heldPorts)).flat()),
    podLog: (pod) => reading(`log of Pod/${pod.namespace}/${pod.name}`, () => podLog(http, pod)),
    podTail: (pod) => reading(`log of Pod/${pod.namespace}/${pod.name}`, () => podTail(http, pod)),
    ipvsDeprecations: () => reading('Events', () => ipvsDeprecations(http)),
    proxyMode: (pod, port) =>
      reading(`/proxyMode of Pod/${pod.namespace}/${pod.name}`, () => proxyMode(http, pod, port)),
    webhooks: () => reading('WebhookConfigurations', () => webhooks(http)),
    servingNodes: (service) =>
      reading(`EndpointSlices of Service/${service.namespace}/${service.name}`, () => servingNodes(http, service)),
    lease: () => reading('Lease', () => optional(http, leasePath, leaseOf)),
    mayI: (access) => reading('SelfSubjectAccessReview', () => accessReview(http, access)),
  }
}

const none = async () => read(undefined)

async function reading<T>(object: string, act: () => Promise<T>): Promise<Read<T>> {
  try {
    return read(await act())
  } catch (error) {
    return failed(failureFrom(error, object))
  }
}

async function optional<T>(http: KubeHttp, path: string, of: (it: Foreign) => T): Promise<T | undefined> {
  try {
    const answer = await http.json({ method: 'GET', path })
    if (isObject(answer) && isObject(answer['metadata'])) {
      const kept = of(answer)
      http.budget?.keep(path, kept)
      return kept
    }
    throw new KubeError('malformed', `The answer to ${path} is not an object.`)
  } catch (error) {
    if (error instanceof KubeError && error.kind === 'not-found') return undefined
    throw error
  }
}

const namespaced = (namespace: string, resource: string, name: string) =>
  `/api/v1/namespaces/${encodeURIComponent(namespace)}/${resource}/${encodeURIComponent(name)}`
const podsPath = (namespace: string) => `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods`
const selecting = ({ selector }: PodsOf) => ({
  labelSelector: Object.entries(selector)
    .map(([key, value]) => (typeof value === 'string' ? `${key}=${value}` : `${key} in (${value.join(',')})`))
    .join(','),
})

/** Services of type ClusterIP, the majority, have no node port: the server filters them out. */
const holdingPorts = { fieldSelector: 'spec.type!=ClusterIP' }
const heldPorts = (service: Foreign) => {
  const held = nodePortsOf(service)
  return held.length > 0 ? held : undefined
}

function versionOf(answer: unknown): string {
  const version = textOf(objectOf(answer)['gitVersion'])
  if (version !== undefined) return version
  throw new KubeError('malformed', 'The answer to /version has no version: is this a Kubernetes API server?')
}

function groupVersions(answer: unknown): string[] {
  if (!isObject(answer) || !Array.isArray(answer['groups']))
    throw new KubeError('malformed', 'The answer to /apis lists no groups.')
  return objectsOf(answer['groups']).flatMap((group) =>
    objectsOf(group['versions']).flatMap(({ groupVersion }) => textOf(groupVersion) ?? []),
  )
}

const configMapOf = (it: Foreign) => {
  const { createdAt, labels, annotations } = metadataOf(it)
  return { data: exactTextMapOf(it['data']), createdAt, managedFields: managedFieldsOf(it), labels, annotations }
}

/** kube-proxy's evidence is at the beginning of its log; Felix may restart at any time, so its whole log is read. */
const logBytes = { 'kube-proxy': 256 * 2 ** 10, 'calico-node': 16 * 2 ** 20, 'calico-node-windows': 0 }

/** Pods usually have one container; if there are more, the request must name the main container. */
async function podLog(http: KubeHttp, pod: LoggingPod): Promise<LogEvidence> {
  try {
    return await readLog(http, pod)
  } catch (error) {
    if (error instanceof KubeError && error.status === 400) return readLog(http, pod, pod.role)
    throw error
  }
}

/**
 * Felix logs its whole configuration in lines of 8 KiB, and the end of the log is needed. `limitBytes` would cut off
 * the end.
 */
async function podTail(http: KubeHttp, { namespace, name }: Pick<LoggingPod, 'namespace' | 'name'>): Promise<string[]> {
  let end = Buffer.alloc(0)
  let size = 0
  const consume = (piece: Buffer) => {
    size += piece.length
    end = Buffer.concat([end, piece]).subarray(-tailBytes)
    return size < tailRead
  }
  const path = `${namespaced(namespace, 'pods', name)}/log`
  const tail = (container?: string) =>
    http.stream({ method: 'GET', path, query: { container, tailLines: '40' }, accept: '*/*', consume })
  await tail('calico-node').catch((error: unknown) => {
    if (error instanceof KubeError && error.status === 400) return tail()
    throw error
  })
  const lines = http.hide(end.toString('utf8')).split('\n')
  // Half a line might contain half a secret, which would not be recognized.
  return (size > end.length ? lines.slice(1) : lines).filter(Boolean)
}

/** The size of the end of the log that is kept, and the limit for reading. */
const [tailBytes, tailRead] = [16 * 2 ** 10, 4 * 2 ** 20]

async function readLog(
  http: KubeHttp,
  { role, namespace, name, ended = false }: LoggingPod,
  container?: string,
): Promise<LogEvidence> {
  const reader = role === 'kube-proxy' ? kubeProxyLog({ ended }) : felixLog()
  const limit = logBytes[role]
  let size = 0
  const consume = (piece: Buffer) => {
    size += piece.length
    return reader.take(piece) && size < limit
  }
  const query = {
    container,
    timestamps: 'true',
    // The reason why a process ended is at the end of its log.
    ...(ended ? { previous: 'true', tailLines: '400' } : { limitBytes: String(limit) }),
  }
  await http.stream({
    method: 'GET',
    path: `${namespaced(namespace, 'pods', name)}/log`,
    query,
    accept: '*/*',
    consume,
  })
  const { line, ...evidence } = reader.evidence(size < limit)
  return line === undefined ? evidence : { ...evidence, line: http.hide(line) }
}
