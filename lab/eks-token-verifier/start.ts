import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { z } from 'zod'
import { adminClient, isStatus } from '../admin-client.ts'
import { requireBinary } from '../binaries.ts'
import type { AuthenticatedUser } from '../cluster.ts'
import { freePorts, listenLocally } from '../loopback.ts'
import { createAuthority } from '../pki.ts'
import { startProcess, untilReady } from '../processes.ts'
import { configuration, environment, type TokenVerifierOptions } from './configuration.ts'
import { createSts } from './sts.ts'
import { createStsProxy } from './sts-proxy.ts'

export interface TokenVerifier {
  /** The user a bearer token stands for, or undefined where it is refused. Fit for `ClusterOptions.authenticate`. */
  readonly authenticate: (token: string) => Promise<AuthenticatedUser | undefined>
  readonly stop: () => Promise<void>
}

/**
 * The verifier that EKS runs, aws-iam-authenticator, for one cluster, with a local STS in place of AWS'. It takes that STS for the
 * real one: it asks for it by AWS' names through a proxy of ours and trusts our authority in place of the system's.
 */
export async function startTokenVerifier({ clusterName, roles }: TokenVerifierOptions): Promise<TokenVerifier> {
  const command = requireBinary('aws-iam-authenticator')
  const folder = mkdtempSync(join(tmpdir(), 'eks-token-verifier-'))
  const authority = await createAuthority('lab-aws-ca')
  const sts = createSts(authority, roles)
  const proxy = createStsProxy(await listenLocally(sts))
  const env = environment(folder, authority.certPem, await listenLocally(proxy))
  const [port = 0] = await freePorts(1)
  const config = join(folder, 'config.yaml')
  writeFileSync(config, stringify(configuration({ clusterName, roles, folder, port })))
  const own = await authority.issue({ commonName: 'aws-iam-authenticator', usage: 'server' })
  writeFileSync(join(folder, 'cert.pem'), own.certPem)
  writeFileSync(join(folder, 'key.pem'), own.keyPem, { mode: 0o600 })
  const logFile = join(folder, 'aws-iam-authenticator.log')
  const healthPort = await holdHealthPort()
  const verifier = startProcess({
    name: 'aws-iam-authenticator',
    command,
    args: ['server', '--config', config],
    logFile,
    env,
  })
  const client = adminClient({ server: `https://127.0.0.1:${port}`, caPem: authority.certPem, token: '' })
  const stop = async (): Promise<void> => {
    await verifier.kill()
    client.close()
    for (const server of [sts, proxy]) {
      server.close()
      server.closeAllConnections()
    }
    healthPort?.close()
    rmSync(folder, { recursive: true, force: true })
  }
  try {
    await untilReady(verifier, async () => (await client.request('GET', '/healthz')) === 'ok')
  } catch (error) {
    await stop()
    throw error
  }
  return { authenticate: (token) => review(client, token), stop }
}

/**
 * The authenticator serves a second health page on port 21363 of all interfaces, and goes on without where the port is taken. So it
 * is taken, on loopback; if it is not to be had, somebody else has taken it already.
 */
function holdHealthPort(): Promise<Server | undefined> {
  const holder = createServer((socket) => socket.destroy())
  return new Promise((resolve) => {
    holder.once('error', () => resolve(undefined))
    holder.listen(21_363, '127.0.0.1', () => resolve(holder))
  })
}

const reviewed = z.object({
  status: z.object({
    authenticated: z.boolean().default(false),
    user: z.object({ username: z.string(), groups: z.array(z.string()).default([]) }).optional(),
  }),
})

async function review(client: ReturnType<typeof adminClient>, token: string): Promise<AuthenticatedUser | undefined> {
  const body = { apiVersion: 'authentication.k8s.io/v1beta1', kind: 'TokenReview', spec: { token } }
  try {
    const { status } = reviewed.parse(await client.request('POST', '/authenticate', body))
    return status.authenticated ? status.user : undefined
  } catch (error) {
    if (isStatus(error, 403)) return undefined
    throw error
  }
}
