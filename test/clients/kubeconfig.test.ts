import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { createAuthority } from '../../lab/pki.ts'
import { clusterFromKubeconfig } from '../../shared/clients/kubeconfig/load.ts'
import { scratch } from './lab.ts'

const folder = scratch()
const caPem = (await createAuthority('ca')).certPem
const client = await (await createAuthority('ca')).issue({ commonName: 'alice', usage: 'client' })
const base64 = (text: string) => Buffer.from(text).toString('base64')

beforeAll(() => {
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'token'), 'from-file')
  writeFileSync(join(folder, 'ca.pem'), caPem)
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

let written = 0
function kubeconfig(user: object, cluster: object = {}): string {
  const file = join(folder, `config-${(written += 1)}`)
  const document = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'one',
    contexts: [
      { name: 'one', context: { cluster: 'c', user: 'u' } },
      { name: 'lost', context: { cluster: 'gone', user: 'u' } },
    ],
    clusters: [
      {
        name: 'c',
        cluster: { server: 'https://c.example:6443', 'certificate-authority-data': base64(caPem), ...cluster },
      },
    ],
    users: [{ name: 'u', user }],
  }
  writeFileSync(file, JSON.stringify(document))
  return file
}

/** A plugin in place of `aws eks get-token`: every run gives another token. */
function plugin(lines: string): { exec: object } {
  const script = join(folder, `plugin-${(written += 1)}.sh`)
  writeFileSync(script, `#!/bin/sh\n${lines}\n`, { mode: 0o755 })
  return { exec: { apiVersion: 'client.authentication.k8s.io/v1beta1', command: script } }
}

describe('a user who authenticates', () => {
  test('by token', async () => {
    const { context, connection } = await clusterFromKubeconfig({ file: kubeconfig({ token: 'secret' }) })
    expect(context).toBe('one')
    expect(connection).toMatchObject({ server: 'https://c.example:6443', ca: caPem })
    expect(await connection.token?.({ fresh: false })).toBe('secret')
  })

  test('by token file', async () => {
    const { connection } = await clusterFromKubeconfig({ file: kubeconfig({ tokenFile: join(folder, 'token') }) })
    expect(await connection.token?.({ fresh: false })).toBe('from-file')
  })

  test('by certificate, without any token', async () => {
    const user = { 'client-certificate-data': base64(client.certPem), 'client-key-data': base64(client.keyPem) }
    const { connection } = await clusterFromKubeconfig({ file: kubeconfig(user) })
    expect(connection).toMatchObject({ cert: client.certPem, key: client.keyPem })
    expect(connection.token).toBeUndefined()
  })

  test('by OIDC, through the library that refreshes it', async () => {
    const part = (it: object) => Buffer.from(JSON.stringify(it)).toString('base64url')
    const idToken = `${part({ alg: 'none' })}.${part({ exp: Math.floor(Date.now() / 1_000) + 3_600 })}.s`
    const config = {
      'id-token': idToken,
      'client-id': 'c',
      'client-secret': 's',
      'refresh-token': 'r',
      'idp-issuer-url': 'https://idp.example',
    }
    const { connection } = await clusterFromKubeconfig({
      file: kubeconfig({ 'auth-provider': { name: 'oidc', config } }),
    })
    expect(await connection.token?.({ fresh: false })).toBe(idToken)
  })

  test('by plugin, which is asked again only after a refusal', async () => {
    const count = join(folder, 'runs')
    const user = plugin(
      `echo run >> ${count}; N=$(wc -l < ${count}); echo '{"kind":"ExecCredential","status":{"token":"run-'$N'"}}'`,
    )
    const { connection } = await clusterFromKubeconfig({ file: kubeconfig(user) })
    expect(await connection.token?.({ fresh: false })).toBe('run-1')
    expect(await connection.token?.({ fresh: false })).toBe('run-1')
    expect(await connection.token?.({ fresh: true })).toBe('run-2')
    expect(await connection.token?.({ fresh: false })).toBe('run-2')
  })
})

test('a user who acts as another is sent in the headers that kubectl sends', async () => {
  const user = {
    token: 't',
    as: 'jane',
    'as-uid': '7',
    'as-groups': ['developers', 'admins'],
    'as-user-extra': { 'Example.com/Scope': ['a', 'b'] },
  }
  const { connection } = await clusterFromKubeconfig({ file: kubeconfig(user) })
  expect(connection.impersonation).toEqual({
    'Impersonate-User': 'jane',
    'Impersonate-Group': ['developers', 'admins'],
    'Impersonate-Uid': '7',
    'Impersonate-Extra-example.com%2Fscope': ['a', 'b'],
  })
})

