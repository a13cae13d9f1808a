import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import type { AuthenticatedUser } from '../cluster.ts'
import type { Holding } from './eks-model.ts'
import type { Credentials, Keyring } from './keyring.ts'

const prefix = 'k8s-aws-v1.'
const longest = 4096
const lifetime = 15 * 60_000
const allowed =
  'Action,Version,X-Amz-Algorithm,X-Amz-Credential,X-Amz-Date,X-Amz-Expires,X-Amz-Security-Token,X-Amz-Signature,X-Amz-SignedHeaders'

/**
 * Whose token it is: the checks of aws-iam-authenticator (pkg/token) and, in STS's place, the signature itself. Undefined for whatever
 * EKS would answer with 401.
 */
export function identityOf(
  token: string,
  clusterName: string,
  keyring: Keyring,
  at = Date.now(),
): Credentials | undefined {
  if (!token.startsWith(prefix) || token.length > longest) return undefined
  const url = parseUrl(Buffer.from(token.slice(prefix.length), 'base64url').toString())
  if (url?.protocol !== 'https:' || url.pathname !== '/' || !/^sts[\w.-]*\.amazonaws\.com$/.test(url.hostname))
    return undefined
  const query = url.searchParams
  if ([...query.keys()].sort().join(',') !== allowed) return undefined
  if (query.get('Action') !== 'GetCallerIdentity' || query.get('X-Amz-SignedHeaders') !== 'host;x-k8s-aws-id')
    return undefined
  const signed = Date.parse((query.get('X-Amz-Date') ?? '').replace(/^(....)(..)(..T..)(..)(..Z)$/, '$1-$2-$3:$4:$5'))
  if (!(signed <= at + 5 * 60_000 && signed > at - lifetime)) return undefined
  const credentials = keyring.find(query.get('X-Amz-Credential')?.split('/')[0] ?? '')
  if (credentials === undefined || query.get('X-Amz-Security-Token') !== credentials.sessionToken) return undefined
  const [given, own] = [query.get('X-Amz-Signature') ?? '', signatureOf(url, clusterName, credentials)]
  return given.length === own.length && timingSafeEqual(Buffer.from(given), Buffer.from(own)) ? credentials : undefined
}

/** The Kubernetes user that the cluster's access entries make of the token; undefined is a 401. */
export function userOf(
  token: string,
  { cluster, accessEntries }: Holding,
  keyring: Keyring,
): AuthenticatedUser | undefined {
  const identity = identityOf(token, cluster.name, keyring)
  const entry = accessEntries.get(identity?.roleArn ?? identity?.arn ?? '')
  return entry && { username: entry.username, groups: [...entry.kubernetesGroups, 'system:authenticated'] }
}

/** Signature Version 4 of a presigned GET with an empty body. */
function signatureOf(url: URL, clusterName: string, { secretAccessKey }: Credentials): string {
  const [, date = '', region = '', service = '', terminator = ''] = (
    url.searchParams.get('X-Amz-Credential') ?? ''
  ).split('/')
  const query = [...url.searchParams]
    .filter(([name]) => name !== 'X-Amz-Signature')
    .map(([name, value]) => `${escape(name)}=${escape(value)}`)
    .sort()
    .join('&')
  const headers = `host:${url.host}\nx-k8s-aws-id:${clusterName}\n`
  const request = ['GET', '/', query, headers, 'host;x-k8s-aws-id', sha256('')].join('\n')
  const scope = [date, region, service, terminator].join('/')
  const text = ['AWS4-HMAC-SHA256', url.searchParams.get('X-Amz-Date'), scope, sha256(request)].join('\n')
  const key = [date, region, service, terminator].reduce<string | Buffer>(
    (secret, part) => hmac(secret, part),
    `AWS4${secretAccessKey}`,
  )
  return hmac(key, text).toString('hex')
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')
const hmac = (key: string | Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest()
const escape = (text: string): string =>
  encodeURIComponent(text).replace(/[!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`)
const parseUrl = (text: string): URL | undefined => (URL.canParse(text) ? new URL(text) : undefined)
