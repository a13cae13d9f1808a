import type { EksClient, EksEndpoint } from '../clients/eks.ts'
import type { KubeClient } from '../clients/kube-client.ts'
import type { ClusterState } from '../domain/cluster.ts'
import { failed, failureOf, read, type ReadFailure, valueOf } from '../domain/read.ts'
import { type ClusterRef, clusterKey } from '../messages.ts'
import { observe, type Observation, unobserved } from './observe.ts'

export interface EksObservation extends Pick<Observation, 'now' | 'deep'> {
  eks: EksClient
  cluster: ClusterRef
  connect: (endpoint: EksEndpoint) => KubeClient
}

/** Looks at a cluster by its name in EKS. `undefined`: EKS knows no such cluster (any more). */
export async function observeEks({
  eks,
  cluster,
  connect,
  now,
  deep = false,
}: EksObservation): Promise<ClusterState | undefined> {
  const described = await eks.describe(cluster.name)
  const found = valueOf(described)
  const { name, account, region } = cluster
  const identity = { name, account, region, ...(found && { arn: found.state.arn }) }
  const failure = failureOf(described)
  if (failure) return unobserved({ identity, now, eks: failed(failure) }, failure)
  if (!found) return undefined
  const whole = { identity, now, eks: read(found.state) }
  if (!found.endpoint) return unobserved(whole, noEndpoint(cluster, found.state.status))
  const kube = connect(found.endpoint)
  try {
    return await observe({ ...whole, kube, deep })
  } finally {
    kube.close()
  }
}

const noEndpoint = (cluster: ClusterRef, status: string): ReadFailure => ({
  kind: 'unreachable',
  object: 'Cluster',
  message: `${clusterKey(cluster)} has no API server yet (EKS says ${status}).`,
})
