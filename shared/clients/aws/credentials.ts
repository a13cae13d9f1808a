import { AssumeRoleCommand, type STSClient } from '@aws-sdk/client-sts'
import { inTime } from './limits.ts'
import type { AwsCredentials } from './eks-token.ts'

export interface AssumedRole {
  roleArn: string
  /** What the role's trust asks for; absent: it asks for none. */
  externalId?: string | undefined
  /** Who did it, as the other account's CloudTrail shows it. */
  session?: string | undefined
}

export interface RoleCredentials extends AwsCredentials {
  expiration: Date
}

/** Before its end, so that a call that begins now does not end without credentials. */
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
    // Another caller may have asked in the meantime.
    const asked = current === undefined || current === seen ? assumed(sts, role) : current
    current = asked
    return asked
  }
}

/** Shorter than that of the call which needs the credentials, so that it is known which one did not answer. */
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
      // It comes out of the call that needed the credentials, which is not the one that failed.
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
    throw new Error(`STS gave no credentials for ${roleArn}.`)
  return { accessKeyId, secretAccessKey, sessionToken, expiration }
}
