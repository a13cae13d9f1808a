import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import type { LabCluster } from '../../lab/cluster.ts'
import { useControlPlane } from '../control-planes/use.ts'
import { startEmbedded } from '../../lab/embedded/start.ts'
import type { ClusterSpec } from '../../lab/fixtures/cluster-spec.ts'
import { populate } from '../../lab/fixtures/populate.ts'
import type { Json } from './behaviour.ts'
import { prepare } from './objects.ts'

const spec: ClusterSpec = {
  nodes: [
    { name: 'a' },
    { name: 'b', maxPods: 58 },
    { name: 'f', computeType: 'fargate' },
    { name: 'w', os: 'windows' },
  ],
  kubernetesVersion: '1.36.3',
  kubeProxy: { mode: 'ipvs' },
  calico: { version: 'v3.28.2', install: 'operator' },
  services: [
    { metadata: { name: 'np', namespace: 'shop' }, spec: { type: 'NodePort', ports: [{ port: 80, nodePort: 30080 }] } },
  ],
}

const collections = {
  nodes: '/api/v1/nodes',
  pods: '/api/v1/pods',
  daemonsets: '/apis/apps/v1/daemonsets',
  'controller revisions': '/apis/apps/v1/controllerrevisions',
  configmaps: '/api/v1/namespaces/kube-system/configmaps?labelSelector=k8s-app%3Dkube-proxy',
  felixconfigurations: '/apis/crd.projectcalico.org/v1/felixconfigurations',
  clusterinformations: '/apis/crd.projectcalico.org/v1/clusterinformations',
  installations: '/apis/operator.tigera.io/v1/installations',
  services: '/api/v1/namespaces/shop/services',
}

/** Identities, times and what each server chooses by itself. */
const own = new Set(
  `uid resourceVersion creationTimestamp time lastTransitionTime lastHeartbeatTime startTime startedAt finishedAt clusterIP
  clusterIPs controller-revision-hash managedFields daemonEndpoints kubeProxyVersion`.split(/\s+/),
)
const generatedName = /^(kube-proxy|calico-node)-[a-z0-9]{5,}$/

/** The same for both servers where nothing but identities and times differs. */
const likened = (object: Json): Json =>
  JSON.parse(
    JSON.stringify(object, (key, value: unknown) => {
      if (own.has(key)) return undefined
      return key === 'name' && typeof value === 'string' && generatedName.test(value) && value !== 'kube-proxy-config'
        ? '…'
        : value
    }),
  )

const place = ({ metadata, spec, data }: Json): string =>
  [
    metadata.namespace,
    metadata.labels?.['k8s-app'],
    metadata.name,
    spec?.nodeName,
    Object.keys(data ?? {}).join(),
  ].join()

const objectsAt = async (cluster: LabCluster, path: string): Promise<Json[]> => {
  const { items } = (await cluster.request('GET', path)) as Json
  return items.map(likened).toSorted((a: Json, b: Json) => (place(a) < place(b) ? -1 : 1))
}

describe('a populated cluster', () => {
  const workdir = mkdtempSync(join(tmpdir(), 'populated-'))
  let real: LabCluster
  let embedded: LabCluster

  beforeAll(async () => {
    real = await useControlPlane({ name: 'real', workdir })
    embedded = await startEmbedded({ name: 'embedded', workdir })
    for (const cluster of [real, embedded]) {
      await prepare(cluster)
      await populate(cluster, spec)
    }
  })
  afterAll(async () => {
    await real?.stop()
    await embedded?.stop()
    rmSync(workdir, { recursive: true, force: true })
  })

  it.each(Object.entries(collections))(
    'holds the same %s on the real and on the embedded server',
    async (_name, path) => {
      const expected = await objectsAt(real, path)
      expect(expected).not.toEqual([])
      expect(await objectsAt(embedded, path)).toEqual(expected)
    },
  )
})
