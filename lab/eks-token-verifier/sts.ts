import { createServer, type Server } from 'node:https'
import { createSecureContext, type SecureContext } from 'node:tls'
import { callbackify } from 'node:util'
import type { Authority } from '../pki.ts'
import { isSignedBy, type PresignedRequest, readPresigned } from './signature-v4.ts'

/** An IAM role and the keys of a session of it, as STS knows them. */
export interface RoleSession {
  accessKeyId: string
  secretAccessKey: string
  /** Where the keys are temporary ones that came with it. */
  sessionToken?: string
  /** `arn:aws:iam::111122223333:role/NAME` */
  roleArn: string
}

const regionOf = (host: string): string | undefined => /^sts\.([a-z0-9-]+)\.amazonaws\.com$/.exec(host)?.[1]
const minutes = 60_000

/**
 * Answers `GetCallerIdentity` as the regional endpoints of STS do, each under its own name, with a certificate of the authority's.
 * A request counts for fifteen minutes whatever its `X-Amz-Expires` says, as with AWS.
 */
export function createSts(authority: Authority, sessions: RoleSession[]): Server {
  const contexts = new Map<string, Promise<SecureContext>>()
  const contextOf = (host: string): Promise<SecureContext> => {
    const known = contexts.get(host) ?? certify(authority, host)
    contexts.set(host, known)
    return known
  }
  return createServer({ SNICallback: callbackify(contextOf) }, (request, response) => {
    const { status, body } = identify({ ...parsed(request.url ?? ''), headers: request.headers }, sessions)
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
  })
}

async function certify(authority: Authority, host: string): Promise<SecureContext> {
  const { certPem, keyPem } = await authority.issue({ commonName: host, dnsNames: [host], usage: 'server' })
  return createSecureContext({ cert: certPem, key: keyPem })
}

interface Answer {
  status: number
  body: object
}

function identify(request: PresignedRequest, sessions: RoleSession[], now = Date.now()): Answer {
  const presigned = readPresigned(request)
  if (!presigned) return refusal('MissingAuthenticationToken', 'Request is missing Authentication Token')
  const session = sessions.find(({ accessKeyId }) => accessKeyId === presigned.accessKeyId)
  if (!session || session.sessionToken !== presigned.sessionToken) {
    return refusal('InvalidClientTokenId', 'The security token included in the request is invalid.')
  }
  const age = now - presigned.signedAt.getTime()
  if (age > 15 * minutes) return refusal('SignatureDoesNotMatch', 'Signature expired')
  if (age < -5 * minutes) return refusal('SignatureDoesNotMatch', 'Signature not yet current')
  if (presigned.service !== 'sts' || presigned.region !== regionOf(String(request.headers['host']))) {
    return refusal('SignatureDoesNotMatch', 'Credential should be scoped to a valid region.')
  }
  if (!isSignedBy(session.secretAccessKey, request, presigned)) {
    return refusal(
      'SignatureDoesNotMatch',
      'The request signature we calculated does not match the signature you provided.',
    )
  }
  return callerIdentity(session)
}

function callerIdentity({ roleArn }: RoleSession): Answer {
  const [, partition, , , account = ''] = roleArn.split(':')
  // A session's ARN has the role's name without its path.
  const Arn = `arn:${partition}:sts::${account}:assumed-role/${roleArn.split('/').at(-1)}/lab-session`
  const GetCallerIdentityResult = { Account: account, Arn, UserId: 'AROAEXAMPLEROLEID0001:lab-session' }
  const ResponseMetadata = { RequestId: '00000000-0000-4000-8000-000000000000' }
  return { status: 200, body: { GetCallerIdentityResponse: { GetCallerIdentityResult, ResponseMetadata } } }
}

const refusal = (Code: string, Message: string): Answer => ({
  status: 403,
  body: { Error: { Code, Message, Type: 'Sender' }, RequestId: '00000000-0000-4000-8000-000000000000' },
})

/** By hand, because a `+` in a query of AWS is a plus sign, which `URLSearchParams` takes for a space. */
function parsed(url: string): Pick<PresignedRequest, 'path' | 'query'> {
  const [path = '/', search = ''] = url.split('?')
  const query = search.split('&').map((pair): [string, string] => {
    const [name = '', value = ''] = pair.split('=')
    return [decodeURIComponent(name), decodeURIComponent(value)]
  })
  return { path, query }
}
