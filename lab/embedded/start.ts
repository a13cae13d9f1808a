import { randomBytes } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { createServer, type Server } from 'node:https'
import { join } from 'node:path'
import { adminClient } from '../admin-client.ts'
import type { AuthenticatedUser, ClusterOptions, LabCluster, PortSpan } from '../cluster.ts'
import { writeKubeconfig } from '../control-plane/files.ts'
import { listenLocally } from '../loopback.ts'
import { bootstrap } from './bootstrap.ts'
import { sharedCertificate } from './certificate.ts'
import type { Context } from './context.ts'
import { createFaults, type Faults } from './faults.ts'
import { type Door, serve } from './http.ts'
import { reportPortsOutOfRange } from './port-repair.ts'
import { createRegistry } from './resources.ts'
import { createStore } from './store.ts'
import { createTimers, type Timers } from './timers.ts'

export interface EmbeddedOptions extends ClusterOptions {
  /** The kubeconfig goes into a folder of the cluster's name in here. */
  workdir: string
  now?: () => Date
}

export interface EmbeddedCluster extends LabCluster {
  readonly kind: 'embedded'
  /** Misbehaviour on request, and what was asked of the server. */
  readonly faults: Faults
}

const defaultRange: PortSpan = { min: 30000, max: 32767 }

/**
 * A Kubernetes API server in this process, with the DaemonSet controller and simulated kubelets; nothing outlives
 * `stop`.
 */
export async function startEmbedded(options: EmbeddedOptions): Promise<EmbeddedCluster> {
  const { name, workdir, authenticate, nodePortRange = defaultRange, kubernetesVersion = 'v1.36.3' } = options
  const now = options.now ?? (() => new Date())
  const context: Context = { store: createStore(), registry: createRegistry(), nodePortRange, kubernetesVersion, now }
  const timers = createTimers()
  bootstrap(context, timers)
  const adminToken = randomBytes(16).toString('hex')
  const door: Door = {
    context,
    faults: createFaults(() => context.store.compact()),
    authenticate: async (token) => (token === adminToken ? admin : authenticate?.(token)),
  }
  const certificate = await sharedCertificate()
  const listener = await listen(door, certificate)
  const server = `https://127.0.0.1:${listener.port}`
  const access = { server, caPem: certificate.caPem, token: adminToken }
  const client = adminClient(access)
  mkdirSync(join(workdir, name), { recursive: true })
  return {
    name,
    kind: 'embedded',
    server,
    caData: Buffer.from(certificate.caPem).toString('base64'),
    kubeconfig: writeKubeconfig({ file: join(workdir, name, 'kubeconfig'), name, ...access }),
    adminToken,
    request: client.request,
    faults: door.faults,
    ...lifeOf({ context, timers, listener, close: client.close }),
  }
}

const admin: AuthenticatedUser = { username: 'admin', groups: ['system:masters'] }

interface Life {
  context: Context
  timers: Timers
  listener: Listener
  close: () => void
}

function lifeOf({
  context,
  timers,
  listener,
  close,
}: Life): Pick<LabCluster, 'setNodePortRange' | 'suspend' | 'resume' | 'stop'> {
  return {
    async setNodePortRange(range) {
      context.nodePortRange = range
      reportPortsOutOfRange(context)
    },
    async suspend() {
      timers.pause()
      await listener.close()
    },
    async resume() {
      await listener.open()
      timers.resume()
    },
    async stop() {
      timers.stop()
      close()
      await listener.close()
    },
  }
}

interface Listener {
  port: number
  open(): Promise<void>
  /** Connections are cut, not seen off. */
  close(): Promise<void>
}

async function listen(door: Door, { certPem, keyPem }: { certPem: string; keyPem: string }): Promise<Listener> {
  const make = (): Server => {
    const server = createServer({ cert: certPem, key: keyPem, keepAliveTimeout: 120_000 }, (incoming, response) => {
      serve(door, incoming, response).catch(() => incoming.socket.destroy())
    })
    // A client that resets its connection is no concern of the server's.
    server.on('tlsClientError', () => undefined)
    return server
  }
  let server: Server | undefined = make()
  const port = await listenLocally(server)
  return {
    port,
    async open() {
      if (server !== undefined) return
      const next = make()
      await new Promise<void>((resolve, reject) => {
        next.once('error', reject)
        next.listen(port, '127.0.0.1', resolve)
      })
      server = next
    },
    async close() {
      const closing = server
      server = undefined
      if (closing === undefined) return
      const closed = new Promise((resolve) => closing.close(resolve))
      closing.closeAllConnections()
      await closed
    },
  }
}
