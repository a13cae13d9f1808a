import './reflect-metadata.ts'
import { createPrivateKey, KeyObject, webcrypto } from 'node:crypto'
import type * as X509 from '@peculiar/x509'

// A static import would not do: jest evaluates CommonJS packages while it links, before the lines above have run.
const x509 = await import('@peculiar/x509')

/** A certificate authority of the lab: made anew for every run, its keys never leave the scratch folder. */
export interface Authority {
  readonly certPem: string
  readonly keyPem: string
  issue(request: CertificateRequest): Promise<Certificate>
}

export interface CertificateRequest {
  commonName: string
  /** Kubernetes reads a client certificate's organisations as the user's groups. */
  organisations?: string[]
  /** Besides `localhost`, which every server certificate names. */
  dnsNames?: string[]
  /** Besides `127.0.0.1`, which every server certificate names. */
  ips?: string[]
  usage: 'server' | 'client'
  /** Instead of in thirty days. */
  until?: Date
}

/** PEM: the certificate, and its private key as PKCS #8. */
export interface Certificate {
  certPem: string
  keyPem: string
}

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
const hour = 3_600_000
const lifetime = 30 * 24 * hour

x509.cryptoProvider.set(webcrypto)

/** ECDSA P-256 throughout, valid from an hour ago for thirty days. */
export async function createAuthority(commonName: string): Promise<Authority> {
  const keys = await createKeys()
  const authority = await x509.X509CertificateGenerator.createSelfSigned({
    name: [{ CN: [commonName] }],
    keys,
    signingAlgorithm: algorithm,
    ...validity(),
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  })
  return authorityOf({ certPem: `${authority.toString('pem')}\n`, keyPem: pemOf(keys.privateKey) })
}

/** An authority that was made before, maybe by another process. */
export async function authorityOf({ certPem, keyPem }: Certificate): Promise<Authority> {
  const pkcs8 = createPrivateKey(keyPem).export({ type: 'pkcs8', format: 'der' })
  const key = await webcrypto.subtle.importKey('pkcs8', pkcs8, algorithm, true, ['sign'])
  const authority = new x509.X509Certificate(certPem)
  return { certPem, keyPem, issue: (request) => issue(authority, key, request) }
}

async function issue(
  authority: X509.X509Certificate,
  signingKey: webcrypto.CryptoKey,
  request: CertificateRequest,
): Promise<Certificate> {
  const keys = await createKeys()
  const certificate = await x509.X509CertificateGenerator.create({
    subject: subjectOf(request),
    issuer: authority.subjectName,
    publicKey: keys.publicKey,
    signingKey,
    signingAlgorithm: algorithm,
    ...validity(),
    ...(request.until && { notAfter: request.until }),
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([
        x509.ExtendedKeyUsage[request.usage === 'server' ? 'serverAuth' : 'clientAuth'],
      ]),
      await x509.AuthorityKeyIdentifierExtension.create(authority),
      ...(request.usage === 'server' ? [alternativeNames(request)] : []),
    ],
  })
  return { certPem: `${certificate.toString('pem')}\n`, keyPem: pemOf(keys.privateKey) }
}

function subjectOf({ commonName, organisations = [] }: CertificateRequest): X509.JsonName {
  return [...organisations.map((organisation) => ({ O: [organisation] })), { CN: [commonName] }]
}

function alternativeNames({ dnsNames = [], ips = [] }: CertificateRequest): X509.SubjectAlternativeNameExtension {
  return new x509.SubjectAlternativeNameExtension([
    ...['localhost', ...dnsNames].map((value) => ({ type: 'dns' as const, value })),
    ...['127.0.0.1', ...ips].map((value) => ({ type: 'ip' as const, value })),
  ])
}

const createKeys = (): Promise<webcrypto.CryptoKeyPair> =>
  webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])

const pemOf = (key: webcrypto.CryptoKey): string =>
  KeyObject.from(key).export({ type: 'pkcs8', format: 'pem' }).toString()

const validity = (now = Date.now()) => ({ notBefore: new Date(now - hour), notAfter: new Date(now + lifetime) })
