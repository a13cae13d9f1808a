import { createAuthority } from '../pki.ts'

export interface ServerCertificate {
  certPem: string
  keyPem: string
  caPem: string
}

let made: Promise<ServerCertificate> | undefined

/**
 * One certificate for all embedded servers of this process: making keys is what starting hundreds of them would spend
 * its time on.
 */
export function sharedCertificate(): Promise<ServerCertificate> {
  made ??= make()
  return made
}

async function make(): Promise<ServerCertificate> {
  const authority = await createAuthority('embedded-lab-ca')
  const { certPem, keyPem } = await authority.issue({ commonName: 'embedded-lab', usage: 'server' })
  return { certPem, keyPem, caPem: authority.certPem }
}
