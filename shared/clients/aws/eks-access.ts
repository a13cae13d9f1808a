import { EKSClient } from '@aws-sdk/client-eks'
import { STSClient } from '@aws-sdk/client-sts'
import { awsFailure } from './failure.ts'
import { limited, remembering } from './limits.ts'
import { failureOf, type Read } from '../../domain/read.ts'
import { fromBase64 } from '../certificates.ts'
import type { KubeConnection } from '../kube/connection.ts'
import type { Proxy } from '../proxy.ts'
import { type AssumedRole, assumeRole } from './credentials.ts'
import { type EksClient, eksClient, type EksEndpoint } from './eks.ts'
import { type CredentialsProvider, tokens } from './eks-token.ts'

/** One account and region: its EKS API and the connections to its clusters' API servers. */
export interface EksAccess {
  eks: EksClient
  /** For EKS calls that only one command needs. */
  sdk: EKSClient
  connection: (endpoint: EksEndpoint) => KubeConnection
}

export interface EksPlace extends Omit<AssumedRole, 'roleArn'> {
  region: string
  /** Absent: the caller's own credentials. */
  roleArn?: string | undefined
  /** Credentials other than those of the environment: for assuming the role, or without a role for the calls. */
  as?: Principal | undefined
}

export interface Principal {
  /** The key of a place. */
  id: string
  profile?: string
  credentials: CredentialsProvider
}

/** EKS throttles for each account and region and publishes no rates: the client adapts to throttling. */
const patience = { ...limited, retryMode: 'adaptive', maxAttempts: 5 }

/** How AWS and its clusters are reached, where not directly and with what the environment has. */
export interface EksWay {
  /** Options of every client of the SDK. */
  sdk?: object
  proxyOf?: (server: string) => Proxy | undefined
}

/** Created once and reused: connections, credentials and tokens serve the next cluster too. */
export function eksAccess(way: EksWay = {}): (place: EksPlace) => EksAccess {
  const known = new Map<string, EksAccess>()
  return (place) => {
    const key = JSON.stringify([place.region, place.roleArn, place.externalId, place.session, place.as?.id])
    const access = known.get(key) ?? accessTo(place, way, () => known.delete(key))
    known.set(key, access)
    return access
  }
}

/** Asks again if the credentials were refused: the role is then assumed anew. */
export const withRoleAnew = async <T>(ask: () => Promise<Read<T>>): Promise<Read<T>> => {
  const answer = await ask()
  return failureOf(answer)?.kind === 'unauthenticated' ? ask() : answer
}

/** A role that was deleted and made again leaves credentials that AWS refuses until their end: the next call assumes the role anew. */
const unlessRefused =
  (forget: () => void) =>
  <In, Out>(next: (args: In) => Promise<Out>) =>
  (args: In): Promise<Out> =>
    next(args).catch((error: unknown) => {
      if (awsFailure(error, '').kind === 'unauthenticated') forget()
      throw error
    })

function accessTo(
  { region, roleArn, externalId, session, as }: EksPlace,
  { sdk: reached, proxyOf }: EksWay,
  forget: () => void,
): EksAccess {
  const own = { region, ...reached, ...(as && { credentials: as.credentials }) }
  const assumed = () =>
    roleArn && assumeRole(remembering(new STSClient({ ...limited, ...own })), { roleArn, externalId, session })
  let role = assumed() || undefined
  const sdk = remembering(new EKSClient({ ...patience, ...own, ...(role && { credentials: role }) }))
  if (role)
    sdk.middlewareStack.add(
      unlessRefused(() => {
        // For the tokens of connections that stay; the client of the SDK keeps the credentials, so it is replaced.
        role = assumed() || undefined
        forget()
      }),
    )
  return {
    eks: eksClient(sdk),
    sdk,
    connection: ({ server, caData, tokenFor }) => {
      // Kept with the connection: a cluster that was created again under the same name gets a new connection and new
      // tokens.
      const token = tokens(region, () => (role ?? sdk.config.credentials)())
      const proxy = proxyOf?.(server)
      return { server, ca: fromBase64(caData), ...(proxy && { proxy }), token: (options) => token(tokenFor, options) }
    },
  }
}
