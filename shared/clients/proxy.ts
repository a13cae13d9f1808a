import { BlockList, isIP } from 'node:net'
import { oneLine } from './foreign.ts'

/** An HTTP proxy that connects us (CONNECT). Node's own agent speaks with it, by the option `proxyEnv`. */
export interface Proxy {
  /** `http://proxy.example:3128`; may hold a password, so it is never printed: `proxyName` is. */
  url: string
  /** Where it is named: `HTTPS_PROXY`, `proxy-url`. */
  from: string
  /** What is wrong with the proxy itself, in words, where an error on the way to an address is its. */
  blamed: (error: Error & { code?: string }, url: URL) => string | undefined
}

/** What is named as a proxy and cannot be used. `node`: by this version of Node. The message is without the text, which may hold a password. */
export class ProxyError extends Error {
  override name = 'ProxyError'
  readonly from: string
  readonly kind: 'socks' | 'address' | 'node'

  constructor(message: string, { from, kind }: Pick<ProxyError, 'from' | 'kind'>) {
    super(message)
    this.from = from
    this.kind = kind
  }
}

/** Host and port, without the login. */
export const proxyName = ({ url, from }: Pick<Proxy, 'url' | 'from'>): string => `${new URL(url).host} (${from})`

/** What was written as an address of a proxy, as Go reads it: without a scheme it is `http://`. Throws a `ProxyError`. */
export const proxyAt = (text: string, from: string): Proxy => {
  const url = text.includes('://') ? text : `http://${text}`
  const { protocol, host } = URL.canParse(url) ? new URL(url) : { protocol: '', host: '' }
  if (host !== '' && (protocol === 'http:' || protocol === 'https:'))
    return supported({ url, from, blamed: blaming({ url, from }) })
  const kind = protocol.startsWith('socks') ? 'socks' : 'address'
  const what = kind === 'socks' ? 'a SOCKS proxy' : 'no address of a proxy'
  throw new ProxyError(`${from} is ${what}; what is supported is http://HOST:PORT and https://HOST:PORT`, {
    from,
    kind,
  })
}

/** Only the proxy is resolved and dialled by us. */
const isOfProxy = /^(?:ERR_PROXY_\w+|ENOTFOUND|EAI_AGAIN|ECONNREFUSED|EHOSTUNREACH|ENETUNREACH)$/

const blaming =
  (proxy: Pick<Proxy, 'url' | 'from'>): Proxy['blamed'] =>
  ({ code = '', message }, { host }) => {
    if (!isOfProxy.test(code)) return undefined
    if (code !== 'ERR_PROXY_TUNNEL') return `The proxy ${proxyName(proxy)} cannot be reached (${code}).`
    // After the last colon stands the first line of its answer, and before that its address.
    return `The proxy ${proxyName(proxy)} refuses to connect to ${host}: ${oneLine(message.split(': ').at(-1) ?? '', 100)}`
  }

/** An older Node takes the option without a word, and goes past the proxy. */
const supported = (proxy: Proxy): Proxy => {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  if (major > 24 || (major === 24 && minor >= 5) || (major === 22 && minor >= 21)) return proxy
  throw new ProxyError(
    `${proxy.from} names a proxy, for which Node 22.21, 24.5 or later is needed; this is ${process.versions.node}`,
    { from: proxy.from, kind: 'node' },
  )
}

type Environment = Record<string, string | undefined>

const given = (env: Environment, name: string): { name: string; value: string } | undefined => {
  const set = [name, name.toLowerCase()].find((it) => (env[it] ?? '') !== '')
  return set === undefined ? undefined : { name: set, value: env[set] ?? '' }
}

/** The proxy of the environment for an https:// address. Same rules as kubectl's: golang.org/x/net/http/httpproxy. */
export const proxyFor = (server: string, env: Environment): Proxy | undefined => {
  const { name = '', value } = given(env, 'HTTPS_PROXY') ?? {}
  if (value === undefined || !URL.canParse(server)) return undefined
  return isSpared(new URL(server), given(env, 'NO_PROXY')?.value ?? '') ? undefined : proxyAt(value, name)
}

/** This machine itself is never reached through a proxy. */
const loopback = new BlockList()
loopback.addSubnet('127.0.0.0', 8, 'ipv4')
loopback.addAddress('::1', 'ipv6')

const familyOf = (host: string): 'ipv4' | 'ipv6' => (isIP(host) === 6 ? 'ipv6' : 'ipv4')

const isSpared = ({ hostname, port }: URL, list: string): boolean => {
  const host = hostname.toLowerCase().replace(/^\[|\]$|\.$/g, '')
  if (host === 'localhost' || (isIP(host) > 0 && loopback.check(host, familyOf(host)))) return true
  const entries = list.split(',').map((it) => it.trim().toLowerCase())
  return entries.some((entry) => entry !== '' && fits(entry, { host, port: port || '443' }))
}

/** `*` · `10.0.0.0/8` · `10.1.2.3`, `[::1]:8443` · `example.com` and what is beneath · `.example.com`: only what is beneath. */
const fits = (entry: string, { host, port }: { host: string; port: string }): boolean => {
  if (entry === '*') return true
  const [, network = '', bits = ''] = /^([\da-f.:]+)\/(\d{1,3})$/.exec(entry) ?? []
  if (isIP(network) > 0) return isIP(host) > 0 && isWithin(host, network, Number(bits))
  const [, name = entry, only] = isIP(entry) > 0 ? [] : (/^(.+?)(?::(\d+))?$/.exec(entry) ?? [])
  if (only !== undefined && only !== port) return false
  const meant = name.replace(/^\*(?=\.)/, '').replace(/^\[|\]$/g, '')
  if (isIP(meant) > 0) return host === meant
  return meant.startsWith('.') ? host.endsWith(meant) : host === meant || host.endsWith(`.${meant}`)
}

const isWithin = (host: string, network: string, bits: number): boolean => {
  const list = new BlockList()
  try {
    list.addSubnet(network, bits, familyOf(network))
  } catch {
    return false
  }
  return list.check(host, familyOf(host))
}

/**
 * The same list for Node's agent, which decides by itself where it serves several hosts (`proxyEnv`): to Node `example.com`
 * is that host alone.
 */
export const forNode = (list: string): string =>
  list
    .split(',')
    .map((it) => it.trim())
    .flatMap((it) => (/^[a-z]/i.test(it) ? [it, `.${it}`] : it))
    .join(',')

/** For the clients of AWS' SDK: what Node's agent takes, or nothing where the environment names no proxy. */
export const proxyEnvironment = (env: Environment): { HTTPS_PROXY: string; NO_PROXY: string } | undefined => {
  const { name = '', value } = given(env, 'HTTPS_PROXY') ?? {}
  if (value === undefined) return undefined
  const list = forNode(given(env, 'NO_PROXY')?.value ?? '')
  return { HTTPS_PROXY: proxyAt(value, name).url, NO_PROXY: [list, 'localhost', '127.0.0.1', '::1'].join(',') }
}
