import type { AuthenticatedUser } from '../cluster.ts'
import { isSignedBy, readPresigned } from '../eks-token-verifier/signature-v4.ts'
import type { Holding } from './eks-model.ts'
import type { Credentials, Keyring } from './keyring.ts'

const prefix = 'k8s-aws-v1.'
const longest = 4096
const minutes = 60_000
const parameters = [
  'Action',
  'Version',
  'X-Amz-Algorithm',
  'X-Amz-Credential',
  'X-Amz-Date',
  'X-Amz-Expires',
  'X-Amz-Security-Token',
  'X-Amz-Signature',
  'X-Amz-SignedHeaders',
].join()

/**
 * Whose token it is, by the rules of aws-iam-authenticator (pkg/token) and, in STS's place, by the signature itself. Undefined for
 * whatever EKS would answer with 401. For embedded clusters; real ones ask the real authenticator.
 */
export function identityOf(token: string, clusterName: string, keyring: Keyring, now: number): Credentials | undefined {
  if (!token.startsWith(prefix) || token.length > longest) return undefined
  const url = URL.parse(Buffer.from(token.slice(prefix.length), 'base64url').toString())
  if (url?.protocol !== 'https:' || url.pathname !== '/') return undefined
  const query = [...url.searchParams]
  const names = query.map(([name]) => name).toSorted()
  if (names.join() !== parameters || url.searchParams.get('Action') !== 'GetCallerIdentity') return undefined
  const request = { path: '/', query, headers: { host: url.host, 'x-k8s-aws-id': clusterName } }
  const presigned = readPresigned(request)
  if (presigned?.service !== 'sts' || url.host !== `sts.${presigned.region}.amazonaws.com`) return undefined
  if (!url.searchParams.get('X-Amz-SignedHeaders')?.split(';').includes('x-k8s-aws-id')) return undefined
  const age = now - presigned.signedAt.getTime()
  if (age > 15 * minutes || age < -5 * minutes) return undefined
  const credentials = keyring.find(presigned.accessKeyId)
  if (credentials?.sessionToken !== presigned.sessionToken) return undefined
  return credentials && isSignedBy(credentials.secretAccessKey, request, presigned) ? credentials : undefined
}

/** The Kubernetes user that the cluster's access entries make of the token; undefined is a 401. */
export function userOf(
  token: string,
  { cluster, accessEntries }: Holding,
  keyring: Keyring,
  now = Date.now(),
): AuthenticatedUser | undefined {
  const identity = identityOf(token, cluster.name, keyring, now)
  const entry = accessEntries.get(identity?.roleArn ?? identity?.arn ?? '')
  return entry && { username: entry.username, groups: [...entry.kubernetesGroups, 'system:authenticated'] }
}

/** The same for an API server's `authenticate`. If EKS has no such cluster, or no longer, no user is known. */
export const userIn = async (
  holding: Holding | undefined,
  token: string,
  keyring: Keyring,
): Promise<AuthenticatedUser | undefined> => holding && userOf(token, holding, keyring)