test.each([
  '---\nDOC',
  'DOC\n---\n',
  '---\nDOC\n---\n',
  '# mine\n---\nDOC\n...\n',
  'DOC\n---\ncurrent-context: other\n',
])('of several documents the first is read, as kubectl reads it: %j', async (frame) => {
  const file = kubeconfig({ token: 't' })
  writeFileSync(file, frame.replace('DOC', readFileSync(file, 'utf8')))
  expect((await clusterFromKubeconfig({ file })).context).toBe('one')
})

describe('several files in KUBECONFIG', () => {
  test('count as one, the first entry of a name before the others', async () => {
    const [first, second] = [kubeconfig({ token: 'first' }), kubeconfig({ token: 'second' })]
    const before = process.env['KUBECONFIG']
    process.env['KUBECONFIG'] = [join(folder, 'none'), first, second].join(delimiter)
    try {
      expect(await (await clusterFromKubeconfig()).connection.token?.({ fresh: false })).toBe('first')
    } finally {
      if (before === undefined) delete process.env['KUBECONFIG']
      else process.env['KUBECONFIG'] = before
    }
  })
})

test('a plugin is told the cluster, runs again when its token expires, and may give a certificate', async () => {
  const info = join(folder, 'info')
  const answer = {
    kind: 'ExecCredential',
    status: {
      token: 't',
      clientCertificateData: client.certPem,
      clientKeyData: client.keyPem,
      expirationTimestamp: '2020-01-01T00:00:00Z',
    },
  }
  const answered = join(folder, 'answer')
  writeFileSync(answered, JSON.stringify(answer))
  const { exec } = plugin(`echo "$KUBERNETES_EXEC_INFO $A" >> ${info}; cat ${answered}`)
  const user = { exec: { ...exec, provideClusterInfo: true, env: [{ name: 'A', value: 'b' }] } }
  const cluster = {
    'certificate-authority-data': undefined,
    'certificate-authority': 'ca.pem',
    extensions: [{ name: 'client.authentication.k8s.io/exec', extension: { audience: 'prod' } }],
  }
  const { connection } = await clusterFromKubeconfig({ file: kubeconfig(user, cluster) })
  expect(connection).toMatchObject({ cert: client.certPem, key: client.keyPem })
  await connection.token?.({ fresh: false })
  const runs = readFileSync(info, 'utf8').trim().split('\n')
  expect(runs).toHaveLength(2)
  expect(runs[0]).toMatch(/"server":"https:\/\/c\.example:6443".* b$/)
  expect(JSON.parse((runs[0] ?? '').replace(/ b$/, '')).spec.cluster).toMatchObject({
    'certificate-authority-data': base64(caPem),
    config: { audience: 'prod' },
  })
})

describe('a cluster', () => {
  test('by certificate file, under another name, or without verification', async () => {
    const cluster = {
      'certificate-authority-data': undefined,
      'certificate-authority': 'ca.pem',
      'tls-server-name': 'kubernetes',
      'insecure-skip-tls-verify': true,
    }
    const { connection } = await clusterFromKubeconfig({ file: kubeconfig({ token: 't' }, cluster) })
    expect(connection).toMatchObject({ ca: caPem, tlsServerName: 'kubernetes', insecureSkipTlsVerify: true })
  })

  test('behind a proxy of its own, or of the environment; one that cannot be used is not gone past', async () => {
    const file = kubeconfig({ token: 't' }, { 'proxy-url': 'http://proxy:3128' })
    const { connection } = await clusterFromKubeconfig({ file })
    expect(connection.proxy).toMatchObject({ url: 'http://proxy:3128', from: 'proxy-url' })
    const socks = kubeconfig({ token: 't' }, { 'proxy-url': 'socks5://u:hunter2@proxy:1080' })
    await expect(clusterFromKubeconfig({ file: socks })).rejects.toThrow(
      'The cluster c is reached through a proxy: proxy-url is a SOCKS proxy; what is supported is http://HOST:PORT and https://HOST:PORT.',
    )
  })
})

const stranger = await (await createAuthority('ca')).issue({ commonName: 'mallory', usage: 'client' })
const truncated = base64(caPem.replace('-----END CERTIFICATE-----', ''))
const broken = base64(caPem.replace(/\n[A-Za-z0-9+/]{20}/, '\nAAAAAAAAAAAAAAAAAAAA'))

