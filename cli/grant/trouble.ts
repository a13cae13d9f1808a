import { awsEks, commandOn, kubectlOn, type ClusterAddress } from '../../shared/domain/findings/remedy.ts'
import { quoted } from '../../shared/domain/shell.ts'
import type { WantedEntry } from '../../shared/domain/grant/entries.ts'
import { mapRoles } from '../../shared/domain/grant/groups.ts'
import type { ReadFailure } from '../../shared/domain/read.ts'
import { isWithoutCredentials, loginFix } from '../target/login-fix.ts'
import type { Trouble } from './row.ts'

interface About {
  place: ClusterAddress
  what: string
  changes?: boolean
}

/** The failed call and the command that fixes it. */
export const troubleOf = (failure: ReadFailure, { place, what, changes = false }: About): Trouble => {
  const { kind, object, message } = failure
  const isAws = /^(?:eks|sts):/.test(object)
  const why = isAws ? `${object}: ${message}` : message
  const next = isAws ? awsNext(failure, place) : kubeNext(failure, place, changes)
  const isOfAll = !isAws && (kind === 'unauthenticated' || kind === 'unreachable')
  return { on: 'trouble', act: 'failed', what, why, next, ...(isOfAll && { isOfAll }) }
}

const awsNext = (failure: ReadFailure, place: ClusterAddress): string => {
  const { kind, object, message } = failure
  if (isWithoutCredentials(failure)) return loginFix(process.env['AWS_PROFILE'])
  if (kind === 'denied' && object.startsWith('eks:')) return policyFor(place)
  const principal = /invalid principal/i.test(message) || /principalArn/.test(message)
  if (object === 'eks:CreateAccessEntry' && principal)
    return 'aws iam list-roles --query Roles[].Arn --output text   # the role must exist before EKS accepts it'
  return commandOn(place, 'doctor')
}

/** Every call that grant makes. */
const calls = [
  'DescribeCluster',
  'DescribeAddon',
  'ListUpdates',
  'DescribeUpdate',
  'ListAccessEntries',
  'DescribeAccessEntry',
  'CreateAccessEntry',
  'UpdateAccessEntry',
  'DeleteAccessEntry',
  'ListAssociatedAccessPolicies',
  'TagResource',
]

const policyFor = ({ reachedBy }: ClusterAddress): string => {
  const Action = ['eks:ListClusters', ...calls.map((call) => `eks:${call}`)]
  const policy = JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action, Resource: '*' }] })
  const role = reachedBy?.role?.split('/').at(-1) ?? 'ROLE'
  return `aws iam put-role-policy --role-name ${quoted(role)} --policy-name calico-ipvs-sync-grant --policy-document ${quoted(policy)}`
}

const kubeNext = ({ kind }: ReadFailure, place: ClusterAddress, changes: boolean): string => {
  const apply = applyCommand(place, { changes })
  switch (kind) {
    case 'unauthenticated':
      return adminCommands(place, true)
    case 'denied':
      return `${adminCommands(place, false)}\n${apply}   # or run this as an administrator of the cluster`
    case 'unreachable':
    case 'unavailable':
    case 'malformed':
      return `${apply}   # from where its API server can be reached\n${commandOn(place, 'doctor')}`
  }
}

/** To create roles, an identity needs their permissions or must be an administrator. */
const adminCommands = (place: ClusterAddress, withEntry: boolean): string => {
  const { cluster, reachedBy } = place
  const partition = cluster.arn?.split(':')[1] ?? 'aws'
  const caller = quoted(reachedBy?.role ?? 'YOUR-ROLE-ARN')
  const on = (command: string) => awsEks(place, `${command} --cluster-name ${quoted(cluster.name)}`)
  const entry = `${on('create-access-entry')} --principal-arn ${caller}`
  const policy = `${on('associate-access-policy')} --principal-arn ${caller} --access-scope type=cluster --policy-arn arn:${partition}:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy`
  return withEntry ? `${entry}\n${policy}` : policy
}

/** Everything that the cluster needs, by kubectl. */
export const applyCommand = (place: ClusterAddress, { changes = false }: { changes?: boolean }): string =>
  `calico-ipvs-sync rbac${changes ? ' --changes' : ''} | ${kubectlOn(place)} apply -f -`

export const modeCommand = (place: ClusterAddress): string =>
  awsEks(
    place,
    `update-cluster-config --name ${quoted(place.cluster.name)} --access-config authenticationMode=API_AND_CONFIG_MAP`,
  )

interface Old {
  changes?: boolean
  remove?: boolean
}

/** Nothing is changed there: the owner must choose one of the ways. */
export const inOldMode = (place: ClusterAddress, wanted: readonly WantedEntry[], { changes, remove }: Old): Trouble => {
  const left = { on: 'trouble', act: 'left', what: 'access entries' } as const
  const mode = 'its authentication mode is CONFIG_MAP, in which EKS has no access entries'
  const edit = `${kubectlOn(place)} -n kube-system edit configmap aws-auth`
  if (remove)
    return {
      ...left,
      why: `${mode}; nothing was created, nothing is removed`,
      next: `${edit}   # if it maps our roles`,
    }
  return {
    ...left,
    why: `${mode}; nothing was done. Either change the mode, or map the roles in the ConfigMap aws-auth`,
    next: [
      `${modeCommand(place)}   # cannot be reverted: EKS does not let a cluster go back to CONFIG_MAP. Then run this again`,
      `${edit}   # or so: add to mapRoles`,
      mapRoles(wanted.map(({ principalArn, group }) => ({ principalArn, groups: [group] }))),
      `${applyCommand(place, changes === undefined ? {} : { changes })}   # and the permissions of the groups`,
    ].join('\n'),
  }
}

export const noEndpoint = (place: ClusterAddress, status: string): Trouble => ({
  on: 'trouble',
  act: 'failed',
  what: 'RBAC and guard',
  why: `the cluster has no API server endpoint yet (status ${status})`,
  next: awsEks(place, `wait cluster-active --name ${quoted(place.cluster.name)}`),
})

export const unknownCluster = (place: ClusterAddress): Trouble => ({
  on: 'trouble',
  act: 'failed',
  what: place.cluster.name,
  why: `there is no EKS cluster ${place.cluster.name} in ${place.cluster.region}`,
  next: awsEks(place, 'list-clusters'),
})

export const otherCluster = (place: ClusterAddress, arn: string): Trouble => ({
  on: 'trouble',
  act: 'failed',
  what: place.cluster.name,
  why: `EKS describes another cluster than the named one: ${arn}. Nothing was changed`,
  next: 'calico-ipvs-sync explain CLUSTER_IDENTITY',
})
