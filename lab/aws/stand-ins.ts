import { type ConfigService, startConfigService } from './config-service.ts'
import { type EksStandIn, startEks } from './eks.ts'
import type { Addon, Cluster, ClusterSeed, Place } from './eks-model.ts'
import type { BusEvent } from './eks-trail.ts'
import type { PortSpan } from '../cluster.ts'
import type { Keyring } from './keyring.ts'
import type { Moment } from './moment.ts'
import { type Organizations, type OrganizationSettings, startOrganizations } from './organizations.ts'
import { type Parameters, startParameters } from './parameters.ts'
import { type Delays, type Queues, startQueues } from './queues.ts'
import { type Secrets, startSecrets } from './secrets.ts'
import { type Slack, startSlack } from './slack.ts'
import { startSts } from './sts.ts'
import { startTables } from './tables.ts'
import type { Stack } from './template.ts'

/** What a caller of the lab may choose about the services. */
export interface StandInSettings {
  eks?: {
    clusters?: ClusterSeed[]
    updateMilliseconds?: number
    onNodePortRange?(cluster: Cluster, range: PortSpan): Promise<void>
    onAddonUpdated?(cluster: Cluster, addon: Addon): Promise<void>
  }
  organization?: OrganizationSettings
  /** By a queue's label: how long its messages wait that ask for a delay of so many seconds. As they ask when absent. */
  delays?: Delays
  /** Further `AWS_ENDPOINT_URL_…` for the functions, or others than the lab's. */
  endpoints?: Record<string, string>
  mayAssume?: (callerArn: string, roleArn: string, externalId: string | undefined) => boolean
}

export interface StandInOptions extends StandInSettings {
  keyring: Keyring
  place: Place
  tell: (moment: Moment) => void
  onEvent: (event: BusEvent) => void
}

export interface StandIns {
  queues: Queues
  eks: EksStandIn
  secrets: Secrets
  parameters: Parameters
  slack: Slack
  config: ConfigService
  organizations: Organizations
  /** What an SDK must be told to come here. */
  endpoints: Record<string, string>
  /** Makes what the stack has of queues, topics, tables, secrets and access entries. A stack that cannot be made ends all stand-ins. */
  deploy: (resolved: () => Stack) => Promise<Stack>
  stop: () => Promise<void>
}

/** Every service that functions and people call, each on a port of its own. */
export async function startStandIns({ keyring, place, tell, onEvent, ...options }: StandInOptions): Promise<StandIns> {
  const called = (service: string) => (operation: string, caller: string) =>
    tell({ kind: 'call', service, operation, caller })
  const onCall = (service: string, operation: string, caller: string) => called(service)(operation, caller)
  const { mayAssume, delays } = options
  const [queues, eks, sts, secrets, parameters, tables, slack, config, organizations] = await Promise.all([
    startQueues({
      region: place.region,
      keyring,
      ...(delays && { delays }),
      onCall,
      onDelivery: (delivery) => tell({ kind: 'delivery', ...delivery }),
    }),
    startEks({ keyring, place, ...options.eks, onEvent, onCall: called('eks') }),
    startSts({ keyring, onCall: called('sts'), ...(mayAssume && { mayAssume }) }),
    startSecrets(keyring, called('secretsmanager')),
    startParameters(keyring, called('ssm')),
    startTables(keyring, called('dynamodb')),
    startSlack((message) => tell({ kind: 'slack', ...message })),
    startConfigService(keyring, called('config')),
    startOrganizations(keyring, options.organization, called('organizations')),
  ])
  const stop = async () => {
    await Promise.all([
      queues.stop(),
      eks.stop(),
      sts.close(),
      secrets.stop(),
      parameters.stop(),
      tables.stop(),
      slack.stop(),
      config.stop(),
      organizations.stop(),
    ])
  }
  const endpoints = {
    AWS_ENDPOINT_URL_SQS: queues.url,
    AWS_ENDPOINT_URL_SNS: queues.url,
    AWS_ENDPOINT_URL_S3: queues.url,
    AWS_ENDPOINT_URL_CONFIG_SERVICE: config.url,
    AWS_ENDPOINT_URL_ORGANIZATIONS: organizations.url,
    AWS_ENDPOINT_URL_DYNAMODB: tables.url,
    AWS_ENDPOINT_URL_SECRETS_MANAGER: secrets.url,
    AWS_ENDPOINT_URL_SSM: parameters.url,
    AWS_ENDPOINT_URL_STS: sts.url,
    AWS_ENDPOINT_URL_EKS: eks.url,
    ...options.endpoints,
  }
  const deploy = async (resolved: () => Stack): Promise<Stack> => {
    try {
      const stack = resolved()
      secrets.deploy(stack)
      parameters.deploy(stack)
      eks.deploy(stack)
      await Promise.all([queues.deploy(stack), tables.deploy(stack)])
      return stack
    } catch (error) {
      await stop()
      throw error
    }
  }
  return { queues, eks, secrets, parameters, slack, config, organizations, endpoints, deploy, stop }
}
