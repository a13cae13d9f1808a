import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { RoleSession } from './sts.ts'

export interface AccessEntry extends RoleSession {
  /** The Kubernetes groups of the role's access entry; left out, the role has none and may not enter. */
  groups?: string[]
}

export interface TokenVerifierOptions {
  clusterName: string
  roles: AccessEntry[]
}

interface Configuration extends TokenVerifierOptions {
  folder: string
  port: number
}

/** aws-iam-authenticator's configuration file. Its certificate is `cert.pem` in the folder. */
export function configuration({ clusterName, roles, folder, port }: Configuration): object {
  const mapped = roles.filter(({ groups }) => groups !== undefined)
  return {
    clusterID: clusterName,
    server: {
      address: '127.0.0.1',
      port,
      stateDir: folder,
      kubeconfigPregenerated: true,
      backendMode: ['MountedFile'],
      mapRoles: mapped.map(({ roleArn, groups }) => {
        const [, partition, , , account] = roleArn.split(':')
        const name = roleArn.split('/').at(-1)
        // What EKS calls a role's session where its access entry names no user; and the role's path does not count.
        const username = `arn:${partition}:sts::${account}:assumed-role/${name}/{{SessionName}}`
        return { roleARN: `arn:${partition}:iam::${account}:role/${name}`, username, groups }
      }),
    },
  }
}

/** Go's programs take their proxy and their authorities from here. */
export function environment(folder: string, caPem: string, proxyPort: number): Record<string, string> {
  const ca = join(folder, 'ca.crt')
  writeFileSync(ca, caPem)
  const proxy = `http://127.0.0.1:${proxyPort}`
  return {
    HTTPS_PROXY: proxy,
    https_proxy: proxy,
    NO_PROXY: '',
    no_proxy: '',
    SSL_CERT_FILE: ca,
    AWS_REGION: 'us-east-1',
    AWS_EC2_METADATA_DISABLED: 'true',
  }
}
