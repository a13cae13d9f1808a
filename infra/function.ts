import { join } from 'node:path'
import { Duration, RemovalPolicy, Stack } from 'aws-cdk-lib'
import { ServicePrincipal } from 'aws-cdk-lib/aws-iam'
import { Architecture, CfnFunction, Code, Function, RecursiveLoop, Runtime, Tracing } from 'aws-cdk-lib/aws-lambda'
import type { IKey } from 'aws-cdk-lib/aws-kms'
import { LogGroup } from 'aws-cdk-lib/aws-logs'
import type { ITopic } from 'aws-cdk-lib/aws-sns'
import type { Construct } from 'constructs'
import type { Deployment } from '../shared/deployment.ts'
import { deploymentName, roleName, taken, type Traveller } from '../shared/domain/fleet-names.ts'
import { mayConnect, mayLog, mayTrace, type Permission } from './access.ts'
import { alarm } from './alarms.ts'
import { codeWith } from './code.ts'
import type { Config } from './config.ts'
import { mayUseKey } from './customer-key.ts'
import type { EnvironmentOf, FunctionName } from './functions.ts'
import { roleFor } from './role.ts'

export interface FunctionSpec<N extends FunctionName> {
  name: N
  description: string
  environment: EnvironmentOf<N>
  may: Permission[]
  timeout: Duration
  memorySize: number
  /**
   * The function sends messages to its own queue. Lambda would stop such a loop after about 16 rounds; every message
   * that it sends to itself has a deadline.
   */
  feedsItself?: true
  /** The function calls the Kubernetes API, which may be private. */
  inVpc?: true
}

/** What all functions of this deployment have in common. */
export interface Surroundings {
  config: Config
  alarms: ITopic
  /** Folder with `<name>/index.js` per function. */
  bundles: string
  /** The configuration file next to the code of each function. */
  deployment: Deployment
  /** The customer's key for all data. */
  key?: IKey | undefined
}

const pascal = (name: string) => name.replace(/(^|-)(\w)/g, (_, _dash, letter: string) => letter.toUpperCase())

/** A function with a role, a log group and alarms of its own. */
export const lambdaFunction = <N extends FunctionName>(
  scope: Construct,
  around: Surroundings,
  spec: FunctionSpec<N>,
) => {
  const { config, alarms, bundles, deployment } = around
  const id = pascal(spec.name)
  const reserved = config.reservedConcurrency[spec.name]
  const logGroup = new LogGroup(scope, `${id}Logs`, {
    retention: config.logRetentionDays,
    removalPolicy: RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
    ...(around.key && { encryptionKey: around.key }),
  })
  const it = new Function(scope, id, {
    description: spec.description,
    runtime: Runtime.NODEJS_24_X,
    architecture: Architecture.ARM_64,
    code: Code.fromAsset(codeWith(scope, deployment, { from: join(bundles, spec.name), name: spec.name })),
    handler: 'index.handler',
    role: roleFor(scope, `${id}Role`, {
      assumedBy: new ServicePrincipal('lambda.amazonaws.com'),
      ...(isTraveller(spec.name) && { roleName: roleName(deploymentName(config.stackName), spec.name) }),
      may: [...needed(spec, config, logGroup), ...mayUseKey(scope, around.key ? [around.key.keyArn] : [])],
    }),
    logGroup,
    timeout: spec.timeout,
    memorySize: spec.memorySize,
    tracing: config.tracing ? Tracing.ACTIVE : Tracing.DISABLED,
    recursiveLoop: spec.feedsItself ? RecursiveLoop.ALLOW : RecursiveLoop.TERMINATE,
    ...(reserved ? { reservedConcurrentExecutions: reserved } : {}),
    environment: {
      ...spec.environment,
      POWERTOOLS_LOG_LEVEL: config.logLevel,
      // Two deployments in one account have separate metrics.
      POWERTOOLS_METRICS_NAMESPACE: config.stackName,
    },
  })
  const resource = it.node.defaultChild
  // Set on the CloudFormation resource: CDK's own construct needs the VPC's zones and route tables, which are not
  // needed here.
  if (spec.inVpc && config.vpc && resource instanceof CfnFunction)
    resource.vpcConfig = {
      subnetIds: config.vpc.subnetIds,
      securityGroupIds: config.vpc.securityGroupIds,
    }
  watch(it, spec.name, alarms)
  return it
}

/** Roles of other accounts trust these functions' roles by their names. */
const isTraveller = (name: FunctionName): name is Traveller => name in taken

const needed = ({ may, inVpc }: Pick<FunctionSpec<FunctionName>, 'may' | 'inVpc'>, config: Config, logs: LogGroup) => [
  ...may,
  mayLog(logs),
  ...(config.tracing ? [mayTrace] : []),
  ...(inVpc && config.vpc ? mayConnect(Stack.of(logs)) : []),
]

const watch = (it: Function, name: FunctionName, alarms: ITopic) => {
  const period = Duration.minutes(5)
  alarm(it, 'Errors', alarms, {
    meaning: `${name} fails repeatedly; its messages are retried and then kept as dead letters.`,
    runbook: 'function-errors',
    metric: it.metricErrors({ period }),
    threshold: 3,
    periods: 2,
  })
  alarm(it, 'Throttles', alarms, {
    meaning: `${name} is throttled; clusters are evaluated late.`,
    runbook: 'function-throttled',
    metric: it.metricThrottles({ period }),
    threshold: 10,
    periods: 3,
  })
}
