import { loginFix } from '../target/login-fix.ts'
import type { STSClient } from '@aws-sdk/client-sts'
import { awsEks, type ClusterAddress } from '../../shared/domain/findings/remedy.ts'
import { quoted } from '../../shared/domain/shell.ts'
import type { AccessEntry } from '../../shared/domain/grant/entries.ts'
import type { Read } from '../../shared/domain/read.ts'
import type { EksCluster } from '../../shared/clients/aws/eks.ts'
import type { EksPlace } from '../../shared/clients/aws/eks-access.ts'
import { bounded, inTime, limited } from '../../shared/clients/aws/limits.ts'
import { serviceHost } from '../../shared/domain/partitions.ts'
import { proxyEnvironment, ProxyError, proxyFor, proxyName } from '../../shared/clients/proxy.ts'
import { HopFailure, type Walk } from './hop.ts'
import { proxyFix, tunnel, unusableProxyFix } from './proxy.ts'
import { sdkOptions } from '../target/sdk-options.ts'

export interface AwsPlace extends EksPlace {
  /** Absent: `describe` finds it. */
  name?: string | undefined
  /** Fails where the cluster does not exist. */
  describe: () => Promise<Read<EksCluster>>
}

/** The identity that AWS sees, what the EKS API says of the cluster, and whether EKS lets that identity in. */
export const tryAws = async (
  { take, leaveOut }: Walk,
  { name = 'NAME', region, roleArn: role, as, describe }: AwsPlace,
): Promise<Entered | undefined> => {
  const profile = as?.profile
  const own: ClusterAddress = { cluster: { name, region }, ...(profile !== undefined && { reachedBy: { profile } }) }
  const { STSClient } = await import('@aws-sdk/client-sts')
  const sts = bounded(
    new STSClient({
      region,
      ...limited,
      ...(await sdkOptions()),
      maxAttempts: 2,
      ...(as && { credentials: as.credentials }),
    }),
  )
  await take(
    'credentials',
    async () => {
      const { accessKeyId } = await inTime('The source of credentials', () => sts.config.credentials())
      return {
        detail: `access key …${accessKeyId.slice(-4)}${as ? `, of the kubeconfig's ${as.profile === undefined ? 'keys' : `profile ${as.profile}`}` : ''}`,
        value: true,
      }
    },
    loginFix(profile),
  )
  await tryProxy(take, region)
  let isRefused = false
  const arn = await take(
    'STS',
    () =>
      identity(sts).catch((error: unknown) => {
        isRefused = (error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode !== undefined
        if (error instanceof Error && error.name.startsWith('ExpiredToken'))
          throw new HopFailure(error.message, loginFix(profile))
        throw error
      }),
    `aws sts get-caller-identity --region ${quoted(region)}${profile === undefined ? '' : ` --profile ${quoted(profile)}`}   # a clock that is off, expired credentials, or no way to ${serviceHost('sts', region)}`,
    ['credentials', 'AWS proxy'],
  )
  const caller = arn ?? 'YOUR-ARN'
  // Credentials that STS refuses are refused by EKS too. If STS is only unreachable, EKS may still answer.
  const needs = ['credentials', 'AWS proxy', ...(isRefused ? ['STS'] : [])]
  const assumed = await (role === undefined
    ? undefined
    : take('role', () => assume(sts, role), roleFix(role, roleArnOf(caller)), [...needs, 'STS']))
  if (role === undefined) leaveOut('role', 'none is to be assumed')
  const principal = roleArnOf(assumed ?? caller)
  return take(
    'EKS API',
    async () => {
      const described = await describe()
      if ('failure' in described) {
        const { message, kind, object, status } = described.failure
        const isListed = status === 404 || object === 'eks:ListClusters'
        throw new HopFailure(message, isListed && kind !== 'denied' ? awsEks(own, 'list-clusters') : eksFix(kind, own))
      }
      const eks = described.value
      const { arn: clusterArn, status } = eks.state
      const { authenticationMode: mode } = eks
      const entry =
        arn === undefined && role === undefined
          ? undefined
          : await entryOf({ region, roleArn: role, as }, eks, principal)
      const value = { eks, principal, ...(mode !== undefined && { mode }), ...(entry && { entry }) }
      return { detail: [`${clusterArn} is ${status}`, ...entranceText(value)].join(', '), value }
    },
    eksFix('unreachable', own),
    [...needs, 'role'],
  )
}

const eksHost = (region: string): string => serviceHost('eks', region)

/** `false`: HTTPS_PROXY names a proxy that cannot be used, and no client of AWS works without it. Reports this as hops that failed. */
export const isAwsProxyUsable = async ({ take }: Walk, region: string): Promise<boolean> => {
  try {
    proxyEnvironment(process.env)
    return true
  } catch (error) {
    if (!(error instanceof ProxyError)) throw error
    const fix = unusableProxyFix(error, { host: eksHost(region) })
    await take('AWS proxy', () => Promise.reject(error), fix, ['proxy'])
    for (const hop of ['credentials', 'STS', 'EKS API'])
      await take(hop, () => Promise.reject(error), fix, ['AWS proxy'])
    return false
  }
}

/** Whether HTTPS_PROXY lets us through to AWS, asked once for all its services. */
const tryProxy = async (take: Walk['take'], region: string): Promise<void> => {
  const host = eksHost(region)
  const proxy = proxyFor(`https://${host}`, process.env)
  if (!proxy) return
  const fix = proxyFix(proxy, { host })
  const connected = async () => {
    const socket = await tunnel(proxy, `${host}:443`, fix)
    socket.destroy()
    return { detail: `${proxyName(proxy)} connects to ${host}`, value: true }
  }
  await take('AWS proxy', connected, fix.reach)
}

/** How EKS decides who is let into the cluster, and what it says of the identity. */
export interface Entered {
  eks: EksCluster
  /** Of a session the role. */
  principal: string
  mode?: string
  /** Absent: it was not asked for. */
  entry?: Read<AccessEntry | undefined>
}

const entryOf = async (place: EksPlace, eks: EksCluster, principal: string): Promise<Entered['entry']> => {
  if (eks.authenticationMode === 'CONFIG_MAP' || !/:(?:role|user)\//.test(principal)) return undefined
  const [{ eksIn }, { accessEntries }] = await Promise.all([
    import('../target/eks.ts'),
    import('../../shared/clients/aws/access-entries.ts'),
  ])
  const name = eks.state.arn.split('/').at(-1) ?? ''
  return accessEntries((await eksIn(place)).sdk).describe(name, principal)
}

const entranceText = ({ mode, entry, principal }: Entered): string[] => {
  if (mode === 'CONFIG_MAP') return ['authentication mode CONFIG_MAP: the ConfigMap aws-auth alone lets in']
  const how = mode === undefined ? [] : [`authentication mode ${mode}`]
  if (!entry) return how
  if ('failure' in entry) return [...how, `its access entries may not be asked for (${entry.failure.object})`]
  const { value } = entry
  if (!value) return [...how, `no access entry of ${principal}`]
  const given = value.groups.length > 0 ? value.groups.join(', ') : 'no group'
  return [...how, `the access entry of ${principal} gives ${given}`]
}

/** An access entry is for the role, not for its session; a path in the role's name is not in the session's and is to be added. */
export const roleArnOf = (arn: string): string =>
  arn.replace(/^arn:([\w-]+):sts::(\d{12}):assumed-role\/([^/]+)\/.*$/, 'arn:$1:iam::$2:role/$3')

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

/** The trust policy is replaced as a whole, so others who may assume the role must stay in it. */
const roleFix = (role: string, own: string): string => {
  const statement = { Effect: 'Allow', Principal: { AWS: own }, Action: 'sts:AssumeRole' }
  const on = (command: string) => `aws iam ${command} --role-name ${quoted(role.split('/').at(-1) ?? role)}`
  return [
    `${on('get-role')} --query Role.AssumeRolePolicyDocument --output json   # who may assume it; and ${own} needs sts:AssumeRole on ${role}`,
    `${on('update-assume-role-policy')} --policy-document file://trust.json   # that document as a file, with one statement more:`,
    // With spaces, where a line may end.
    JSON.stringify(statement, undefined, 1).replaceAll(/\n */g, ' '),
  ].join('\n')
}

const eksFix = (kind: string, place: ClusterAddress): string => {
  const { name, region } = place.cluster
  if (kind !== 'denied')
    return `${awsEks(place, `describe-cluster --name ${quoted(name)}`)}   # no way to ${region === undefined ? 'the EKS API' : eksHost(region)}, or wrong credentials`
  const policy = JSON.stringify({
    Version: '2012-10-17',
    Statement: [
      {
        Effect: 'Allow',
        Action: [
          'eks:DescribeCluster',
          'eks:DescribeAddon',
          'eks:ListUpdates',
          'eks:DescribeUpdate',
          'eks:DescribeAccessEntry',
        ],
        Resource: '*',
      },
    ],
  })
  return `aws iam put-role-policy --role-name ROLE --policy-name calico-ipvs-sync --policy-document ${quoted(policy)}`
}
