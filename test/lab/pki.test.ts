import { createPrivateKey, X509Certificate } from 'node:crypto'
import { createServer, request } from 'node:https'
import { expect, test } from '@jest/globals'
import { listenLocally } from '../../lab/loopback.ts'
import { createAuthority } from '../../lab/pki.ts'

test('a server certificate is trusted by who trusts its authority, for 127.0.0.1 and localhost', async () => {
  const authority = await createAuthority('lab-ca')
  const server = await authority.issue({ commonName: 'lab', usage: 'server' })
  const listening = createServer({ cert: server.certPem, key: server.keyPem }, (_, response) => response.end('hello'))
  const port = await listenLocally(listening)
  try {
    for (const host of ['127.0.0.1', 'localhost']) {
      expect(await get(`https://${host}:${port}/`, authority.certPem)).toBe('hello')
    }
    const stranger = await createAuthority('lab-ca')
    await expect(get(`https://127.0.0.1:${port}/`, stranger.certPem)).rejects.toThrow()
  } finally {
    listening.close()
  }
})

test('a client certificate carries the user as common name and the groups as organisations', async () => {
  const authority = await createAuthority('lab-ca')
  const issued = await authority.issue({
    commonName: 'admin',
    organisations: ['system:masters', 'more'],
    usage: 'client',
  })
  const certificate = new X509Certificate(issued.certPem)
  expect(certificate.subject.split('\n')).toEqual(['O=system:masters', 'O=more', 'CN=admin'])
  expect(certificate.keyUsage).toEqual(['1.3.6.1.5.5.7.3.2'])
  expect(certificate.verify(new X509Certificate(authority.certPem).publicKey)).toBe(true)
  expect(certificate.checkPrivateKey(createPrivateKey(issued.keyPem))).toBe(true)
})

test('further names and addresses of a server stand beside the built-in ones', async () => {
  const authority = await createAuthority('lab-ca')
  const dnsNames = ['sts.eu-central-1.amazonaws.com']
  const issued = await authority.issue({ commonName: 'x', dnsNames, ips: ['127.0.0.2'], usage: 'server' })
  const names = new X509Certificate(issued.certPem).subjectAltName
  expect(names).toBe('DNS:localhost, DNS:sts.eu-central-1.amazonaws.com, IP Address:127.0.0.1, IP Address:127.0.0.2')
})

function get(url: string, ca: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { ca, agent: false }, (response) => {
      let body = ''
      response.on('data', (chunk: Buffer) => {
        body += chunk.toString()
      })
      response.on('end', () => resolve(body))
    })
    sent.on('error', reject)
    sent.end()
  })
}
