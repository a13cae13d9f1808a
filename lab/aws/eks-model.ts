import { randomUUID } from 'node:crypto'
import type { PortSpan } from '../cluster.ts'
import { AwsError } from './aws-error.ts'

/** Times on the wire are seconds since 1970. Members are those of the EKS API; what a member holds beyond that is opaque here. */
export interface Cluster {
  name: string
  arn: string
  version: string
  platformVersion: string
  status: 'ACTIVE' | 'UPDATING' | 'DELETING' | 'CREATING' | 'FAILED'
  endpoint: string
  certificateAuthority: { data: string }
  createdAt: number
  roleArn: string
  tags: Record<string, string>
  accessConfig: { authenticationMode: string }
  kubeApiServerConfig?: { serviceNodePortRange?: { minPort: number; maxPort: number } }
  [member: string]: unknown
}

export interface Addon {
  addonName: string
  clusterName: string
  addonVersion: string
  status: 'ACTIVE' | 'CREATING' | 'UPDATING' | 'DELETING' | 'CREATE_FAILED' | 'UPDATE_FAILED' | 'DELETE_FAILED'
  addonArn: string
  createdAt: number
  modifiedAt: number
  tags: Record<string, string>
  health: { issues: unknown[] }
  configurationValues?: string
}

export interface AccessEntry {
  clusterName: string
  principalArn: string
  accessEntryArn: string
  kubernetesGroups: string[]
  username: string
  type: string
  tags: Record<string, string>
  createdAt: number
  modifiedAt: number
  /** ARNs of access policies that are associated with it. */
  policies: string[]
}

export interface Update {
  id: string
  status: 'InProgress' | 'Successful' | 'Failed' | 'Cancelled'
  type: string
  params: { type: string; value: string }[]
  createdAt: number
  errors: { errorCode: string; errorMessage: string; resourceIds: string[] }[]
}

/** What EKS keeps for one cluster. `addonName` of an update is not on the wire: it is the key under which it is found. */
export interface Holding {
  account: string
  region: string
  cluster: Cluster
  addons: Map<string, Addon>
  accessEntries: Map<string, AccessEntry>
  updates: { addonName?: string; update: Update }[]
}

/** A cluster to begin with. Account and region default to the lab's; no node-port range means none was ever set. */
export interface ClusterSeed {
  name: string
  endpoint: string
  /** PEM in base64. */
  caData: string
  account?: string
  region?: string
  version?: string
  nodePortRange?: PortSpan
  tags?: Record<string, string>
  addons?: { name: string; version: string; configurationValues?: string }[]
  accessEntries?: {
    principalArn: string
    kubernetesGroups?: string[]
    username?: string
    type?: string
    tags?: Record<string, string>
  }[]
  /** Further members of DescribeCluster's answer, such as `computeConfig`. */
  more?: Record<string, unknown>
}

export interface Place {
  account: string
  region: string
}

export const now = (): number => Date.now() / 1000

export function holdingOf(seed: ClusterSeed, lab: Place): Holding {
  const { account = lab.account, region = lab.region } = seed
  const holding: Holding = {
    account,
    region,
    cluster: clusterOf(seed, { account, region }),
    addons: new Map(),
    accessEntries: new Map(),
    updates: [],
  }
  for (const { name, version, configurationValues } of seed.addons ?? [])
    holding.addons.set(name, { ...newAddon(holding, name, version, configurationValues), status: 'ACTIVE' })
  for (const { principalArn, ...given } of seed.accessEntries ?? [])
    holding.accessEntries.set(principalArn, newAccessEntry(holding, principalArn, given))
  return holding
}

function clusterOf(seed: ClusterSeed, { account, region }: Place): Cluster {
  const { name, endpoint, caData, version = '1.36', nodePortRange, tags = {}, more } = seed
  return {
    name,
    arn: `arn:aws:eks:${region}:${account}:cluster/${name}`,
    version,
    platformVersion: 'eks.1',
    status: 'ACTIVE',
    endpoint,
    certificateAuthority: { data: caData },
    createdAt: now(),
    roleArn: `arn:aws:iam::${account}:role/eks-cluster`,
    tags: { ...tags },
    accessConfig: { authenticationMode: 'API_AND_CONFIG_MAP' },
    resourcesVpcConfig: { endpointPublicAccess: true, endpointPrivateAccess: true, publicAccessCidrs: ['0.0.0.0/0'] },
    kubernetesNetworkConfig: { serviceIpv4Cidr: '10.96.0.0/12', ipFamily: 'ipv4' },
    ...more,
    ...(nodePortRange && {
      kubeApiServerConfig: { serviceNodePortRange: { minPort: nodePortRange.min, maxPort: nodePortRange.max } },
    }),
  }
}

export function newAddon({ cluster, account, region }: Holding, name: string, version: string, values?: string): Addon {
  return {
    addonName: name,
    clusterName: cluster.name,
    addonVersion: version,
    status: 'CREATING',
    addonArn: `arn:aws:eks:${region}:${account}:addon/${cluster.name}/${name}/${randomUUID()}`,
    createdAt: now(),
    modifiedAt: now(),
    tags: {},
    health: { issues: [] },
    ...(values !== undefined && { configurationValues: values }),
  }
}

export function newAccessEntry(
  { cluster, account, region }: Holding,
  principalArn: string,
  given: { kubernetesGroups?: string[]; username?: string; type?: string; tags?: Record<string, string> },
): AccessEntry {
  return {
    clusterName: cluster.name,
    principalArn,
    accessEntryArn: `arn:aws:eks:${region}:${account}:access-entry/${cluster.name}/role/${account}/${principalArn.split('/').at(-1)}/${randomUUID()}`,
    kubernetesGroups: given.kubernetesGroups ?? [],
    username: given.username ?? principalArn,
    type: given.type ?? 'STANDARD',
    tags: { ...given.tags },
    createdAt: now(),
    modifiedAt: now(),
    policies: [],
  }
}

const statuses: Record<string, number> = {
  AccessDeniedException: 403,
  InvalidParameterException: 400,
  InvalidRequestException: 400,
  ResourceInUseException: 409,
  ResourceNotFoundException: 404,
  ServerException: 500,
  ServiceUnavailableException: 503,
  ThrottlingException: 429,
}

/** An error with the HTTP status that the EKS API gives it. */
export function eksError(code: string, message: string, fields: Record<string, string> = {}): AwsError {
  return new AwsError(code, statuses[code] ?? 400, message, fields)
}
