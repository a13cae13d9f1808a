import { randomUUID } from 'node:crypto'
import { AwsError } from './aws-error.ts'
import { type Answer, type Endpoint, type Request, serve } from './endpoint.ts'
import type { Caller, Credentials, Keyring } from './keyring.ts'

export interface StsOptions {
  keyring: Keyring
  /** Whether this caller may take this role; every role may be taken when absent. */
  mayAssume?: (callerArn: string, roleArn: string, externalId: string | undefined) => boolean
  onCall?: (operation: string, callerArn: string) => void
}

/** STS: AssumeRole and GetCallerIdentity. Role chaining works, sessions end with the lab. */
export const startSts = (options: StsOptions): Promise<Endpoint> =>
  serve(async (request) => {
    const input = new URLSearchParams(request.body)
    const action = input.get('Action') ?? ''
    try {
      return answer(action, perform(action, input, options, callerOf(action, request, options)))
    } catch (error) {
      if (!(error instanceof AwsError)) throw error
      return refusal(error)
    }
  })

function callerOf(action: string, { headers }: Request, { keyring, onCall }: StsOptions): Caller {
  const caller = keyring.caller(headers)
  onCall?.(action, caller.credentials.arn)
  return caller
}

function perform(action: string, input: URLSearchParams, options: StsOptions, { credentials }: Caller): string {
  if (action === 'GetCallerIdentity') return identityXml(credentials)
  if (action !== 'AssumeRole') throw new AwsError('InvalidAction', 400, `The lab's STS does not know ${action}`)
  const [roleArn, session] = [input.get('RoleArn') ?? '', input.get('RoleSessionName') ?? '']
  if (!/^arn:aws[\w-]*:iam::\d{12}:role\/.+$/.test(roleArn) || !/^[\w+=,.@-]{2,64}$/.test(session))
    throw new AwsError('ValidationError', 400, 'RoleArn or RoleSessionName is not one.')
  if (options.mayAssume?.(credentials.arn, roleArn, input.get('ExternalId') ?? undefined) === false) {
    const message = `User: ${credentials.arn} is not authorized to perform: sts:AssumeRole on resource: ${roleArn}`
    throw new AwsError('AccessDenied', 403, message)
  }
  return assumedXml(options.keyring.forRole(roleArn, session))
}

const identityXml = ({ arn, account, accessKeyId }: Credentials): string =>
  `<Arn>${arn}</Arn><UserId>${accessKeyId}</UserId><Account>${account}</Account>`

const assumedXml = ({ accessKeyId, secretAccessKey, sessionToken, arn }: Credentials): string =>
  `<Credentials><AccessKeyId>${accessKeyId}</AccessKeyId><SecretAccessKey>${secretAccessKey}</SecretAccessKey>` +
  `<SessionToken>${sessionToken}</SessionToken><Expiration>${new Date(Date.now() + 3_600_000).toISOString()}</Expiration>` +
  `</Credentials><AssumedRoleUser><Arn>${arn}</Arn><AssumedRoleId>AROALAB:${arn.split('/').at(-1)}</AssumedRoleId></AssumedRoleUser>`

const answer = (action: string, result: string): Answer => ({
  status: 200,
  headers: { 'content-type': 'text/xml' },
  body:
    `<${action}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><${action}Result>${result}</${action}Result>` +
    `<ResponseMetadata><RequestId>${randomUUID()}</RequestId></ResponseMetadata></${action}Response>`,
})

const refusal = ({ code, status, message }: AwsError): Answer => ({
  status,
  headers: { 'content-type': 'text/xml' },
  body: `<ErrorResponse><Error><Type>Sender</Type><Code>${queryCodes[code] ?? code}</Code><Message>${message}</Message></Error></ErrorResponse>`,
})

/** Services of the query protocol name the same refusals differently. */
const queryCodes: Record<string, string> = {
  UnrecognizedClientException: 'InvalidClientTokenId',
  MissingAuthenticationTokenException: 'MissingAuthenticationToken',
}
