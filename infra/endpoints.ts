import {
  CfnSecurityGroup,
  CfnVPCEndpoint,
  type CfnVPCEndpointProps,
  InterfaceVpcEndpointAwsService,
} from 'aws-cdk-lib/aws-ec2'
import { Stack } from 'aws-cdk-lib'
import type { Construct } from 'constructs'
import type { Config } from './config.ts'

/**
 * The services that the functions in the VPC call. Without `logs` and `xray`, which Lambda reaches itself, and
 * without `sns` and `secretsmanager`, because `tell` and `notify-slack` run outside the VPC. The API server of a
 * private cluster has addresses in its own VPC and needs no endpoint.
 */
const called = ({ policy }: Config) => [
  'eks',
  'sts',
  'sqs',
  'ssm',
  ...((policy.pauseOnAlarms ?? []).length > 0 ? ['monitoring'] : []),
]

/**
 * For a VPC without a route to the internet: an interface endpoint for each service, and a gateway endpoint for
 * DynamoDB.
 */
export const endpoints = (scope: Construct, config: Config): void => {
  const { vpc } = config
  if (!vpc?.endpoints) return
  const { vpcId, routeTableIds } = vpc.endpoints
  const securityGroupIds = [doorOf(scope, vpcId, vpc.securityGroupIds)]
  const endpoint = (name: string, more: Pick<CfnVPCEndpointProps, 'serviceName'> & Partial<CfnVPCEndpointProps>) =>
    new CfnVPCEndpoint(scope, `Endpoint${name.replace(/^\w/, (letter) => letter.toUpperCase())}`, { vpcId, ...more })
  for (const name of called(config))
    endpoint(name, {
      vpcEndpointType: 'Interface',
      serviceName: new InterfaceVpcEndpointAwsService(name).name,
      privateDnsEnabled: true,
      subnetIds: vpc.subnetIds,
      securityGroupIds,
    })
  if (routeTableIds.length > 0)
    endpoint('dynamodb', {
      vpcEndpointType: 'Gateway',
      serviceName: `com.amazonaws.${Stack.of(scope).region}.dynamodb`,
      routeTableIds,
    })
}

/** Allows only the functions, on port 443. */
const doorOf = (scope: Construct, vpcId: string, from: string[]): string =>
  new CfnSecurityGroup(scope, 'EndpointsDoor', {
    groupDescription: 'calico-ipvs-sync: its functions to the endpoints of AWS',
    vpcId,
    securityGroupIngress: from.map((sourceSecurityGroupId) => ({
      ipProtocol: 'tcp',
      fromPort: 443,
      toPort: 443,
      sourceSecurityGroupId,
      description: 'the functions',
    })),
  }).attrGroupId
