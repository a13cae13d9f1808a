import { SignatureV4 } from '@smithy/signature-v4'
import { Sha256 } from './sha256.ts'

export interface AwsCredentials {
  accessKeyId: string
  secretAccessKey: string
  sessionToken?: string
}
export type CredentialsProvider = () => Promise<AwsCredentials>

/** The verifier accepts a token for fifteen minutes after its date; it is renewed well before that. */
const lifetimeMs = 10 * 60_000

/**
 * The domains of AWS' partitions; the verifier rejects a host of another one (aws-iam-authenticator,
 * pkg/endpoints/partitions.go).
 */
const domains: readonly [prefix: string, domain: string][] = [
  ['cn-', 'amazonaws.com.cn'],
  ['us-iso-', 'c2s.ic.gov'],
  ['us-isob-', 'sc2s.sgov.gov'],
  ['eu-isoe-', 'cloud.adc-e.uk'],
  ['us-isof-', 'csp.hci.ic.gov'],
  ['eusc-', 'amazonaws.eu'],
]

/** Of a service in a region, in its partition's domain. */
export const serviceHost = (service: string, region: string): string =>
  `${service}.${region}.${domains.find(([prefix]) => region.startsWith(prefix))?.[1] ?? 'amazonaws.com'}`

/** The regional STS, whatever endpoint the environment has for calls: the URL is only signed, not called. */
export const stsHost = (region: string): string => serviceHost('sts', region)

export interface TokenRequest {
  region: string
  /** The cluster's name; on Outposts its id. */
  tokenFor: string
  now: Date
}

/** A presigned GetCallerIdentity. EKS sends it to STS to learn the caller's identity. Created without a request. */
export async function signToken({ region, tokenFor, now }: TokenRequest, credentials: AwsCredentials): Promise<string> {
  const host = stsHost(region)
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
