import { request as plain } from 'node:http'
import { request as encrypted } from 'node:https'
import type { Socket } from 'node:net'
import { type Proxy, proxyName } from '../../shared/clients/proxy.ts'
import { quoted } from '../../shared/domain/shell.ts'
import { oneLine } from '../../shared/clients/foreign.ts'
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

/** What to paste where the proxy wants a login, does not let us through, or is not there. */
export interface ProxyFix {
  login: string
  allow: string
  reach: string
}

/** `cluster`: its name in the kubeconfig, whose own proxy it may be. */
export const proxyFix = ({ url, from }: Proxy, host: string, cluster = 'CLUSTER'): ProxyFix => {
  const { protocol, host: at, hostname, port } = new URL(url)
  const own = from === 'proxy-url'
  // The shell asks for the password, so that it is in no shell history and not in this text.
  const withLogin = `${protocol}//"$LOGIN"@${at}`
  const set = own
    ? `kubectl config set ${quoted(`clusters.${cluster}.proxy-url`)} ${withLogin}`
    : `export ${from}=${withLogin}`
  const past = own
    ? `kubectl config unset ${quoted(`clusters.${cluster}.proxy-url`)}`
    : `export NO_PROXY="$NO_PROXY,${host}"`
  return {
    login: `read -rsp 'USER:PASSWORD ' LOGIN; ${set}   # signs other than letters and digits as %XX`,
    allow: `${past}   # if it is reached without the proxy; else the proxy must allow CONNECT to ${host}`,
    reach: `nc -vz ${quoted(hostname)} ${port || (protocol === 'https:' ? 443 : 80)}   # is it still the right proxy? If none is needed: ${past}`,
  }
}
