import type { Brake } from '../../../shared/clients/aws/brake.ts'
import type { EksCluster } from '../../../shared/clients/aws/eks.ts'
import type { Health } from '../../../shared/clients/aws/health.ts'
import type { KubeClient } from '../../../shared/clients/kube/client.ts'
import type { ClusterState } from '../../../shared/domain/cluster.ts'
import { asked, saidOf } from '../../../shared/domain/incarnation.ts'
import type { Found } from '../../../shared/domain/organization.ts'
import type { Place } from '../../../shared/domain/places.ts'
import { failed, type Read, read, valueOf } from '../../../shared/domain/read.ts'
import { clusterKey, type ClusterRef } from '../../../shared/messages.ts'
import type { Fleet as Settings } from '../../../shared/settings.ts'
import { unobserved } from '../../../shared/workflows/observe/observation.ts'
import { observe } from '../../../shared/workflows/observe/observe.ts'
import { withWebhookNodes } from '../../../shared/workflows/observe/webhooks.ts'
import { call, type Party } from './call.ts'
import type { Cluster, Watch } from './cluster.ts'
import type { Deployment } from './deployment.ts'
import { kubeOf } from './kube.ts'
import type { Stage } from './stage.ts'
import { errorsOf } from './table.ts'

/** The clusters by their key, as EKS has them: one that is made again takes the place of the earlier one. */
export type Clusters = Map<string, Cluster>

export interface Access {
  describe: (cluster: ClusterRef) => Promise<Read<EksCluster | undefined>>
  observe: (cluster: ClusterRef, eks: Read<EksCluster>) => Promise<ClusterState>
  forPlan: (cluster: ClusterRef, eks: Read<EksCluster>, state: ClusterState) => Promise<ClusterState>
  kube: (cluster: ClusterRef, eks: EksCluster) => KubeClient | undefined
}

export interface Fleet {
  /** Without the accounts that only the organization names. */
  configured: Settings
  clusters: Clusters
  /** Accounts whose roles are deleted, whose clusters cannot be listed, and that have left the organization. */
  roleless: Set<string>
  unlisted: Set<string>
  outside: Set<string>
  access: (party: Party) => Access
  list: (party: Party) => (place: Place) => Promise<Read<string[]> | undefined>
  brake: (party: Party) => Brake
  /** The alarms of `pauseOnAlarms`. */
  health: (party: Party) => Health
  /** The ids of the organization's accounts. */
  organization: (party: Party) => () => Promise<Read<Found>>
}

interface Given {
  places: [Place, ...Place[]]
  deployment: Deployment
  hasOrganization: boolean
}

/** EKS, the brake and the way into each cluster, as shared/fleet-access.ts does it. */
export const fleetOf = (stage: Stage, watch: Watch, { places, deployment, hasOrganization }: Given): Fleet => {
  const clusters: Clusters = new Map()
  const [{ account: own, region }] = places
  const accounts = places.map((it) => ({ account: it.account, regions: [it.region] }))
  // Half of them select its accounts by a tag.
  const selection = hasOrganization && stage.random.chance(0.5) ? { tag: { key: 'calico' } } : {}
  const configured: Settings = {
    own,
    regions: [region],
    // Of an organization only the deployment's own account is named.
    ...(hasOrganization ? { accounts: accounts.slice(0, 1), organization: selection } : { accounts }),
  }
  const reads = async <T>(party: Party, what: string, effect: () => T): Promise<Read<T>> => {
    try {
      return read(await call(stage, party, { what, isWrite: false, effect, errors: errorsOf('EKS') }))
    } catch (error) {
      const { name, message } = error as Error
      return failed({ kind: name === 'TimeoutError' ? 'unreachable' : 'unavailable', object: what, message })
    }
  }
  const [roleless, unlisted, outside] = [new Set<string>(), new Set<string>(), new Set<string>()]
  const denied = (object: string) =>
    failed<never>({ kind: 'denied', object, message: `not authorized to perform ${object}` })
  const accessOf = (party: Party): Access => {
    const kube: Access['kube'] = (ref, { state }) => {
      const cluster =
        saidOf(ref, state) &&
        known.find((it) => it.eks.createdAt === state.createdAt && clusterKey(it.ref) === clusterKey(ref))
      return cluster && kubeOf(stage, watch, { cluster, party })
    }
    return {
      kube,
      describe: async (ref) => {
        if (roleless.has(ref.account)) return denied('sts:AssumeRole')
        return reads(party, 'eks:DescribeCluster', () => {
          const cluster = clusters.get(clusterKey(ref))
          if (!cluster) return undefined
          if (!known.includes(cluster)) known.push(cluster)
          return { state: cluster.eks, endpoint: { server: '', caData: '', tokenFor: '' } }
        })
      },
      observe: async (ref, eks) => {
        const found = valueOf(eks)
        const now = party.now()
        const state = 'value' in eks ? { value: eks.value.state } : eks
        const identity = { ...ref, ...(found && { arn: found.state.arn }) }
        const failure = { kind: 'unavailable', object: 'endpoint', message: 'no endpoint' } as const
        if (!found) return unobserved({ identity, now, eks: state }, 'failure' in eks ? eks.failure : failure)
        const client = kube(ref, found)
        if (client) return observe({ kube: client, identity, now, eks: state })
        return unobserved({ identity, now, eks: state, comparison: asked(ref, found.state) }, failure)
      },
      forPlan: async (ref, eks, state) => {
        const found = valueOf(eks)
        const client = found && kube(ref, found)
        return client ? withWebhookNodes(client, state) : state
      },
    }
  }
  /** All that EKS ever described: a client may still have the address of an earlier one. */
  const known: Cluster[] = []
  return {
    configured,
    clusters,
    access: accessOf,
    roleless,
    unlisted,
    outside,
    list: (party) => async (place) => {
      if (roleless.has(place.account)) return hasOrganization ? undefined : denied('sts:AssumeRole')
      if (unlisted.has(place.account)) return denied('eks:ListClusters')
      return reads(party, 'eks:ListClusters', () =>
        [...clusters.values()]
          .filter(({ ref }) => ref.account === place.account && ref.region === place.region)
          .map(({ ref }) => ref.name),
      )
    },
    brake: (party) => ({
      read: async () => {
        const answer = await reads(party, 'ssm:GetParameter', () => deployment.brake.most)
        return 'value' in answer ? { most: answer.value } : { most: 'report', unreadable: answer.failure.message }
      },
      command: (to) => `aws ssm put-parameter --value ${to}`,
    }),
    organization: (party) => () =>
      reads(party, 'organizations:ListAccounts', () => {
        const all = places.map(({ account }) => account)
        const isThere = (account: string) => !outside.has(account)
        if (!('tag' in selection)) return { accounts: all.filter(isThere) }
        // Each sweep asks for the tags of some: of others nothing is known yet.
        const unasked = stage.faults.happens('an account is not asked for its tags', 0.2) ? all.slice(1) : []
        const asked = all.filter((account) => !unasked.includes(account))
        const answers = asked.map((account) => [account, isThere(account)] as const)
        return { accounts: asked.filter(isThere), tagging: { tag: 'calico', answers }, unasked }
      }),
    health: (party) => ({
      trouble: async () => {
        const answer = await reads(party, 'cloudwatch:DescribeAlarms', () => deployment.alarm.rings)
        if ('failure' in answer) return `CloudWatch did not return the alarms: ${answer.failure.message}`
        return answer.value ? 'the alarm checkout-errors rings' : undefined
      },
    }),
  }
}
