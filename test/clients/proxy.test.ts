import { createServer } from 'node:https'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { listenLocally } from '../../lab/loopback.ts'
import { createAuthority } from '../../lab/pki.ts'
import { kubeClient } from '../../shared/clients/kube/open.ts'
import type { KubeConnection } from '../../shared/clients/kube/connection.ts'
import { proxyAt, proxyEnvironment, proxyFor } from '../../shared/clients/proxy.ts'
import { type ConnectProxy, startProxy } from './connect-proxy.ts'

describe('which proxy stands before an address, by the rules of kubectl', () => {
  const via = (env: Record<string, string>, server = 'https://api.example.com') => proxyFor(server, env)?.url

  test.each<[string, Record<string, string>, string | undefined]>([
    ['none is set', {}, undefined],
    ['upper case', { HTTPS_PROXY: 'http://p:1' }, 'http://p:1'],
    ['lower case', { https_proxy: 'http://p:1' }, 'http://p:1'],
    ['upper case stands above lower case', { HTTPS_PROXY: 'http://p:1', https_proxy: 'http://q:1' }, 'http://p:1'],
    ['an empty one is none', { HTTPS_PROXY: '', https_proxy: 'http://q:1' }, 'http://q:1'],
    ['without a scheme', { HTTPS_PROXY: 'p:3128' }, 'http://p:3128'],
    ['HTTP_PROXY is not for https://', { HTTP_PROXY: 'http://p:1' }, undefined],
  ])('%s', (_, env, expected) => expect(via(env)).toBe(expected))

  test.each<[list: string, server: string, isSpared: boolean]>([
    ['', 'https://api.example.com', false],
    ['*', 'https://api.example.com', true],
    ['example.com', 'https://api.example.com', true],
    ['example.com', 'https://example.com', true],
    ['example.com', 'https://badexample.com', false],
    ['.example.com', 'https://api.example.com', true],
    ['.example.com', 'https://example.com', false],
    ['*.example.com', 'https://api.example.com', true],
    ['other.org, API.example.com ', 'https://api.EXAMPLE.com', true],
    ['example.com:443', 'https://api.example.com', true],
    ['example.com:6443', 'https://api.example.com', false],
    ['10.0.0.0/8', 'https://10.1.2.3:6443', true],
    ['10.0.0.0/8', 'https://11.1.2.3', false],
    ['10.0.0.0/99,x', 'https://10.1.2.3', false],
    ['10.1.2.3', 'https://10.1.2.3', true],
    ['10.1.2.3:6443', 'https://10.1.2.3', false],
    ['fd00::/8', 'https://[fd00::1]:6443', true],
    ['[fd00::1]:6443', 'https://[fd00::1]:6443', true],
    ['', 'https://localhost:6443', true],
    ['', 'https://127.0.0.1:6443', true],
    ['', 'https://[::1]:6443', true],
  ])('NO_PROXY=%s, %s: spared %s', (NO_PROXY, server, isSpared) => {
    expect(via({ HTTPS_PROXY: 'http://p:1', NO_PROXY }, server) === undefined).toBe(isSpared)
  })

  test('what is no address of a proxy is refused, and a password in it is not shown', () => {
    expect(() => proxyAt('socks5://u:hunter2@p', 'HTTPS_PROXY')).toThrow(/^HTTPS_PROXY is a SOCKS proxy; (?!.*hunter2)/)
    expect(() => proxyAt('http://u:hunter2@p:port', 'HTTPS_PROXY')).toThrow(
      /^HTTPS_PROXY is no address of a proxy; (?!.*hunter2)/,
    )
  })

  test("AWS' clients get the same list, in Node's terms", () => {
    expect(proxyEnvironment({ https_proxy: 'p:1', no_proxy: 'example.com, .b.org,10.0.0.1' })).toEqual({
      HTTPS_PROXY: 'http://p:1',
      NO_PROXY: 'example.com,.example.com,.b.org,10.0.0.1,localhost,127.0.0.1,::1',
    })
  })
})

describe('an API server behind a proxy', () => {
  const opened: { close: () => void }[] = []
  const seen: Record<string, unknown>[] = []
  let connection: KubeConnection
  let port: number
  beforeAll(async () => {
    const authority = await createAuthority('ca')
    const { certPem, keyPem } = await authority.issue({
      commonName: 'api',
      dnsNames: ['api.prod.example'],
      usage: 'server',
    })
    const server = createServer({ cert: certPem, key: keyPem }, (request, response) => {
      seen.push({ ...request.headers })
      response.end(JSON.stringify({ status: { allowed: true }, gitVersion: 'v1.36.3' }))
    })
    port = await listenLocally(server)
    opened.push(server)
    connection = { server: 'https://api.prod.example', ca: authority.certPem, token: async () => 'a-token-of-ours' }
  })
  afterAll(() => opened.forEach((it) => it.close()))
  const through = async (answer?: string): Promise<{ proxy: ConnectProxy; kube: ReturnType<typeof kubeClient> }> => {
    const proxy = await startProxy(port, answer)
    const url = proxy.url.replace('//', '//alice:s3cret%21@')
    const kube = kubeClient({ ...connection, proxy: proxyAt(url, 'HTTPS_PROXY') })
    opened.push(proxy, kube)
    return { proxy, kube }
  }

  test('is reached by its name through the proxy, with the login of the address, and verified', async () => {
    const { proxy, kube } = await through()
    expect(await kube.version()).toEqual({ value: 'v1.36.3' })
    const login = `Basic ${Buffer.from('alice:s3cret!').toString('base64')}`
    expect(proxy.asked).toEqual([{ to: 'api.prod.example:443', login }])
  })

  test('a proxy that refuses is the one that is named, without its login', async () => {
    const { proxy, kube } = await through('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n')
    expect(await kube.version()).toMatchObject({
      failure: {
        kind: 'unreachable',
        message: `The proxy 127.0.0.1:${proxy.port} (HTTPS_PROXY) refuses to connect to api.prod.example: HTTP/1.1 407 Proxy Authentication Required`,
      },
    })
  })

  test('nothing that the proxy itself answers is taken for an answer of the API server', async () => {
    const body = '{"gitVersion":"v9.9.9"}'
    const { kube } = await through(`HTTP/1.1 201 Created\r\ncontent-length: ${body.length}\r\n\r\n${body}`)
    expect(await kube.version()).toMatchObject({ failure: { kind: 'unreachable' } })
  })

  test('a proxy that is gone is told as such', async () => {
    const { proxy, kube } = await through()
    proxy.close()
    expect(await kube.version()).toMatchObject({
      failure: { message: `The proxy 127.0.0.1:${proxy.port} (HTTPS_PROXY) cannot be reached (ECONNREFUSED).` },
    })
  })

  test('who acts as another does so in every request, reviews of access among them', async () => {
    const { proxy } = await through()
    const impersonation = { 'Impersonate-User': 'jane', 'Impersonate-Group': ['developers', 'admins'] }
    const kube = kubeClient({ ...connection, impersonation, proxy: proxyAt(proxy.url, 'proxy-url') })
    opened.push(kube)
    expect(await kube.mayI({ verb: 'list', group: '', resource: 'nodes' })).toEqual({ value: true })
    expect(seen.at(-1)).toMatchObject({ 'impersonate-user': 'jane', 'impersonate-group': 'developers, admins' })
  })
})
