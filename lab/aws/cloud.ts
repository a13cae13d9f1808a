import { setTimeout as delay } from 'node:timers/promises'
import type { AuthenticatedUser } from '../cluster.ts'
import type { ConfigService } from './config-service.ts'
import type { EksStandIn } from './eks.ts'
import { userIn } from './eks-token.ts'
import type { BusEvent } from './eks-trail.ts'
import type { Routed } from './event-bus.ts'
import { type Credentials, createKeyring, type Keyring } from './keyring.ts'
import type { Invocation } from './lambda.ts'
import type { Moment } from './moment.ts'
import type { Organizations } from './organizations.ts'
import type { Parameters } from './parameters.ts'
import type { Secrets } from './secrets.ts'
import type { Slack } from './slack.ts'
import { ownPolicyAllows, roleOf } from './iam.ts'
import { createSpokes, type SpokeSettings } from './spokes.ts'
import { type StandInSettings, startStandIns } from './stand-ins.ts'
import { readTemplate, resolveTemplate, type Stack, type Where } from './template.ts'
import type { Delivery } from './topics.ts'
import { wire } from './wiring.ts'

export interface CloudOptions extends Where, StandInSettings {
  account?: string
  region?: string
  /** Of the template; those with a default need not be given. */
  parameters?: Record<string, string>
  /**
   * Shortens what AWS waits by itself: until a failed message or event is tried again. 1 when absent. What the template
   * says of queues stays.
   */
  timeScale?: number
  /** Processes of one function at most. */
  environments?: number
  /** Each message of a queue comes this often though it was handled well, as SQS may have it. 1 when absent. */
  copies?: number
  /** A folder by which functions are killed in the middle of messages: `lab/aws/cut-short.cjs`. */
  cutShort?: string
  /** Other accounts and regions; their roles are trusted and their events forwarded as their templates say. */
  spokes?: SpokeSettings[]
  /** Told of everything as it happens. */
  onMoment?(moment: Moment): void
}

export interface Cloud {
  stack: Stack
  eks: EksStandIn
  secrets: Secrets
  /** SSM's; not the template's. */
  ssm: Parameters
  slack: Slack
  config: ConfigService
  organizations: Organizations
  keyring: Keyring
  /** The operator of the lab: may call every endpoint. */
  credentials: Credentials
  /** `AWS_ENDPOINT_URL_EKS` and so on. */
  endpoints: Record<string, string>
  /** Endpoints, region and the operator's credentials, as variables for a command or an SDK. */
  environment: Record<string, string>
  /** Sent by SNS to others than queues: e-mails. */
  deliveries: Delivery[]
  invocations: Invocation[]
  /** What went wrong in the lab's AWS itself and no dead-letter queue took. */
  faults: Error[]
  /** Hands an event to the template's rules. */
  putEvent: (event: object, bus?: string) => Routed[]
  /** What AWS says in an account and region of the fleet: heard there, and forwarded if a rule of that place does so. */
  emit: (event: BusEvent) => void
  /** Lines of a cluster's audit log, as CloudWatch Logs would get them. Answers how many of them somebody subscribed to. */
  auditLog: (cluster: string, lines: object[]) => number
  /** Fires one schedule of the template, by its label, or all. */
  fire: (schedule?: string) => void
  /** Lets the template's rates run by themselves. */
  runSchedules: (timeScale: number) => void
  /** Invokes a function by its label, as a person would in the console. */
  invoke: (label: string, event: unknown) => Promise<Invocation>
  /** Kills the processes of a function, by its label, in the middle of what they do. Answers how many were. */
  kill: (label: string) => Promise<number>
  /** Bodies in the queue of this label or name, whatever their state. */
  messages: (queue: string) => Promise<string[]>
  /** An object of the bucket of this label, or `undefined`. */
  object: (bucket: string, key: string) => Promise<{ body: Buffer; type: string; encoding: string } | undefined>
  /** For `ClusterOptions.authenticate`: who an EKS token is in this cluster, by its access entries. */
  authenticate: (clusterName: string) => (token: string) => Promise<AuthenticatedUser | undefined>
  /** Resolves when no message is visible, in flight or delayed in a queue that somebody polls, and nothing runs. */
  idle: (options?: { timeoutMilliseconds?: number }) => Promise<void>
  stop: () => Promise<void>
}

const defaults = { account: '111122223333', region: 'eu-west-1' }

export type { Moment }

