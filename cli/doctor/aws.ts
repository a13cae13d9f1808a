import type { STSClient } from '@aws-sdk/client-sts'
import { awsEks, type Place } from '../../shared/domain/findings/remedy.ts'
import { quoted } from '../../shared/domain/shell.ts'
import type { Read } from '../../shared/domain/read.ts'
import type { EksCluster } from '../../shared/clients/aws/eks.ts'
import type { EksPlace } from '../../shared/clients/aws/eks-access.ts'
import { bounded, inTime, limited } from '../../shared/clients/aws/limits.ts'
import { HopFailure, type Walk } from './hop.ts'

export interface AwsPlace extends EksPlace {
  /** Absent: to be found by `describe`. */
  name?: string | undefined
  /** A cluster that is not there is a failure. */
  describe: () => Promise<Read<EksCluster>>
}

/** The identity that AWS sees, and what the EKS API says of the cluster. */
export const tryAws = async (
  { take, leaveOut }: Walk,
  { name = 'NAME', region, roleArn: role, as, describe }: AwsPlace,
): Promise<{ eks: EksCluster; arn: string } | undefined> => {
  const profile = as?.profile
  const own: Place = { cluster: { name, region }, ...(profile !== undefined && { reachedBy: { profile } }) }
  const { STSClient } = await import('@aws-sdk/client-sts')
  const sts = bounded(new STSClient({ region, ...limited, maxAttempts: 2, ...(as && { credentials: as.credentials }) }))
  await take(
    'credentials',
    async () => {
      const { accessKeyId } = await inTime('The source of credentials', () => sts.config.credentials())
      return {
        detail: `access key …${accessKeyId.slice(-4)}${as ? `, of the kubeconfig's ${as.profile === undefined ? 'keys' : `profile ${as.profile}`}` : ''}`,
        value: true,
      }
    },
    `aws sso login${profile === undefined ? '   # or: export AWS_PROFILE=NAME, or: aws configure' : ` --profile ${quoted(profile)}   # or: aws configure --profile ${quoted(profile)}`}`,
  )
  const arn = await take(
    'STS',
    () => identity(sts),
    `aws sts get-caller-identity --region ${quoted(region)}${profile === undefined ? '' : ` --profile ${quoted(profile)}`}   # a clock that is off, expired credentials, or no way to sts.${region}.amazonaws.com`,
  )
  const caller = arn ?? 'YOUR-ARN'
  const assumed = await (role === undefined ? undefined : take('role', () => assume(sts, role), roleFix(role, caller)))
  if (role === undefined) leaveOut('role', 'none is to be assumed')
  const eks = await take(
    'EKS API',
    async () => {
      const described = await describe()
      if ('failure' in described) {
        const { message, kind, object, status } = described.failure
        const isListed = status === 404 || object === 'eks:ListClusters'
        throw new HopFailure(message, isListed && kind !== 'denied' ? awsEks(own, 'list-clusters') : eksFix(kind, own))
      }
      const { value } = described
      return { detail: `${value.state.arn} is ${value.state.status}`, value }
    },
    eksFix('unreachable', own),
  )
  return eks && { eks, arn: assumed ?? caller }
}

const identity = async (sts: STSClient) => {
  const { GetCallerIdentityCommand } = await import('@aws-sdk/client-sts')
  const { Arn = 'nobody' } = await sts.send(new GetCallerIdentityCommand({}))
  return { detail: Arn, value: Arn }
}

const assume = async (sts: STSClient, role: string) => {
  const { assumeRole } = await import('../../shared/clients/aws/credentials.ts')
  await assumeRole(sts, { roleArn: role })()
  return { detail: `${role} can be assumed`, value: role }
}

const roleFix = (role: string, own: string): string => {
  const statement = { Effect: 'Allow', Principal: { AWS: own }, Action: 'sts:AssumeRole' }
  const trust = JSON.stringify({ Version: '2012-10-17', Statement: [statement] })
  const name = role.split('/').at(-1) ?? role
  return `aws iam update-assume-role-policy --role-name ${quoted(name)} --policy-document ${quoted(trust)}   # replaces the trust policy; and ${own} needs sts:AssumeRole on ${role}`
}

const eksFix = (kind: string, place: Place): string => {
  const { name, region } = place.cluster
  if (kind !== 'denied')
    return `${awsEks(place, `describe-cluster --name ${quoted(name)}`)}   # no way to eks.${region}.amazonaws.com, or wrong credentials`
  const policy = JSON.stringify({
    Version: '2012-10-17',
    Statement: [
      {
        Effect: 'Allow',
        Action: ['eks:DescribeCluster', 'eks:DescribeAddon', 'eks:ListUpdates', 'eks:DescribeUpdate'],
        Resource: '*',
      },
    ],
  })
  return `aws iam put-role-policy --role-name ROLE --policy-name calico-ipvs-sync --policy-document ${quoted(policy)}`
}