describe('an authority that is none is refused by name, and the system’s are not believed instead', () => {
  beforeAll(() => {
    writeFileSync(join(folder, 'empty.pem'), '')
    writeFileSync(join(folder, 'text.pem'), 'no PEM at all')
    writeFileSync(join(folder, 'key.pem'), client.keyPem)
  })
  const data = (value: unknown) => ({ 'certificate-authority-data': value })
  const file = (name: string) => ({ 'certificate-authority-data': undefined, 'certificate-authority': name })

  test.each<[string, object, RegExp]>([
    ['text that is not base64', data('-----BEGIN CERTIFICATE-----'), /^certificate-authority-data .* is not base64/],
    ['base64 of something else', data(base64('garbage')), /^certificate-authority-data .* no certificate in PEM/],
    ['base64 of nothing but space', data(base64(' ')), /^certificate-authority-data .* it is empty/],
    ['a private key', data(base64(client.keyPem)), /^certificate-authority-data .* no certificate in PEM/],
    ['a certificate without its end', data(truncated), /^certificate-authority-data .* has no end/],
    [
      'a certificate that cannot be read',
      data(broken),
      /^certificate-authority-data .* certificate 1 of 1 .* cannot be read/,
    ],
    [
      'one good and one bad',
      data(base64(caPem + Buffer.from(broken, 'base64'))),
      /certificate 2 of 2 .* cannot be read/,
    ],
    [
      'one good and one in a form that only OpenSSL would believe',
      data(base64(caPem + caPem.replaceAll(' CERTIFICATE', ' TRUSTED CERTIFICATE'))),
      /a certificate format that kubectl does not read/,
    ],
    ['an empty text', data(''), /^certificate-authority-data of the cluster c is empty/],
    ['no text', data(12), /^certificate-authority-data .* is not a text/],
    ['an empty file', file('empty.pem'), /^The file empty\.pem \(certificate-authority .* it is empty/],
    ['a file of text', file('text.pem'), /^The file text\.pem .* no certificate in PEM/],
    ['a file with a key', file('key.pem'), /^The file key\.pem .* no certificate in PEM/],
    ['no file', file('none.pem'), /cannot be read/],
    ['the name of no file', file(''), /^certificate-authority of the cluster c is empty/],
  ])('%s', async (_, cluster, message) => {
    const refused = clusterFromKubeconfig({ file: kubeconfig({ token: 'hunter2' }, cluster) })
    await expect(refused).rejects.toMatchObject({ name: 'KubeconfigError', message: expect.stringMatching(message) })
    await expect(refused).rejects.not.toThrow(/hunter2|PRIVATE KEY-----/)
  })

  test('several in one bundle are taken, with what people write between them', async () => {
    const bundle = `# old\n${caPem}# new\n${(await createAuthority('ca')).certPem}`
    const { connection } = await clusterFromKubeconfig({ file: kubeconfig({ token: 't' }, data(base64(bundle))) })
    expect(connection.ca).toBe(bundle)
  })

  test('none at all means the system’s, as for kubectl', async () => {
    const { connection } = await clusterFromKubeconfig({ file: kubeconfig({ token: 't' }, data(undefined)) })
    expect(connection).not.toHaveProperty('ca')
  })
})

describe('a client certificate that cannot be used is refused by name', () => {
  const user = (cert: string | undefined, key: string | undefined) => ({
    ...(cert !== undefined && { 'client-certificate-data': base64(cert) }),
    ...(key !== undefined && { 'client-key-data': base64(key) }),
  })
  test.each([
    ['garbage', user('garbage', client.keyPem), /^client-certificate-data .* no certificate in PEM/],
    ['a key that is none', user(client.certPem, 'garbage'), /^client-key-data .* no private key in PEM/],
    [
      "another's key",
      user(client.certPem, stranger.keyPem),
      /^client-key-data .* not the key of the client certificate/,
    ],
    ['no key', user(client.certPem, undefined), /certificate without its key/],
    ['no certificate', user(undefined, client.keyPem), /key without its certificate/],
  ])('%s', async (_, given, message) => {
    const refused = clusterFromKubeconfig({ file: kubeconfig(given) })
    await expect(refused).rejects.toMatchObject({ name: 'KubeconfigError', message: expect.stringMatching(message) })
    await expect(refused).rejects.not.toThrow(/PRIVATE KEY-----/)
  })
})

describe('what is wrong is said with what there is', () => {
  test.each([
    ['a file that is not there', () => ({ file: join(folder, 'none') }), /There is no kubeconfig/],
    [
      'an unknown context',
      () => ({ file: kubeconfig({ token: 't' }), context: 'two' }),
      /no context two\. It has: one, lost\./,
    ],
    [
      'a context whose cluster is missing',
      () => ({ file: kubeconfig({ token: 't' }), context: 'lost' }),
      /names a cluster that the kubeconfig does not have/,
    ],
    [
      'a plugin that fails',
      () => ({ file: kubeconfig(plugin('echo no session >&2; exit 1')) }),
      /plugin .* failed: no session/,
    ],
  ])('%s', async (_, choice, message) => {
    await expect(clusterFromKubeconfig(choice())).rejects.toMatchObject({
      name: 'KubeconfigError',
      message: expect.stringMatching(message),
    })
  })

  test('what a plugin says goes to a terminal, without what it was given and without what moves a cursor', async () => {
    const { exec } = plugin(String.raw`printf 'code \033]52;c;x\007 for %s\nnext' "$WORD_TOKEN" >&2; exit 1`)
    const user = { exec: { ...exec, env: [{ name: 'WORD_TOKEN', value: 'swordfish two' }] } }
    const said: string[] = []
    const terminal = Object.getOwnPropertyDescriptor(process.stderr, 'isTTY')
    const spy = jest.spyOn(process.stderr, 'write').mockImplementation((text) => said.push(String(text)) > 0)
    Object.defineProperty(process.stderr, 'isTTY', { value: true, configurable: true })
    try {
      await expect(clusterFromKubeconfig({ file: kubeconfig(user) })).rejects.toThrow('failed')
    } finally {
      spy.mockRestore()
      if (terminal) Object.defineProperty(process.stderr, 'isTTY', terminal)
      else Reflect.deleteProperty(process.stderr, 'isTTY')
    }
    expect(said.join('')).toBe('code \ufffd]52;c;x\ufffd for [secret]\nnext')
  })

  test('a plugin that fails and repeats what it was given, without that', async () => {
    const { exec } = plugin('echo no session for $1 with $WORD_TOKEN >&2; exit 1')
    const env = [{ name: 'WORD_TOKEN', value: 'swordfish two' }]
    const user = { exec: { ...exec, args: ['--client-secret=swordfish one'], env } }
    const refused = clusterFromKubeconfig({ file: kubeconfig(user) })
    await expect(refused).rejects.toThrow(/no session for --client-secret=\[secret\] with \[secret\]/)
  })

  test('a plugin that does not end, when nobody is there to answer it, nor what it has started', async () => {
    const began = Date.now()
    const { exec } = plugin('sleep 40; echo late')
    const user = { exec: { ...exec, interactiveMode: 'Never' } }
    await expect(clusterFromKubeconfig({ file: kubeconfig(user) })).rejects.toThrow('did not end within 12 s')
    expect(Date.now() - began).toBeLessThan(20_000)
  }, 60_000)

  test.each([
    ['a password', { username: 'u', password: 'p' }, /since Kubernetes 1\.19/],
    ['groups to act in, and no user', { token: 't', 'as-groups': ['g'] }, /no user \(as\)/],
    ['a user of a name that no header can hold', { token: 't', as: 'a\nb' }, /no request can hold/],
    [
      'a plugin that asks a person, off a terminal',
      { exec: { command: 'sh', interactiveMode: 'Always' } },
      /interactiveMode: Always.*there is no terminal/,
    ],
    [
      'a plugin that is not installed',
      { exec: { command: 'no-such-plugin', installHint: 'Install it.' } },
      /no-such-plugin failed: there is no such program .* Install it\./,
    ],
  ])('%s', async (_, user, message) => {
    await expect(clusterFromKubeconfig({ file: kubeconfig(user) })).rejects.toThrow(message)
  })

  test('no kubeconfig at all', async () => {
    const before = process.env['KUBECONFIG']
    process.env['KUBECONFIG'] = join(folder, 'none')
    try {
      await expect(clusterFromKubeconfig()).rejects.toThrow(/There is no kubeconfig .*none, which KUBECONFIG names\./)
      // Inside a pod too: whoever names a context does not mean the pod's own cluster.
      await expect(clusterFromKubeconfig({ context: 'prod' })).rejects.toThrow(/could have the context prod\. Name one/)
    } finally {
      if (before === undefined) delete process.env['KUBECONFIG']
      else process.env['KUBECONFIG'] = before
    }
  })

  test('a file that is no kubeconfig', async () => {
    const file = join(folder, 'broken')
    writeFileSync(file, '{]')
    await expect(clusterFromKubeconfig({ file })).rejects.toThrow(/cannot be read/)
  })
})
