import { defaultDeployment } from '../fleet-names.ts'

/** Parameters with a default, so that they need not be given when the template is applied. */
export interface SpokeDefaults {
  hubAccount?: string
  hubRegion?: string
  externalId?: string
  deployment?: string
  rolesRegion?: string
  /** `false`: there is no operator role, and nothing in this account can be changed. */
  changes?: boolean
}

const region = '^[a-z]{2,4}(-[a-z]+)+-[0-9]$'

/** Nothing, or any name of a key that SQS accepts. */
const keyOrNone = String.raw`^$|^(arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:(key|alias)/|alias/)?[\w/-]{1,256}$`

export const parameters = (given: SpokeDefaults) => ({
  HubAccount: parameter('The account of the hub.', '^[0-9]{12}$', given.hubAccount),
  HubRegion: parameter("The region of the hub's stack.", region, given.hubRegion),
  ExternalId: parameter(
    "The external id that the hub sends when it assumes a role: the output ExternalId of the hub's stack.",
    '^[\\w+=,.@:/-]{2,1224}$',
    given.externalId,
  ),
  Deployment: parameter(
    "The hub's name, the prefix of the names of roles and bus. Change it only if the hub's stack has another name.",
    '^[A-Za-z0-9-]{1,51}$',
    given.deployment ?? defaultDeployment,
  ),
  RolesRegion: parameter(
    "The one region of this account in which the roles are created, because roles are global. It must be one of the StackSet's regions.",
    region,
    given.rolesRegion ?? given.hubRegion,
  ),
  Changes: {
    Type: 'String',
    Description: 'Whether the hub may change clusters of this account. no: there is no operator role.',
    AllowedValues: ['yes', 'no'],
    Default: given.changes === false ? 'no' : 'yes',
  },
  QueueKey: parameter(
    'A key of your own for the queue of events that could not be delivered; an alias such as alias/spokes may name another key in each account and region. Its policy must allow events.amazonaws.com. Empty: the key of SQS.',
    keyOrNone,
    '',
  ),
})

const parameter = (description: string, pattern: string, value: string | undefined) => ({
  Type: 'String',
  Description: description,
  AllowedPattern: pattern,
  ...(value !== undefined && { Default: value }),
})

export const parametersShown = {
  'AWS::CloudFormation::Interface': {
    ParameterGroups: [
      { Label: { default: 'The hub' }, Parameters: ['HubAccount', 'HubRegion', 'ExternalId', 'Deployment'] },
      { Label: { default: 'This account' }, Parameters: ['RolesRegion', 'Changes', 'QueueKey'] },
    ],
  },
}

const same = (one: string, other: string) => ({ 'Fn::Equals': [{ Ref: one }, { Ref: other }] })
const not = (condition: object) => ({ 'Fn::Not': [condition] })

/** The hub has its own rules for its own account and region. */
export const isForwarded = not({ 'Fn::And': [same('AWS::AccountId', 'HubAccount'), same('AWS::Region', 'HubRegion')] })

/** The functions access the hub's own account with their own roles. */
export const madeHere = {
  'Fn::And': [not(same('AWS::AccountId', 'HubAccount')), same('AWS::Region', 'RolesRegion')],
}

export const hasQueueKey = not({ 'Fn::Equals': [{ Ref: 'QueueKey' }, ''] })

export const operatorHere = {
  'Fn::And': [{ Condition: 'MadeHere' }, { 'Fn::Equals': [{ Ref: 'Changes' }, 'yes'] }],
}
