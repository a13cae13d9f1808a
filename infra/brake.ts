import { StringParameter } from 'aws-cdk-lib/aws-ssm'
import type { Construct } from 'constructs'

/**
 * The brake of the deployment: `off`, `report` or `sync`, set manually and read before each write. Its initial value
 * is `sync`, because policy and tags define the action; a later deployment does not change the value.
 */
export const brake = (scope: Construct, stackName: string): StringParameter =>
  new StringParameter(scope, 'Brake', {
    parameterName: `/calico-ipvs-sync/${stackName}/brake`,
    description: 'The highest action that calico-ipvs-sync may take in any cluster: off, report or sync',
    stringValue: 'sync',
    allowedPattern: '^(off|report|sync)$',
  })
