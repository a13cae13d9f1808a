import { SignatureV4 } from '@smithy/signature-v4'
import { serviceHost } from '../../domain/partitions.ts'
import { Sha256 } from './sha256.ts'

export interface AwsCredentials {
  accessKeyId: string
  secretAccessKey: string
  sessionToken?: string
}
export type CredentialsProvider = () => Promise<AwsCredentials>

/** The verifier accepts a token for fifteen minutes after its date; it is renewed well before that. */
const lifetimeMs = 10 * 60_000

export interface TokenRequest {
  region: string
  /** The cluster's name; on Outposts its id. */
  tokenFor: string
  now: Date
}

/** A presigned GetCallerIdentity. EKS sends it to STS to learn the caller's identity. Created without a request. */
export async function signToken({ region, tokenFor, now }: TokenRequest, credentials: AwsCredentials): Promise<string> {
  // The regional STS, whatever endpoint the environment has for calls: the URL is only signed, not called.
  const host = serviceHost('sts', region)
  const signer = new SignatureV4({ credentials, region, service: 'sts', sha256: Sha256, applyChecksum: false })
  const request = {
    method: 'GET',
    protocol: 'https:',
    hostname: host,
    path: '/',
    headers: { host, 'x-k8s-aws-id': tokenFor },
    query: { Action: 'GetCallerIdentity', Version: '2011-06-15' },
  }
  const { query = {} } = await signer.presign(request, { expiresIn: 60, signingDate: now })
  const pairs = Object.keys(query)
    .toSorted()
    .map((name) => `${escaped(name)}=${escaped(String(query[name]))}`)
  return `k8s-aws-v1.${Buffer.from(`https://${host}/?${pairs.join('&')}`).toString('base64url')}`
}

/** RFC 3986, as the signature was computed over it. */
const escaped = (text: string): string =>
  encodeURIComponent(text).replace(/[!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`)

/** Tokens of one identity, one for each cluster; discarded when the credentials change. */
export function tokens(region: string, credentials: CredentialsProvider, now: () => Date = () => new Date()) {
  const kept = new Map<string, { token: string; until: number; accessKeyId: string }>()
  return async (tokenFor: string, { fresh }: { fresh: boolean }): Promise<string> => {
    const identity = await credentials()
    const { accessKeyId } = identity
    const known = kept.get(tokenFor)
    const at = now()
    if (known?.accessKeyId === accessKeyId && !fresh && at.getTime() < known.until) return known.token
    const token = await signToken({ region, tokenFor, now: at }, identity)
    kept.set(tokenFor, { token, until: at.getTime() + lifetimeMs, accessKeyId })
    return token
  }
}
