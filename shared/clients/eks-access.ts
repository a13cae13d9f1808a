import { EKSClient } from '@aws-sdk/client-eks'
import { STSClient } from '@aws-sdk/client-sts'
import type { KubeConnection } from './connection.ts'
import { assumeRole } from './credentials.ts'
import { type EksClient, eksClient, type EksEndpoint } from './eks.ts'
import { tokens } from './eks-token.ts'

/** One account and region: its EKS API, and how its clusters' API servers are reached. */
export interface EksAccess {
  eks: EksClient
  connection: (endpoint: EksEndpoint) => KubeConnection
}

export interface EksPlace {
  region: string
  /** Absent: whoever we are. */
  roleArn?: string | undefined
}

/** EKS throttles per account and region and publishes no rates: the client slows down as it is told. */
const patience = { retryMode: 'adaptive', maxAttempts: 8 }

/** Made once and kept: connections, credentials and tokens serve the next cluster too. */
export function eksAccess(): (place: EksPlace) => EksAccess {
  const known = new Map<string, EksAccess>()
  return ({ region, roleArn }) => {
    const key = `${region} ${roleArn ?? ''}`
    const access = known.get(key) ?? accessTo(region, roleArn)
    known.set(key, access)
    return access
  }
}

function accessTo(region: string, roleArn: string | undefined): EksAccess {
  const role = roleArn === undefined ? undefined : assumeRole(new STSClient({ region }), roleArn)
  const sdk = new EKSClient({ region, ...patience, ...(role && { credentials: role }) })
  const token = tokens(region, role ?? (() => sdk.config.credentials()))
  return {
    eks: eksClient(sdk),
    connection: ({ server, caData, tokenFor }) => ({
      server,
      ca: Buffer.from(caData, 'base64').toString('utf8'),
      token: (options) => token(tokenFor, options),
    }),
  }
}
