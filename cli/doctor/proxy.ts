import { request as plain } from 'node:http'
import { request as encrypted } from 'node:https'
import type { Socket } from 'node:net'
import { type Proxy, type ProxyError, proxyName } from '../../shared/clients/proxy.ts'
import { quoted } from '../../shared/domain/shell.ts'
import { oneLine } from '../../shared/clients/foreign.ts'
import { configCommand, type InKubeconfig } from './config-command.ts'
import { HopFailure } from './hop.ts'

const patienceMs = 5_000

/** Asks the proxy to connect us to `at` (HOST:PORT), as kubectl does. Throws a `HopFailure` where it does not. */
export const tunnel = (proxy: Proxy, at: string, fix: ProxyFix): Promise<Socket> =>
  new Promise((resolve, reject) => {
    const url = new URL(proxy.url)
    const name = proxyName(proxy)
    const fail = (why: string, paste: string) => reject(new HopFailure(`The proxy ${name} ${why}`, paste))
    const login = [url.username, url.password].map(decodeURIComponent).join(':')
    const asked = (url.protocol === 'https:' ? encrypted : plain)({
      method: 'CONNECT',
      hostname: url.hostname.replace(/^\[|\]$/g, ''),
      port: url.port || (url.protocol === 'https:' ? 443 : 80),
      path: at,
      agent: false,
      headers: {
        host: at,
        ...(login !== ':' && { 'proxy-authorization': `Basic ${Buffer.from(login).toString('base64')}` }),
      },
    })
    const patience = setTimeout(() => asked.destroy(new Error(`does not answer in ${patienceMs / 1000} s`)), patienceMs)
    asked.once('connect', ({ statusCode = 0, statusMessage = '' }, socket) => {
      clearTimeout(patience)
      if (statusCode === 200) return resolve(socket)
      socket.destroy()
      const said = oneLine(`${statusCode} ${statusMessage}`, 100)
      if (statusCode === 407) return fail(`wants to know who asks (${said})`, fix.login)
      return fail(`does not connect to ${at} (${said})`, fix.allow)
    })
    asked.once('error', ({ message, code }: Error & { code?: string }) => {
      clearTimeout(patience)
      fail(code === undefined ? message : `cannot be reached (${code})`, fix.reach)
    })
    asked.end()
  })

/** The host that is reached through the proxy; of a cluster also where the kubeconfig may name its own proxy. */
export interface Destination extends Partial<InKubeconfig> {
  host: string
}

const property = ({ named = 'CLUSTER' }: Destination): string => quoted(`clusters.${named}.proxy-url`)
const nowhere: InKubeconfig['place'] = { cluster: { name: '' } }

/** Names another proxy where this one is named. */
const naming = (from: string, to: Destination, url: string): string =>
  from === 'proxy-url' ? configCommand(to.place ?? nowhere, `set ${property(to)} ${url}`) : `export ${from}=${url}`

const goingPast = (from: string, to: Destination): string =>
  from === 'proxy-url'
    ? configCommand(to.place ?? nowhere, `unset ${property(to)}`)
    : `export NO_PROXY="$NO_PROXY,${to.host}"`

const notes: Record<ProxyError['kind'], string> = {
  socks: 'an HTTP proxy that leads there too: this tool cannot use SOCKS, though kubectl can',
  address: 'its address',
  node: '',
}

/** What to paste where what is named cannot be used as a proxy. */
export const unusableProxyFix = ({ from, kind }: ProxyError, to: Destination): string => {
  if (kind === 'node') return 'npx --yes node@24 --version   # then run this tool with that Node'
  return `${naming(from, to, 'http://HOST:PORT')}   # ${notes[kind]}\n${goingPast(from, to)}   # if it is reached without a proxy`
}

/** What to paste where the proxy wants a login, does not let us through, or is not there. */
export interface ProxyFix {
  login: string
  allow: string
  reach: string
}

export const proxyFix = ({ url, from }: Proxy, to: Destination): ProxyFix => {
  const { protocol, host: at, hostname, port } = new URL(url)
  const { host } = to
  // The shell asks for the password, so that it is in no shell history and not in this text.
  const withLogin = naming(from, to, `${protocol}//"$LOGIN"@${at}`)
  const past = goingPast(from, to)
  return {
    login: `read -rsp 'USER:PASSWORD ' LOGIN; ${withLogin}   # signs other than letters and digits as %XX`,
    allow: `${past}   # if it is reached without the proxy; else the proxy must allow CONNECT to ${host}`,
    reach: `nc -vz ${quoted(hostname)} ${port || (protocol === 'https:' ? 443 : 80)}   # is it still the right proxy? If none is needed: ${past}`,
  }
}
