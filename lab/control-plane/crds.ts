import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import { isStatus } from '../admin-client.ts'
import { type KubernetesObject, readManifests, requireBinary } from '../binaries.ts'
import type { LabCluster } from '../cluster.ts'

type Requester = Pick<LabCluster, 'request'>

const definitions = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'

const listed = z.object({
  items: z.array(
    z.object({
      metadata: z.object({ name: z.string() }),
      status: z
        .object({ conditions: z.array(z.object({ type: z.string(), status: z.string() })).nullish() })
        .optional(),
    }),
  ),
})

/** Creates those that are not there yet, and waits until the API server serves them all. */
export async function installCrds(cluster: Requester, crds: KubernetesObject[]): Promise<void> {
  await Promise.all(crds.map((crd) => createIfAbsent(cluster, definitions, crd)))
  const wanted = new Set(crds.map((crd) => crd.metadata.name))
  for (;;) {
    const { items } = listed.parse(await cluster.request('GET', definitions))
    const served = items.filter(({ status }) =>
      status?.conditions?.some(({ type, status }) => type === 'Established' && status === 'True'),
    )
    if (served.filter(({ metadata }) => wanted.has(metadata.name)).length === wanted.size) return
    await sleep(20)
  }
}

/** The custom resources of Calico (`crd.projectcalico.org`) and of the Tigera operator, as they ship. */
export function installCalicoCrds(cluster: Requester): Promise<void> {
  const kubelab = requireBinary('kubelab')
  return installCrds(cluster, [...readManifests(kubelab, 'calico-crds'), ...readManifests(kubelab, 'operator-crds')])
}

export async function createIfAbsent(cluster: Requester, path: string, object: unknown): Promise<void> {
  try {
    await cluster.request('POST', path, object)
  } catch (error) {
    if (!isStatus(error, 409)) throw error
  }
}
