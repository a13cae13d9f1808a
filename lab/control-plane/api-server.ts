import { join } from 'node:path'
import type { LabCluster, PortSpan } from '../cluster.ts'
import { type LabProcess, startProcess, untilReady } from '../processes.ts'
import { type ApiServerRequest, apiServerArguments } from './arguments.ts'

/** A kube-apiserver that can go and come back on the same port, with the objects that etcd kept. */
export interface ApiServer {
  /** Resolves when it is ready. Does nothing while it runs. */
  readonly start: (nodePortRange: PortSpan) => Promise<void>
  /** SIGKILL, as a crash; resolves when it is gone. */
  readonly kill: () => Promise<void>
}

export interface ApiServerParts extends Omit<ApiServerRequest, 'nodePortRange'> {
  kubelab: string
  readonly request: LabCluster['request']
}

export function createApiServer({ kubelab, request, ...rest }: ApiServerParts): ApiServer {
  let running: LabProcess | undefined
  return {
    start: async (nodePortRange) => {
      if (running && !running.isGone()) return
      running = startProcess({
        name: 'kube-apiserver',
        command: kubelab,
        args: ['kube-apiserver', ...apiServerArguments({ ...rest, nodePortRange })],
        logFile: join(rest.files.folder, 'kube-apiserver.log'),
      })
      await untilReady(running, async () => (await request('GET', '/readyz')) === 'ok')
    },
    kill: async () => {
      await running?.kill()
    },
  }
}
