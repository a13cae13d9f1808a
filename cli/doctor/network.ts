import { lookup } from 'node:dns/promises'
import { connect as dial, isIP, type Socket } from 'node:net'
import { connect as secure, type ConnectionOptions } from 'node:tls'
import { baseOf, type KubeConnection } from '../../shared/clients/kube/connection.ts'
import { awsEks, type ClusterAddress, updateKubeconfig } from '../../shared/domain/findings/remedy.ts'
import { quoted } from '../../shared/domain/shell.ts'
import { configCommand, type InKubeconfig } from './config-command.ts'
import { HopFailure, type Walk } from './hop.ts'
import { proxyFix, tunnel } from './proxy.ts'
import { proxyName } from '../../shared/clients/proxy.ts'

const patienceMs = 5_000

/** The hops DNS, TCP and TLS to the API server; behind a proxy its own hop stands for the first two. */
export const tryNetwork = async (way: Walk, connection: KubeConnection, at: InKubeconfig): Promise<void> => {
  const { take, leaveOut } = way
  const { place } = at
  const url = URL.canParse(connection.server) ? new URL(connection.server) : undefined
  if (url?.protocol !== 'https:') {
    await take('address', async () => ({ detail: '', value: baseOf(connection.server) }), serverFix(at))
    for (const hop of ['DNS', 'TCP', 'TLS']) await take(hop, unreachable, '', ['address'])
    return
  }
  const host = url.hostname.replace(/^\[|\]$/g, '')
  const port = Number(url.port || 443)
  const address = `${host}:${port}`
  const { proxy } = connection
  if (proxy) {
    const fix = proxyFix(proxy, { ...at, host })
    for (const hop of ['DNS', 'TCP']) leaveOut(hop, 'the proxy finds the way')
    const dialled = async () => {
      const socket = await tunnel(proxy, address, fix)
      return { detail: `${proxyName(proxy)} connects to ${address}`, value: socket }
    }
    const socket = await take('proxy', dialled, fix.reach)
    await take('TLS', () => believe(connection, { host, port, socket, at }), tlsFix(place, address), [
      'proxy',
      'certificate authority',
    ])
    return
  }
  if (isIP(host)) leaveOut('DNS', `${host} is an address`)
  else
    await take(
      'DNS',
      async () => {
        const found = await lookup(host, { all: true })
        return { detail: `${host} is ${found.map(({ address }) => address).join(', ')}`, value: found }
      },
      `getent hosts ${quoted(host)}   # a private endpoint is resolved in its VPC only: ${endpointCommand(place)}`,
      ['proxy'],
    )
  await take('TCP', () => reach(host, port), tcpFix(place, address), ['DNS', 'proxy'])
  await take('TLS', () => believe(connection, { host, port, at }), tlsFix(place, address), [
    'TCP',
    'certificate authority',
  ])
}

const eksOf = (place: ClusterAddress, command: string): string =>
  awsEks(place, `${command} --name ${quoted(place.cluster.name)}`)

const endpointCommand = (place: ClusterAddress): string =>
  place.cluster.region === undefined
    ? 'ask for its endpoint where the kubeconfig comes from'
    : `${eksOf(place, 'describe-cluster')} --query cluster.resourcesVpcConfig`

const tcpFix = (place: ClusterAddress, at: string): string =>
  place.cluster.region === undefined
    ? `nc -vz ${at.replace(/:(\d+)$/, ' $1')}   # then the firewall or VPN between here and there`
    : [
        `${endpointCommand(place)}   # is your address (curl -s https://checkip.amazonaws.com) in publicAccessCidrs? A private endpoint: let our security group in on 443`,
        `${eksOf(place, 'update-cluster-config')} --resources-vpc-config publicAccessCidrs=THOSE,YOURS/32   # adds it: the list is replaced, so all who are in it must be named`,
      ].join('\n')

const tlsFix = (place: ClusterAddress, at: string): string =>
  place.cluster.region === undefined
    ? `openssl s_client -connect ${quoted(at)} -showcerts </dev/null   # compare with certificate-authority-data in the kubeconfig`
    : `${updateKubeconfig(place)}   # fetches the authority anew; if it fails still, a proxy sits in between`

/** The address itself is wrong: a server of another name answers there, or it is no https:// address. */
const serverFix = ({ place, named = 'CLUSTER' }: InKubeconfig): string =>
  `${configCommand(place, `set ${quoted(`clusters.${named}.server`)} https://HOST:PORT`)}   # the address as the cluster has it, of a name that its certificate has`

const unreachable = () => Promise.reject(new Error('there is no address'))

const reach = (host: string, port: number): Promise<{ detail: string; value: true }> =>
  new Promise((resolve, reject) => {
    const socket = dial({ host, port, timeout: patienceMs })
    socket.once('connect', () => {
      socket.destroy()
      resolve({ detail: `${host}:${port} takes connections`, value: true })
    })
    socket.once('timeout', () => socket.destroy(new Error(`${host}:${port} does not answer in ${patienceMs / 1000} s`)))
    socket.once('error', ({ message }: Error & { code?: string }) =>
      reject(new Error(message || `${host}:${port} cannot be reached`)),
    )
  })

interface Dialled {
  host: string
  port: number
  /** Through a proxy. */
  socket?: Socket | undefined
  at: InKubeconfig
}

const believe = (
  { ca, cert, key, tlsServerName, insecureSkipTlsVerify }: KubeConnection,
  { host, port, socket: through, at }: Dialled,
): Promise<{ detail: string; value: true }> =>
  new Promise((resolve, reject) => {
    const options: ConnectionOptions = {
      host,
      port,
      ...(through && { socket: through }),
      timeout: patienceMs,
      rejectUnauthorized: !insecureSkipTlsVerify,
      ...(ca !== undefined && { ca }),
      ...(cert !== undefined && { cert }),
      ...(key !== undefined && { key }),
      ...(tlsServerName !== undefined ? { servername: tlsServerName } : isIP(host) ? {} : { servername: host }),
    }
    const socket = secure(options)
    socket.once('secureConnect', () => {
      const until = new Date(socket.getPeerCertificate().valid_to)
      const good = Number.isNaN(until.getTime()) ? '' : `, good until ${until.toISOString().slice(0, 19)}Z`
      const how = insecureSkipTlsVerify ? 'not verified, as the kubeconfig wants' : 'verified'
      const protocol = socket.getProtocol() ?? 'TLS'
      socket.destroy()
      resolve({ detail: `${protocol}, certificate ${how}${good}`, value: true })
    })
    socket.once('timeout', () => socket.destroy(new Error(`no TLS handshake in ${patienceMs / 1000} s`)))
    socket.once('error', ({ message, code }: Error & { code?: string }) => {
      const why = `${message}${code && !message.includes(code) ? ` (${code})` : ''}`
      reject(code === 'ERR_TLS_CERT_ALTNAME_INVALID' ? new HopFailure(why, serverFix(at)) : new Error(why))
    })
  })
