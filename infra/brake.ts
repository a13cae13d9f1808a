import { StringParameter } from 'aws-cdk-lib/aws-ssm'
import type { Construct } from 'constructs'

/**
 * The brake of the deployment: `off`, `report` or `sync`, set by hand and read before each write. Released from the start,
 * for what is done is decided by policy and tags; a later deployment leaves the value that people have set.
 */
export const brake = (scope: Construct, stackName: string): StringParameter =>
  new StringParameter(scope, 'Brake', {
    parameterName: `/calico-ipvs-sync/${stackName}/brake`,
    description: 'The most that calico-ipvs-sync may do in any cluster, from now on: off, report or sync',
    stringValue: 'sync',
    allowedPattern: '^(off|report|sync)$',
  })
