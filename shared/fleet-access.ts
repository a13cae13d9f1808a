import { needTime } from './deadline.ts'
import { eksAccess, withRoleAnew } from './clients/aws/eks-access.ts'
import type { EksCluster } from './clients/aws/eks.ts'
import { kubeClient } from './clients/kube/open.ts'
import { keptClients } from './clients/kube/client-cache.ts'
import type { KubeClient } from './clients/kube/client.ts'
import type { ClusterState } from './domain/cluster.ts'
import { entrance, type FleetBounds, sessionName } from './domain/fleet.ts'
import { taken, type Traveller } from './domain/fleet-names.ts'
import { asked, saidOf } from './domain/incarnation.ts'
import { failureOf, valueOf, type Read, type ReadFailure } from './domain/read.ts'
import { clusterKey, type ClusterRef } from './messages.ts'
import { unobserved } from './workflows/observe/observation.ts'
import type { observe } from './workflows/observe/observe.ts'
import { withWebhookNodes } from './workflows/observe/webhooks.ts'

/**
 * The EKS API and Kubernetes API of a cluster by its name, with connections and tokens that are reused for later
 * messages.
 */
export interface FleetAccess {
  describe: (cluster: ClusterRef) => Promise<Read<EksCluster | undefined>>
  observe: (cluster: ClusterRef, eks: Read<EksCluster>) => Promise<ClusterState>
  /** Also reads facts that only planning needs. */
  forPlan: (cluster: ClusterRef, eks: Read<EksCluster>, state: ClusterState) => Promise<ClusterState>
  /**
   * For one step: all its reads share one budget. `undefined`: the cluster has no endpoint (yet), or EKS describes
   * another cluster.
   */
  kube: (cluster: ClusterRef, eks: EksCluster) => KubeClient | undefined
}

/** A slow server must not use up the function's time, because then no notice would be sent. */
const requestLimits = { connectMs: 5_000, idleMs: 5_000, deadlineMs: 10_000 }
/**
 * An observation may use a third of a function's 60 s and 1,024 MB, and its result a sixteenth: assessing, planning
 * and notifying need the rest. Five thousand nodes with their objects are 200 MiB, and a dozen logs as much again.
 */
const observationLimits = { ms: 20_000, bytes: 512 * 2 ** 20, kept: 64 * 2 ** 20 }
const forPlanning = { ...observationLimits, ms: 5_000 }
/** The time for the calls after an observation: about a dozen for records, notices and messages. */
const tellingMs = 15_000
/**
 * From a step's first read to its last, including the observation when a rollout begins; a step reads only a part of
 * the cluster.
 */
const stepLimits = { ms: 25_000, bytes: 256 * 2 ** 20, kept: 32 * 2 ** 20 }

/**
 * A role of a wrong account leads to a cluster of that account: nothing is read from it, because it would be recorded
 * for this one.
 */
const otherCluster: ReadFailure = {
  kind: 'malformed',
  object: 'Kubernetes',
  message: 'EKS describes another cluster than the requested one; no connection was made.',
}

/** With the kind of role that the function assumes in other accounts. `observing` loads what observes a cluster. */
export const fleetAccess = (
  fleet: FleetBounds,
  of: Traveller,
  observing: () => Promise<{ observe: typeof observe }>,
): FleetAccess => {
  const at = eksAccess()
  const kept = keptClients()
  const accessTo = (cluster: ClusterRef) => {
    const way = entrance(fleet, cluster.account, taken[of])
    if (!way)
      throw new Error(`${clusterKey(cluster)} is not accessed: the fleet has no ${taken[of]} role in its account.`)
    return at({ region: cluster.region, ...way, session: sessionName(fleet, of) })
  }
  const kube: FleetAccess['kube'] = (cluster, { state, endpoint }) => {
    if (!endpoint || !saidOf(cluster, state)) return undefined
    const version = JSON.stringify([state.createdAt, endpoint])
    return kept(clusterKey(cluster), version, () => kubeClient(accessTo(cluster).connection(endpoint), requestLimits))
  }
  return {
    kube: (cluster, eks) => {
      const client = kube(cluster, eks)
      return client && { ...client, ...client.within(stepLimits) }
    },
    forPlan: async (cluster, eks, state) => {
      const found = valueOf(eks)
      const client = found && kube(cluster, found)
      return client ? withWebhookNodes(client.within(forPlanning), state) : state
    },
    describe: (cluster) => withRoleAnew(() => accessTo(cluster).eks.describe(cluster.name)),
    observe: async (cluster, eks) => {
      // An observation that ends because the function has no time left must not count as a fault of the cluster.
      needTime(observationLimits.ms + tellingMs, 'an observation of the cluster')
      const found = valueOf(eks)
      const now = new Date()
      const state: Read<EksCluster['state']> = 'value' in eks ? { value: eks.value.state } : eks
      if (found && !saidOf(cluster, found.state)) {
        const comparison = asked(cluster, found.state)
        return unobserved({ identity: cluster, now, eks: state, comparison }, otherCluster)
      }
      const identity = { ...cluster, ...(found && { arn: found.state.arn }) }
      const client = found && kube(cluster, found)
      if (client) {
        const { observe } = await observing()
        return observe({ kube: client.within(observationLimits), identity, now, eks: state })
      }
      const why = failureOf(eks) ?? {
        kind: 'unavailable',
        object: 'endpoint',
        message: `The cluster has no endpoint; its status is ${found?.state.status}.`,
      }
      return unobserved({ identity, now, eks: state }, why)
    },
  }
}
