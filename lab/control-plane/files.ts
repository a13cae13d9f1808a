import { randomBytes } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { type Authority, type Certificate, createAuthority } from '../pki.ts'

/** What the programs of one control plane are told by file: certificates, keys, tokens. All paths are absolute. */
export interface ClusterFiles {
  readonly folder: string
  readonly authority: Authority
  readonly adminToken: string
  readonly ca: string
  readonly serverCert: string
  readonly serverKey: string
  readonly kubeletClientCert: string
  readonly kubeletClientKey: string
  readonly frontProxyCa: string
  readonly frontProxyCert: string
  readonly frontProxyKey: string
  readonly tokens: string
}

/** Makes the folder and all that is in it anew; nothing of an earlier run counts. */
export async function writeClusterFiles(folder: string): Promise<ClusterFiles> {
  mkdirSync(folder, { recursive: true })
  const write = (name: string, text: string): string => {
    const path = join(folder, name)
    writeFileSync(path, text, { mode: 0o600 })
    return path
  }
  const [authority, frontProxy] = await Promise.all([createAuthority('lab-ca'), createAuthority('lab-front-proxy-ca')])
  const [server, kubelet, proxy] = await Promise.all([
    authority.issue({ commonName: 'lab', usage: 'server' }),
    authority.issue({ commonName: 'kube-apiserver-kubelet-client', usage: 'client' }),
    frontProxy.issue({ commonName: 'front-proxy-client', usage: 'client' }),
  ])
  const adminToken = randomBytes(24).toString('hex')
  const pair = (name: string, { certPem, keyPem }: Certificate) =>
    [write(`${name}.crt`, certPem), write(`${name}.key`, keyPem)] as const
  const [serverCert, serverKey] = pair('server', server)
  const [kubeletClientCert, kubeletClientKey] = pair('kubelet-client', kubelet)
  const [frontProxyCert, frontProxyKey] = pair('front-proxy', proxy)
  return {
    folder,
    authority,
    adminToken,
    ca: write('ca.crt', authority.certPem),
    serverCert,
    serverKey,
    kubeletClientCert,
    kubeletClientKey,
    frontProxyCa: write('front-proxy-ca.crt', frontProxy.certPem),
    frontProxyCert,
    frontProxyKey,
    tokens: write('tokens.csv', `${adminToken},admin,admin,"system:masters"\n`),
  }
}

export interface KubeconfigRequest {
  file: string
  name: string
  server: string
  caPem: string
  token: string
  /** What the server's certificate names, where that is not the host in `server`. */
  serverName?: string
}

/** A kubeconfig with nothing but the one cluster, as its current context; answers its path. */
export function writeKubeconfig({ file, name, server, caPem, token, serverName }: KubeconfigRequest): string {
  const cluster = {
    server,
    'certificate-authority-data': Buffer.from(caPem).toString('base64'),
    ...(serverName !== undefined && { 'tls-server-name': serverName }),
  }
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name, cluster }],
    users: [{ name: `${name}-admin`, user: { token } }],
    contexts: [{ name, context: { cluster: name, user: `${name}-admin` } }],
    'current-context': name,
  }
  writeFileSync(file, stringify(config), { mode: 0o600 })
  return file
}
