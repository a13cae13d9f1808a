import { AssumeRoleCommand, type STSClient } from '@aws-sdk/client-sts'
import { inTime } from './limits.ts'
import type { AwsCredentials } from './eks-token.ts'

export interface AssumedRole {
  roleArn: string
  /** The external id that the role's trust policy requires; absent: none. */
  externalId?: string | undefined
  /** The session name in the other account's CloudTrail. */
  session?: string | undefined
}

export interface RoleCredentials extends AwsCredentials {
  expiration: Date
}

/** Renewed before the end, so that credentials do not expire during a call. */
const marginMs = 5 * 60_000

/**
 * The credentials of a role in another account, assumed when first needed and kept until shortly before they expire.
 * Callers at the same time share one call.
 */
export function assumeRole(
  sts: STSClient,
  role: AssumedRole,
  now: () => Date = () => new Date(),
): () => Promise<RoleCredentials> {
  let current: Promise<RoleCredentials> | undefined
  return async () => {
    const seen = current
    const known = await seen?.catch(() => undefined)
    if (known && known.expiration.getTime() - now().getTime() > marginMs) return known
    // Another caller may have requested them in the meantime.
    const asked = current === undefined || current === seen ? assumed(sts, role) : current
    current = asked
    return asked
  }
}

/** Shorter than the deadline of the call that needs the credentials, so that the error names the right call. */
const deadlineMs = 8_000
const assuming = 'sts:AssumeRole'

async function assumed(sts: STSClient, { roleArn, externalId, session }: AssumedRole): Promise<RoleCredentials> {
  const command = new AssumeRoleCommand({
    RoleArn: roleArn,
    RoleSessionName: session ?? 'calico-ipvs-sync',
    ...(externalId !== undefined && { ExternalId: externalId }),
    DurationSeconds: 3_600,
  })
  const { Credentials: given } = await inTime(assuming, (options) => sts.send(command, options), deadlineMs).catch(
    (error: unknown) => {
      // The call that needs the credentials throws this error, but STS failed.
      throw error instanceof Error ? Object.assign(error, { call: assuming }) : error
    },
  )
  const {
    AccessKeyId: accessKeyId,
    SecretAccessKey: secretAccessKey,
    SessionToken: sessionToken,
    Expiration: expiration,
  } = given ?? {}
  if (!accessKeyId || !secretAccessKey || !sessionToken || !expiration)
    throw new Error(`STS returned no credentials for ${roleArn}.`)
  return { accessKeyId, secretAccessKey, sessionToken, expiration }
}
