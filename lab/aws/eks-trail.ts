import { randomUUID } from 'node:crypto'
import { AwsError } from './aws-error.ts'
import type { Addon, Holding, Place } from './eks-model.ts'

/** An event as EventBridge hands it to a rule's target. */
export interface BusEvent {
  version: '0'
  id: string
  'detail-type': string
  source: string
  account: string
  time: string
  region: string
  resources: string[]
  detail: Record<string, unknown>
}

export interface LoggedCall {
  operation: string
  /** As they stand in the path: CloudTrail logs path labels percent-encoded and under the wire's name (`name`, not `clusterName`). */
  rawLabels: Record<string, string>
  query: Record<string, unknown>
  body: Record<string, unknown>
  callerArn: string
  place: Place
}

/**
 * What CloudTrail delivers for a write, accepted or refused. The shape follows AWS's published CreateCluster record and real records of
 * access-entry calls; a refusal has `errorCode`, `errorMessage` and no response.
 */
export function apiCallEvent(call: LoggedCall, outcome: Record<string, unknown> | AwsError): BusEvent {
  const { account, region } = call.place
  const time = new Date().toISOString().replace(/\.\d+Z$/, 'Z')
  const refused = outcome instanceof AwsError
  return busEvent('AWS API Call via CloudTrail', call.place, [], {
    eventVersion: '1.11',
    userIdentity: identityOf(call.callerArn, account),
    eventTime: time,
    eventSource: 'eks.amazonaws.com',
    eventName: call.operation,
    awsRegion: region,
    sourceIPAddress: '127.0.0.1',
    userAgent: 'lab',
    ...(refused && { errorCode: errorCodeOf(outcome), errorMessage: outcome.message }),
    requestParameters: { ...call.rawLabels, ...call.query, ...call.body },
    responseElements: refused ? null : outcome,
    requestID: randomUUID(),
    eventID: randomUUID(),
    readOnly: false,
    eventType: 'AwsApiCall',
    managementEvent: true,
    recipientAccountId: account,
    eventCategory: 'Management',
  })
}

/** `EKS Addon Update Succeeded` and its like. AWS publishes no schema of `detail`; the ARN in `resources` is what can be relied on. */
export function addonEvent(what: string, holding: Holding, addon: Addon): BusEvent {
  return busEvent(`EKS Addon ${what}`, holding, [addon.addonArn], {
    clusterName: addon.clusterName,
    addonName: addon.addonName,
    addonVersion: addon.addonVersion,
    status: addon.status,
  })
}

function busEvent(
  detailType: string,
  { account, region }: Place,
  resources: string[],
  detail: Record<string, unknown>,
): BusEvent {
  const time = new Date().toISOString().replace(/\.\d+Z$/, 'Z')
  return {
    version: '0',
    id: randomUUID(),
    'detail-type': detailType,
    source: 'aws.eks',
    account,
    time,
    region,
    resources,
    detail,
  }
}

function identityOf(arn: string, accountId: string) {
  const [, role] = /assumed-role\/([^/]+)\//.exec(arn) ?? []
  if (role === undefined) return { type: 'IAMUser', arn, accountId }
  const sessionIssuer = { type: 'Role', arn: `arn:aws:iam::${accountId}:role/${role}`, accountId, userName: role }
  return { type: 'AssumedRole', arn, accountId, sessionContext: { sessionIssuer } }
}

/** CloudTrail's own spelling of one code; the others are the API's. */
const errorCodeOf = ({ code }: AwsError): string => (code === 'AccessDeniedException' ? 'AccessDenied' : code)