/** The synthesized stack on stand-ins, in this process but for the functions. Everything listens on 127.0.0.1. */
export async function startCloud(options: CloudOptions): Promise<Cloud> {
  const { account = defaults.account, region = defaults.region, timeScale = 1 } = options
  const place = { account, region }
  const source = readTemplate(options)
  const keyring = createKeyring()
  const kept = { deliveries: [] as Delivery[], invocations: [] as Invocation[], faults: [] as Error[] }
  const tell = (moment: Moment) => {
    if (moment.kind === 'delivery') kept.deliveries.push(moment)
    if (moment.kind === 'invocation') kept.invocations.push(moment)
    if (moment.kind === 'fault') kept.faults.push(moment.fault)
    options.onMoment?.(moment)
  }
  const onEvent = (event: BusEvent) => {
    tell({ kind: 'event', event })
    try {
      // A bus hears its own account and region only; what else arrives, a rule elsewhere has forwarded.
      if (event.account === account && event.region === region) bus.putEvent(event)
      else spokes?.forward(event, { stack, bus })
    } catch (error) {
      // A pattern that EventBridge would not have taken: the call that caused the event is none the worse for it.
      tell({ kind: 'fault', fault: error instanceof Error ? error : new Error(String(error)) })
    }
  }
  const spokes = options.spokes && createSpokes(options.spokes)
  const trust = options.mayAssume ?? spokes?.mayAssume
  /** Where there are spokes: the role must trust the caller, and what is a function's own role must be allowed to take it. */
  const mayAssume: typeof trust = (caller, role, externalId) => {
    const there = options.spokes?.find(({ account: its }) => its === role.split(':')[4])
    const values = { 'aws:ResourceOrgID': there?.organizationId }
    const isAllowed = ownPolicyAllows(stack, roleOf(caller), { action: 'sts:AssumeRole', resource: role, values })
    return isAllowed !== false && (trust?.(caller, role, externalId) ?? true)
  }
  const standIns = await startStandIns({ ...options, ...(spokes && { mayAssume }), keyring, place, tell, onEvent })
  const { queues, eks, secrets, parameters: ssm, slack, config, organizations, endpoints } = standIns
  const at = { ...place, stackName: source.stackName, queuesUrl: queues.url }
  const stack = await standIns.deploy(() => resolveTemplate(source, at, options.parameters))
  const { bus, scheduler, functions, logs, ...wiring } = wire(stack, standIns, { ...options, keyring, timeScale, tell })
  const credentials = keyring.forUser(`arn:aws:iam::${account}:user/operator`)
  return {
    ...kept,
    stack,
    eks,
    secrets,
    ssm,
    slack,
    config,
    organizations,
    keyring,
    credentials,
    endpoints,
    environment: { ...endpoints, ...variablesOf(credentials, region) },
    putEvent: bus.putEvent,
    emit: onEvent,
    auditLog: (cluster, lines) =>
      logs.write(
        `/aws/eks/${cluster}/cluster`,
        'kube-apiserver-audit-1a2b3c4d',
        lines.map((line) => JSON.stringify(line)),
      ),
    fire: scheduler.fire,
    runSchedules: scheduler.run,
    invoke: (label, event) => functions.invoke(labelled(stack, 'AWS::Lambda::Function', label).arn, event),
    kill: (label) => functions.kill(labelled(stack, 'AWS::Lambda::Function', label).arn),
    messages: (queue) => queues.peek(labelled(stack, 'AWS::SQS::Queue', queue).name),
    object: (bucket, key) => queues.object(labelled(stack, 'AWS::S3::Bucket', bucket).ref, key),
    authenticate: (clusterName) => (token) => userIn(eks.cluster(clusterName), token, keyring),
    idle: ({ timeoutMilliseconds = 120_000 } = {}) => untilIdle(wiring.busy, timeoutMilliseconds),
    stop: async () => {
      await wiring.stop()
      await standIns.stop()
      await wiring.ended
    },
  }
}

/** Twice in a row, because between two looks at several places something may have moved from one to another. */
async function untilIdle(busy: () => Promise<string[]>, timeoutMilliseconds: number): Promise<void> {
  const deadline = Date.now() + timeoutMilliseconds
  for (let quiet = 0; quiet < 2; ) {
    const places = await busy()
    quiet = places.length === 0 ? quiet + 1 : 0
    if (quiet === 0 && Date.now() > deadline) throw new Error(`The lab's AWS is still busy with ${places.join(', ')}`)
    await delay(20)
  }
}

function labelled(stack: Stack, type: string, label: string) {
  const found = stack.ofType(type).find((one) => [one.label, one.name, one.logicalId].includes(label))
  if (found !== undefined) return found
  const known = stack.ofType(type).map((one) => one.label)
  throw new Error(`The template has no ${type} called ${label}, but ${known.join(', ')}`)
}

const variablesOf = ({ accessKeyId, secretAccessKey, sessionToken }: Credentials, region: string) => ({
  AWS_REGION: region,
  AWS_DEFAULT_REGION: region,
  AWS_ACCESS_KEY_ID: accessKeyId,
  AWS_SECRET_ACCESS_KEY: secretAccessKey,
  AWS_SESSION_TOKEN: sessionToken,
})
