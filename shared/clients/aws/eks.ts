import { type Cluster, DescribeAddonCommand, DescribeClusterCommand, type EKSClient } from '@aws-sdk/client-eks'
import type { AddonState, EksState } from '../../domain/cluster.ts'
import { failed, type Read, read, valueOf } from '../../domain/read.ts'
import { deadlineMs, inTime } from './limits.ts'
import { awsFailure, isNotFound, noAnswer } from './failure.ts'
import { certificatesIn, fromBase64 } from '../certificates.ts'
import { updatesUnderWay } from './eks-updates.ts'
import { present } from '../foreign.ts'

/** The EKS API of one account and region. */
export interface EksClient {
  /** `undefined` inside: no such cluster (any more). */
  describe: (name: string) => Promise<Read<EksCluster | undefined>>
  /** The address of its API server; `undefined` inside: it has none. */
  server: (name: string) => Promise<Read<string | undefined>>
}

export interface EksCluster {
  state: EksState
  /** Absent while the cluster is being created. */
  endpoint?: EksEndpoint
  /** Authentication mode: `CONFIG_MAP` (aws-auth alone), `API_AND_CONFIG_MAP`, `API` (access entries alone). */
  authenticationMode?: string
}

export interface EksEndpoint {
  server: string
  caData: string
  /** The cluster id in a token: the name, on Outposts the id. */
  tokenFor: string
}

/** Two calls per cluster while nothing is being updated; all calls for one cluster share one deadline. */
export function eksClient(sdk: EKSClient): EksClient {
  return {
    describe: async (name) => {
      const began = Date.now()
      const [described, kubeProxyAddon] = await Promise.all([describeCluster(sdk, name), describeAddon(sdk, name)])
      if ('failure' in described) return described
      const cluster = described.value
      if (!cluster) return read(undefined)
      const status = { cluster: cluster.status ?? 'UNKNOWN', addon: valueOf(kubeProxyAddon)?.status }
      const updates = await updatesUnderWay(sdk, name, { ...status, ms: deadlineMs - (Date.now() - began) })
      const endpoint = endpointOf(cluster)
      const fault = endpoint && faultOf(endpoint)
      if (fault !== undefined) return failed({ kind: 'malformed', object: 'eks:DescribeCluster', message: fault })
      const authenticationMode = cluster.accessConfig?.authenticationMode
      return read({
        state: { ...stateOf(cluster), kubeProxyAddon, updates },
        ...(endpoint && { endpoint }),
        ...(authenticationMode && { authenticationMode }),
      })
    },
    server: async (name) => {
      const described = await describeCluster(sdk, name)
      return 'failure' in described ? described : read(described.value?.endpoint)
    },
  }
}

async function describeCluster(sdk: EKSClient, name: string): Promise<Read<Cluster | undefined>> {
  try {
    const { cluster } = await inTime('eks:DescribeCluster', (options) =>
      sdk.send(new DescribeClusterCommand({ name }), options),
    )
    if (!cluster) throw noAnswer('a cluster')
    return read(cluster)
  } catch (error) {
    return isNotFound(error) ? read(undefined) : failed(awsFailure(error, 'eks:DescribeCluster'))
  }
}

/** No such add-on: kube-proxy is self-managed, or there is none. */
async function describeAddon(sdk: EKSClient, clusterName: string): Promise<Read<AddonState | undefined>> {
  try {
    const { addon } = await inTime('eks:DescribeAddon', (options) =>
      sdk.send(new DescribeAddonCommand({ clusterName, addonName: 'kube-proxy' }), options),
    )
    if (!addon) throw noAnswer('an add-on')
    const { addonVersion: version, status = 'UNKNOWN', configurationValues } = addon
    return read(present<AddonState>({ version, status, configurationValues: configurationValues || undefined }))
  } catch (error) {
    return isNotFound(error) ? read(undefined) : failed(awsFailure(error, 'eks:DescribeAddon'))
  }
}

function stateOf(cluster: Cluster): Omit<EksState, 'kubeProxyAddon' | 'updates'> {
  return present<Omit<EksState, 'kubeProxyAddon' | 'updates'>>({
    status: cluster.status ?? 'UNKNOWN',
    version: cluster.version,
    arn: cluster.arn ?? '',
    createdAt: timeOf(cluster.createdAt),
    serviceNodePortRange: rangeOf(cluster),
    autoMode: cluster.computeConfig?.enabled ?? false,
    tags: cluster.tags ?? {},
  })
}

const timeOf = (at: Date | undefined): string | undefined =>
  at && Number.isFinite(at.getTime()) ? at.toISOString() : undefined

function rangeOf({ kubeApiServerConfig }: Cluster): EksState['serviceNodePortRange'] {
  const { minPort: min, maxPort: max } = kubeApiServerConfig?.serviceNodePortRange ?? {}
  return min === undefined || max === undefined ? undefined : { min, max }
}

function endpointOf({ endpoint: server, certificateAuthority, id, name }: Cluster): EksEndpoint | undefined {
  const caData = certificateAuthority?.data
  const tokenFor = id ?? name
  return server && caData && tokenFor ? { server, caData, tokenFor } : undefined
}

/** Why its certificate authority is invalid. */
function faultOf({ caData }: EksEndpoint): string | undefined {
  try {
    certificatesIn(fromBase64(caData))
    return undefined
  } catch (error) {
    return `certificateAuthority.data cannot be used: ${error instanceof Error ? error.message : 'not readable'}.`
  }
}
