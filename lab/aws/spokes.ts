import { matchesPattern } from './event-pattern.ts'
import type { EventBus } from './event-bus.ts'
import type { BusEvent } from './eks-trail.ts'
import { allows, roleOf } from './iam.ts'
import { type Fields, fieldsOf, listOf } from './json.ts'
import { type Resource, resolveTemplate, type Stack } from './template.ts'

/** Another account or region of the fleet, and the template that was rolled out there. */
export interface SpokeSettings {
  account: string
  region: string
  template: object
  parameters?: Record<string, string>
  /** Of the account. */
  organizationId?: string
}

export interface Spokes {
  /** What the rules of that place forward to the hub's bus. Throws where EventBridge would not deliver it. */
  forward: (event: BusEvent, hub: { stack: Stack; bus: EventBus }) => void
  /** As the role's trust policy says; a role that no spoke made cannot be taken. */
  mayAssume: (callerArn: string, roleArn: string, externalId: string | undefined) => boolean
}

export const createSpokes = (settings: readonly SpokeSettings[]): Spokes => {
  const stacks = settings.map(({ account, region, template, parameters }) => {
    const at = { account, region, stackName: 'Spoke', queuesUrl: 'http://127.0.0.1:1' }
    const source = { template: JSON.parse(JSON.stringify(template)) as Fields, folder: import.meta.dirname }
    return resolveTemplate({ ...source, stackName: 'Spoke' }, at, parameters)
  })
  const roles = new Map(stacks.flatMap((stack) => stack.ofType('AWS::IAM::Role').map((role) => [role.arn, role])))
  return {
    forward: (event, hub) => {
      const here = stacks.find(({ account, region }) => account === event.account && region === event.region)
      for (const rule of here?.ofType('AWS::Events::Rule') ?? []) {
        const { EventPattern, State, Targets } = rule.properties
        if (State === 'DISABLED' || !matchesPattern(fieldsOf(EventPattern), event)) continue
        const organizationId = settings.find(({ account }) => account === event.account)?.organizationId
        for (const target of listOf(Targets).map(fieldsOf)) deliver(event, { target, roles, organizationId, ...hub })
      }
    },
    mayAssume: (callerArn, roleArn, externalId) =>
      allows(roles.get(roleArn)?.properties['AssumeRolePolicyDocument'], {
        action: 'sts:AssumeRole',
        principal: roleOf(callerArn),
        values: { 'aws:PrincipalArn': roleOf(callerArn), 'sts:ExternalId': externalId },
      }),
  }
}

interface Delivery {
  target: Fields
  roles: ReadonlyMap<string, Resource>
  organizationId: string | undefined
  stack: Stack
  bus: EventBus
}

/** The sender's role must be allowed to put events there, and a bus of another account must let the sender in. */
const deliver = (event: BusEvent, { target, roles, organizationId, stack, bus }: Delivery): void => {
  const [arn, role] = [String(target['Arn']), roles.get(String(target['RoleArn']))]
  const to = stack.ofType('AWS::Events::EventBus').find((it) => it.arn === arn)
  if (!to) throw new Error(`${arn} is no bus of the hub`)
  const policies = listOf(role?.properties['Policies']).map((it) => fieldsOf(it)['PolicyDocument'])
  const asked = { action: 'events:PutEvents', resource: arn }
  if (!policies.some((policy) => allows(policy, asked)))
    throw new Error(`The forwarding role may not put events to ${arn}`)
  const ofBus = stack.ofType('AWS::Events::EventBusPolicy').map(({ properties }) => properties['Statement'])
  const principal = `arn:aws:iam::${event.account}:root`
  const values = { 'aws:PrincipalOrgID': organizationId }
  const isLetIn = ofBus.some((statement) => allows({ Statement: [statement] }, { ...asked, principal, values }))
  if (event.account !== stack.account && !isLetIn)
    throw new Error(`${to.name} lets no account ${event.account} put events`)
  bus.putEvent(event, to.name)
}
