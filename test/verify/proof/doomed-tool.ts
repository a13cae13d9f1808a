import { spawn } from 'node:child_process'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { Agent, createServer, request as forward } from 'node:https'
import { dirname, join } from 'node:path'
import type { LabCluster } from '../../../lab/cluster.ts'
import { writeKubeconfig } from '../../../lab/control-plane/files.ts'
import { sharedCertificate } from '../../../lab/embedded/certificate.ts'
import { listenLocally } from '../../../lab/loopback.ts'
import { bin } from './tool.ts'

/** Where the process is killed: at which of its writes, from 1, and whether the write still takes place. */
export interface CrashPoint {
  at: number
  moment: 'before' | 'after'
}

export interface Ended {
  code: number | null
  /** Every write it asked for: `PATCH leases`. Dry runs and questions for access are none. */
  writes: string[]
  /** It was killed at its crashPoint. */
  killed: boolean
}

/** The command line behind a server of ours that lets everything through, and kills it with SIGKILL where it is told to. */
export interface DoomedTool {
  run: (args: string[], crashPoint?: CrashPoint) => Promise<Ended>
  stop: () => Promise<void>
}

export async function startDoomedTool(cluster: LabCluster): Promise<DoomedTool> {
  const { certPem, keyPem, caPem } = await sharedCertificate()
  const agent = new Agent({ keepAlive: true, ca: Buffer.from(cluster.caData, 'base64').toString() })
  let heard: (write: string) => CrashPoint['moment'] | undefined = () => undefined
  let kill: () => void = () => undefined

  const pass = (incoming: IncomingMessage, response: ServerResponse, isLast: boolean): void => {
    const { method = 'GET', headers, url = '/' } = incoming
    const onward = forward(new URL(url, cluster.server), { method, headers, agent }, (answered) => {
      if (isLast) return void answered.resume().once('end', kill)
      response.writeHead(answered.statusCode ?? 502, answered.headers)
      answered.pipe(response)
    })
    onward.once('error', () => incoming.socket.destroy())
    incoming.pipe(onward)
  }
  const server = createServer({ cert: certPem, key: keyPem }, (incoming, response) => {
    const moment = isWrite(incoming) ? heard(named(incoming)) : undefined
    if (moment === 'before') return kill()
    pass(incoming, response, moment === 'after')
  })
  server.on('tlsClientError', () => undefined)
  const kubeconfig = writeKubeconfig({
    file: join(dirname(cluster.kubeconfig), 'doomed.kubeconfig'),
    name: cluster.name,
    server: `https://127.0.0.1:${await listenLocally(server)}`,
    caPem,
    token: cluster.adminToken,
  })

  const run = (args: string[], crashPoint?: CrashPoint): Promise<Ended> =>
    new Promise((resolve, reject) => {
      const it: Ended = { code: null, writes: [], killed: false }
      // In a container the process has the same number each time, so that the Lease of the one that died is its own.
      const container = ['--pid', '--fork', '--kill-child', process.execPath]
      const child = spawn('unshare', [...container, bin, ...args, '--kubeconfig', kubeconfig], {
        stdio: 'ignore',
        env: { ...process.env, NO_COLOR: '1' },
      })
      kill = () => {
        it.killed = true
        child.kill('SIGKILL')
      }
      heard = (write) => {
        it.writes.push(write)
        return crashPoint?.at === it.writes.length ? crashPoint.moment : undefined
      }
      child.once('error', reject)
      child.once('close', (code) => resolve({ ...it, code }))
    })
  return {
    run,
    stop: async () => {
      agent.destroy()
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

const isWrite = ({ method = 'GET', url = '' }: IncomingMessage): boolean =>
  method !== 'GET' && !url.includes('dryRun=All') && !url.includes('selfsubjectaccessreviews')

/** `DELETE felixconfigurations`, whichever object it is. */
const named = ({ method = '', url = '' }: IncomingMessage): string =>
  `${method} ${/\/(leases|felixconfigurations|pods)\b/.exec(url)?.[1] ?? url}`
