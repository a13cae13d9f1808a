import { createPrivateKey, X509Certificate } from 'node:crypto'

/**
 * SHA-256 of each certificate in a PEM text, hex. Throws, with the reason, if there is none or one cannot be read:
 * without an authority Node would use those of the system.
 */
export function certificatesIn(pem: string): string[] {
  const begun = pem.split('-----BEGIN CERTIFICATE-----').length - 1
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? []
  if (/-----BEGIN (?:TRUSTED|X509) CERTIFICATE-----/.test(pem))
    throw new Error('it has a certificate format that kubectl does not read')
  if (begun === 0) throw new Error(pem.trim() === '' ? 'it is empty' : 'it has no certificate in PEM')
  if (blocks.length < begun) throw new Error('a certificate in it has no end')
  return blocks.map((block, index) => {
    try {
      return new X509Certificate(block).fingerprint256.replaceAll(':', '').toLowerCase()
    } catch {
      throw new Error(`certificate ${index + 1} of ${blocks.length} in it cannot be read`)
    }
  })
}

/** PEM in base64, as in EKS and in a kubeconfig. */
export const fromBase64 = (data: string): string => Buffer.from(data, 'base64').toString('utf8')

/**
 * Throws, with the reason, if a private key cannot be read or does not belong to the certificate. The message does
 * not contain the key.
 */
export function checkKey(key: string, cert: string): void {
  let read
  try {
    read = createPrivateKey(key)
  } catch {
    throw new Error(/ENCRYPTED/.test(key) ? 'it is encrypted' : 'it has no private key in PEM')
  }
  if (!new X509Certificate(cert).checkPrivateKey(read)) throw new Error('it is not the key of the client certificate')
}
