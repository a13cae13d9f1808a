import { randomBytes } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import { AwsError } from './aws-error.ts'

/** Temporary credentials and whose they are. `arn` is what STS would answer: `…:assumed-role/NAME/SESSION`, or a user's. */
export interface Credentials {
  accessKeyId: string
  secretAccessKey: string
  sessionToken: string
  arn: string
  account: string
  /** The role behind an assumed-role session; absent for a user. */
  roleArn?: string
}

/** Who signed a request, and for which region. */
export interface Caller {
  credentials: Credentials
  region: string
}

/** Every access key of the lab. A request signed with any other is refused, as AWS would. */
export interface Keyring {
  forRole(roleArn: string, session: string): Credentials
  forUser(arn: string): Credentials
  find(accessKeyId: string): Credentials | undefined
  /** Throws MissingAuthenticationTokenException or UnrecognizedClientException, both 403. */
  caller(headers: IncomingHttpHeaders): Caller
}

export function createKeyring(): Keyring {
  const keys = new Map<string, Credentials>()
  const issue = (arn: string, roleArn?: string): Credentials => {
    const account = arn.split(':')[4] ?? ''
    const credentials = { ...newKey(), arn, account, ...(roleArn === undefined ? {} : { roleArn }) }
    keys.set(credentials.accessKeyId, credentials)
    return credentials
  }
  return {
    forRole: (roleArn, session) => issue(sessionArn(roleArn, session), roleArn),
    forUser: (arn) => issue(arn),
    find: (accessKeyId) => keys.get(accessKeyId),
    caller: (headers) => {
      const signed = signatureOf(headers.authorization)
      if (signed === undefined)
        throw new AwsError('MissingAuthenticationTokenException', 403, 'Missing Authentication Token')
      const credentials = keys.get(signed.accessKeyId)
      if (credentials === undefined || headers['x-amz-security-token'] !== credentials.sessionToken)
        throw new AwsError('UnrecognizedClientException', 403, 'The security token included in the request is invalid.')
      return { credentials, region: signed.region }
    },
  }
}

/** `AWS4-HMAC-SHA256 Credential=KEY/DATE/REGION/SERVICE/aws4_request, SignedHeaders=…, Signature=…` */
export function signatureOf(authorization: string | undefined): { accessKeyId: string; region: string } | undefined {
  const parts =
    /^AWS4-HMAC-SHA256 Credential=([^/]+)\/\d{8}\/([^/]+)\/[^/]+\/aws4_request,.*Signature=[0-9a-f]{64}$/.exec(
      authorization ?? '',
    )
  return parts === null ? undefined : { accessKeyId: parts[1] ?? '', region: parts[2] ?? '' }
}

/** STS drops the path of a role's name in the session's ARN. */
function sessionArn(roleArn: string, session: string): string {
  const [, partition = 'aws', , , account = '', resource = ''] = roleArn.split(':')
  return `arn:${partition}:sts::${account}:assumed-role/${resource.split('/').at(-1)}/${session}`
}

const newKey = () => ({
  accessKeyId: `ASIA${randomBytes(8).toString('hex').toUpperCase()}`,
  secretAccessKey: randomBytes(30).toString('base64'),
  sessionToken: randomBytes(90).toString('base64'),
})
