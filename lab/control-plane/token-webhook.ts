import { createServer } from 'node:https'
import { join } from 'node:path'
import { z } from 'zod'
import type { AuthenticatedUser, ClusterOptions } from '../cluster.ts'
import { listenLocally } from '../loopback.ts'
import type { ClusterFiles } from './files.ts'
import { writeKubeconfig } from './files.ts'

const tokenReview = z.object({ apiVersion: z.string(), spec: z.object({ token: z.string() }) })

export interface TokenWebhook {
  /** What kube-apiserver's `--authentication-token-webhook-config-file` is given. */
  kubeconfig: string
  close: () => void
}

/** Answers the API server's TokenReviews by `authenticate`; who it throws for or does not know is not authenticated. */
export async function serveTokenWebhook(
  files: ClusterFiles,
  authenticate: NonNullable<ClusterOptions['authenticate']>,
): Promise<TokenWebhook> {
  const { certPem, keyPem } = await files.authority.issue({ commonName: 'token-webhook', usage: 'server' })
  const server = createServer({ cert: certPem, key: keyPem }, (request, response) => {
    void review(request, authenticate).then((body) => response.setHeader('content-type', 'application/json').end(body))
  })
  const port = await listenLocally(server)
  const kubeconfig = writeKubeconfig({
    file: join(files.folder, 'token-webhook.yaml'),
    name: 'token-webhook',
    server: `https://127.0.0.1:${port}/authenticate`,
    caPem: files.authority.certPem,
    token: 'none-needed',
  })
  const close = (): void => {
    server.close()
    server.closeAllConnections()
  }
  return { kubeconfig, close }
}

async function review(
  request: AsyncIterable<unknown>,
  authenticate: NonNullable<ClusterOptions['authenticate']>,
): Promise<string> {
  const chunks: string[] = []
  for await (const chunk of request) chunks.push(String(chunk))
  const { apiVersion, spec } = tokenReview.parse(JSON.parse(chunks.join('')))
  const status = await authenticate(spec.token).then(statusOf, (error: unknown) => ({
    authenticated: false,
    error: String(error),
  }))
  return JSON.stringify({ apiVersion, kind: 'TokenReview', status })
}

const statusOf = (user: AuthenticatedUser | undefined) =>
  user ? { authenticated: true, user } : { authenticated: false }
