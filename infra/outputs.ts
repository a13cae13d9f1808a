import { CfnOutput, type Stack } from 'aws-cdk-lib'
import type { EventBus } from 'aws-cdk-lib/aws-events'
import type { IFunction } from 'aws-cdk-lib/aws-lambda'
import { defaultDeployment, defaultExternalId, deploymentName } from '../shared/domain/fleet-names.ts'
import { executionRoleOf } from './access.ts'
import type { Config } from './config.ts'

interface OutputSources {
  bus: EventBus | undefined
  listClusters: IFunction
  evaluate: IFunction
  rolloutStep: IFunction
}

/** The outputs that a spoke, an access entry or a person needs. */
export const outputs = (
  stack: Stack,
  config: Config,
  { bus, listClusters, evaluate, rolloutStep }: OutputSources,
): void => {
  const deployment = deploymentName(config.stackName)
  const externalId = config.externalId ?? defaultExternalId(deployment, stack.account)
  const output = (name: string, description: string, value: string) =>
    new CfnOutput(stack, name, { description, value })
  output(
    'ListRoleArn',
    'Lists clusters; assumes the viewer role of other accounts.',
    executionRoleOf(listClusters).roleArn,
  )
  output(
    'ViewerRoleArn',
    'Reads clusters; assumes the viewer role of other accounts.',
    executionRoleOf(evaluate).roleArn,
  )
  output(
    'OperatorRoleArn',
    'Changes clusters; assumes the operator role of other accounts.',
    executionRoleOf(rolloutStep).roleArn,
  )
  output('ExternalId', 'The external id for the roles of other accounts.', externalId)
  if (bus) output('BusArn', 'The event bus to which other accounts and regions forward events.', bus.eventBusArn)
  const named = deployment === defaultDeployment ? '' : ` --deployment ${deployment}`
  output(
    'SpokeCommand',
    'Prints the template for every other account and region of the fleet (docs/fleet.md).',
    `calico-ipvs-sync spoke-template --hub-account ${stack.account} --hub-region ${stack.region} --external-id ${externalId}${named}`,
  )
}
