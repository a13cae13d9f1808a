import { type Stack, Token } from 'aws-cdk-lib'
import { CfnEventBusPolicy, EventBus } from 'aws-cdk-lib/aws-events'
import type { IKey } from 'aws-cdk-lib/aws-kms'
import { busName, deploymentName } from '../shared/domain/fleet-names.ts'
import { placesOf } from '../shared/domain/fleet.ts'
import type { Fleet } from '../shared/settings.ts'
import type { Config } from './config.ts'

/** The stack's own account and region. If the stack has none yet, they are part of the fleet unless it lists others. */
const isOwn = ({ account, region }: Stack, place: { account: string; region: string }): boolean =>
  (Token.isUnresolved(account) || place.account === account) && (Token.isUnresolved(region) || place.region === region)

/** Whether the stack's own account and region are in the fleet: otherwise their events would only be dropped. */
export const hearsItself = (stack: Stack, fleet: Fleet): boolean => placesOf(fleet).some((place) => isOwn(stack, place))

/** Whether the fleet has other accounts or regions, whose events must be forwarded. */
const isHub = (stack: Stack, { organizationId }: Config, fleet: Fleet): boolean => {
  const places = placesOf(fleet)
  return organizationId !== undefined || places.length > 1 || places.some((place) => !isOwn(stack, place))
}

/**
 * The bus to which spokes forward events. Events of AWS services arrive only through their rules: nobody may put an
 * event with such a source. The organization, or the listed accounts of the fleet, may put events. `undefined`: the
 * fleet has no other accounts or regions.
 */
export const hubBus = (stack: Stack, config: Config, fleet: Fleet, key?: IKey): EventBus | undefined => {
  if (!isHub(stack, config, fleet)) return undefined
  const eventBusName = busName(deploymentName(config.stackName))
  const bus = new EventBus(stack, 'Bus', {
    eventBusName,
    description: 'Events of EKS from other accounts and regions of the fleet',
    ...(key && { kmsKey: key }),
  })
  const senders = sendersOf(stack, config, fleet)
  if (senders)
    new CfnEventBusPolicy(stack, 'BusPolicy', {
      eventBusName: bus.eventBusName,
      statementId: 'Spokes',
      statement: {
        Sid: 'Spokes',
        Effect: 'Allow',
        Action: 'events:PutEvents',
        Resource: bus.eventBusArn,
        ...senders,
      },
    }).node.addDependency(bus)
  return bus
}

/** Roles of the own account need no permission in the policy of the bus. */
const sendersOf = ({ account: own, partition }: Stack, { organizationId }: Config, { accounts }: Fleet) => {
  if (organizationId) return { Principal: '*', Condition: { StringEquals: { 'aws:PrincipalOrgID': organizationId } } }
  const others = accounts.map(({ account }) => account).filter((account) => account !== own)
  if (others.length === 0) return undefined
  return { Principal: { AWS: others.map((account) => `arn:${partition}:iam::${account}:root`) } }
}
