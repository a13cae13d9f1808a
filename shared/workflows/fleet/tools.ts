import type { Brake } from '../../clients/aws/brake.ts'
import type { EksCluster } from '../../clients/aws/eks.ts'
import type { FleetPermits } from '../../clients/aws/fleet-budget.ts'
import type { Health } from '../../clients/aws/health.ts'
import type { Queues } from '../../clients/aws/queues.ts'
import type { Records } from '../../clients/aws/records.ts'
import type { ClusterState } from '../../domain/cluster.ts'
import type { FleetBounds } from '../../domain/fleet.ts'
import type { Policy } from '../../domain/policy/policy.ts'
import type { Read } from '../../domain/read.ts'
import type { Log } from '../../log.ts'
import type { ClusterRef } from '../../messages.ts'
import type * as looking from './looking.ts'

/** One name for all instances: the queue lets only one of them work on a cluster at a time. */
export const deploymentHolder = 'calico-ipvs-sync (AWS Lambda)'

/** The clients and settings of `evaluate`. */
export interface EvaluateTools {
  fleet: FleetBounds
  describe: (cluster: ClusterRef) => Promise<Read<EksCluster | undefined>>
  observe: (cluster: ClusterRef, eks: Read<EksCluster>) => Promise<ClusterState>
  /** Reads facts that only planning needs; absent: the plan uses the observation only. */
  forPlan?: (cluster: ClusterRef, eks: Read<EksCluster>, state: ClusterState) => Promise<ClusterState>
  /** Loads what judges an observation. */
  looking: () => Promise<Pick<typeof looking, 'assess' | 'plan'>>
  records: Records
  queues: Queues
  policy: Policy
  /** Read before each evaluation; absent: the deployment has none. */
  brake?: Brake
  /** The fleet budget; absent: every cluster may be changed at any time. */
  permits?: FleetPermits
  /** The alarms that hold a rollout; absent: none. */
  health?: Health
  now: () => Date
  log: Log
}

/** The message as received. `receives`: the number of deliveries, including this one. */
export interface Received {
  messageId: string
  receives?: number
}
