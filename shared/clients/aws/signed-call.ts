import { SignatureV4 } from '@smithy/signature-v4'
import { counted, outOfTime, timeLeft } from '../../deadline.ts'
import { serviceHost } from '../../domain/partitions.ts'
import type { CredentialsProvider } from './eks-token.ts'
import { Sha256 } from './sha256.ts'

/** The endpoint and credentials for an AWS API with a JSON protocol. */
export interface SignedPlace {
  /** Name of the service in signatures and host names: `monitoring`, `ssm`. */
  service: string
  region: string
  credentials: CredentialsProvider
  /** The version of its JSON protocol. */
  protocol: '1.0' | '1.1'
  /** Instead of the service's endpoint. */
  endpoint?: string | undefined
}

/**
 * All calls that are made so, with the permission that each needs; another does not compile. A test compares them with the
 * roles of the functions.
 */
export const signedActions = {
  'AmazonSSM.GetParameter': 'ssm:GetParameter',
  'AWSOrganizationsV20161128.ListAccounts': 'organizations:ListAccounts',
  'AWSOrganizationsV20161128.ListAccountsForParent': 'organizations:ListAccountsForParent',
  'AWSOrganizationsV20161128.ListOrganizationalUnitsForParent': 'organizations:ListOrganizationalUnitsForParent',
  'AWSOrganizationsV20161128.ListTagsForResource': 'organizations:ListTagsForResource',
  'GraniteServiceVersion20100801.DescribeAlarms': 'cloudwatch:DescribeAlarms',
  'Logs_20140328.DescribeLogGroups': 'logs:DescribeLogGroups',
  'StarlingDoveService.DescribeConfigurationRecorders': 'config:DescribeConfigurationRecorders',
} as const
type Target = keyof typeof signedActions
/** What may follow a service's name in a target. */
export type OperationOf<Service extends string> = Target extends infer T
  ? T extends `${Service}.${infer Operation}`
    ? Operation
    : never
  : never

const deadlineMs = 5_000

/**
 * One call of an AWS API in JSON; the SDK's client would be as large as all our own code. `target`:
 * `AmazonSSM.GetParameter`. Throws with HTTP status and the error's name; other content of an error answer is left
 * out.
 */
export const signedCall = (place: SignedPlace, target: Target, request: object): Promise<unknown> =>
  counted(place.service, () => call(place, target, request))

const call = async (place: SignedPlace, target: Target, request: object): Promise<unknown> => {
  const { service, region, credentials, protocol, endpoint } = place
  const ms = Math.min(deadlineMs, timeLeft())
  if (ms <= 0) throw outOfTime(service)
  const url = new URL(endpoint ?? `https://${serviceHost(service, region)}`)
  const body = JSON.stringify(request)
  const signer = new SignatureV4({ credentials, region, service, sha256: Sha256 })
  const signed = await signer.sign({
    method: 'POST',
    protocol: url.protocol,
    hostname: url.hostname,
    path: '/',
    headers: { host: url.host, 'content-type': `application/x-amz-json-${protocol}`, 'x-amz-target': target },
    body,
  })
  const { host: _fetchSetsIt, ...headers } = signed.headers
  const response = await fetch(url, { method: 'POST', headers, body, signal: AbortSignal.timeout(ms) })
  const text = await response.text()
  if (response.ok) return JSON.parse(text)
  throw new Error(`HTTP ${response.status}, ${/"__type":\s*"(?:[^"]*#)?(\w+)"/.exec(text)?.[1] ?? ''}`)
}
