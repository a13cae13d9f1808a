import { fromNodeProviderChain } from '@aws-sdk/credential-providers'
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts'
import * as z from 'zod/mini'
import { signedCall } from './clients/aws/signed-call.ts'

/** The checks before anything is built. */
export interface Ask {
  /** The account of the credentials. Rejects if there are none, or they are invalid. */
  identity: () => Promise<string>
  /** The credentials' region, if the configuration has none. */
  region: () => Promise<string | undefined>
  /** Version of the CDK's bootstrap in the region; `undefined`: there is none. Rejects if it may not be read. */
  bootstrap: (region: string) => Promise<number | undefined>
  /** Of these log groups, those that are not there. Rejects where it may not be read. */
  missingLogGroups: (region: string, names: readonly string[]) => Promise<string[]>
  /** Whether AWS Config has a recorder there. Rejects where it may not be read. */
  hasRecorder: (region: string) => Promise<boolean>
}

/** Of the deployment's configuration. */
interface Target {
  env?: { account: string; region: string } | undefined
  auditLogs?: readonly string[]
  configRule?: boolean
}

/** The minimum version for the CDK library. */
const leastBootstrap = 6

/** Why a deployment cannot begin, in one sentence; `undefined`: it can. */
export const preflight = async ({ env, auditLogs = [], configRule }: Target, ask: Ask): Promise<string | undefined> => {
  const region = env?.region ?? (await ask.region().catch(() => undefined))
  if (!region) return 'No region is known: set AWS_REGION, or `env` in deploy.json, and try again.'
  const account = await patiently(ask.identity).catch((error: unknown) => reasonOf(error))
  if (typeof account !== 'string')
    return `No AWS credentials can be used (${account.reason}): run \`aws sso login\`, or set AWS_PROFILE, and see them with \`aws sts get-caller-identity\`.`
  if (env && env.account !== account)
    return `The credentials are of account ${account}, and \`env\` in deploy.json says ${env.account}: set AWS_PROFILE to one of that account, or change \`env\`.`
  const version = await patiently(() => ask.bootstrap(region)).catch((error: unknown) => reasonOf(error))
  // The credentials may still allow a deployment; then the CDK reports errors.
  if (typeof version === 'object') return undefined
  if (version === undefined || version < leastBootstrap)
    return `Account ${account} is ${version === undefined ? 'not bootstrapped for the CDK' : `bootstrapped for the CDK at version ${version}, and ${leastBootstrap} is needed,`} in ${region}: run \`npx cdk bootstrap aws://${account}/${region}\` once.`
  const groups = auditLogs.map((cluster) => `/aws/eks/${cluster}/cluster`)
  const [missing] = groups.length === 0 ? [] : await ask.missingLogGroups(region, groups).catch(() => [])
  if (missing !== undefined)
    return `There is no log group ${missing}, and \`auditLogs\` names its cluster: switch on its audit log with \`aws eks update-cluster-config --name ${missing.split('/')[3]} --logging '{"clusterLogging":[{"types":["audit"],"enabled":true}]}'\`, or take it out of deploy.json.`
  if (configRule && !(await ask.hasRecorder(region).catch(() => true)))
    return `AWS Config has no recorder in ${region}, without which it takes no rule: set AWS Config up there, or leave \`configRule\` out of deploy.json.`
  return undefined
}

/** Asks again where no answer came in time: else a slow network would leave the sentence to the CDK, whose own is longer. */
const patiently = async <T>(ask: () => Promise<T>, tries = 3): Promise<T> => {
  try {
    return await ask()
  } catch (error) {
    if (tries <= 1 || !(error instanceof Error) || !['TimeoutError', 'AbortError'].includes(error.name)) throw error
    return patiently(ask, tries - 1)
  }
}

const reasonOf = (error: unknown): { reason: string } => ({
  reason: error instanceof Error ? (error.message.split('\n')[0] ?? error.name) : String(error),
})

const deadlineMs = 5_000
const logGroups = z.object({ logGroups: z.optional(z.array(z.object({ logGroupName: z.string() }))) })
const recorders = z.object({ ConfigurationRecorders: z.optional(z.array(z.unknown())) })
const version = z.object({ Parameter: z.object({ Value: z.string() }) })

/** AWS, with the credentials that the CDK will use. */
export const askAws = (env: NodeJS.ProcessEnv): Ask => {
  const credentials = fromNodeProviderChain({ timeout: 1_000, maxRetries: 0 })
  const fixed = env['AWS_REGION'] ?? env['AWS_DEFAULT_REGION']
  const sts = new STSClient({ credentials, maxAttempts: 1, ...(fixed ? { region: fixed } : {}) })
  const at = (service: string, region: string, variable: string) => {
    const endpoint = env[`AWS_ENDPOINT_URL_${variable}`] ?? env['AWS_ENDPOINT_URL']
    return { service, protocol: '1.1', region, credentials, endpoint } as const
  }
  return {
    region: async () => fixed ?? (await sts.config.region()),
    identity: async () => {
      const abortSignal = AbortSignal.timeout(deadlineMs)
      const { Account } = await sts.send(new GetCallerIdentityCommand({}), { abortSignal })
      return Account ?? ''
    },
    missingLogGroups: async (region, names) => {
      const place = at('logs', region, 'CLOUDWATCH_LOGS')
      const missing: string[] = []
      for (const name of names) {
        const call = signedCall(place, 'Logs_20140328.DescribeLogGroups', { logGroupNamePrefix: name })
        const { logGroups: found = [] } = logGroups.parse(await call)
        if (!found.some(({ logGroupName }) => logGroupName === name)) missing.push(name)
      }
      return missing
    },
    hasRecorder: async (region) => {
      const place = at('config', region, 'CONFIG_SERVICE')
      const call = signedCall(place, 'StarlingDoveService.DescribeConfigurationRecorders', {})
      return (recorders.parse(await call).ConfigurationRecorders ?? []).length > 0
    },
    bootstrap: async (region) => {
      try {
        const call = signedCall(at('ssm', region, 'SSM'), 'AmazonSSM.GetParameter', {
          Name: '/cdk-bootstrap/hnb659fds/version',
        })
        return Number(version.parse(await call).Parameter.Value)
      } catch (error) {
        if (String(error).includes('ParameterNotFound')) return undefined
        throw error
      }
    },
  }
}
