import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { adminClient } from '../admin-client.ts'
import { requireBinary } from '../binaries.ts'
import type { ClusterOptions, LabCluster, PortSpan } from '../cluster.ts'
import { freePorts } from '../loopback.ts'
import { startProcess } from '../processes.ts'
import { type ApiServer, createApiServer } from './api-server.ts'
import { etcdArguments } from './arguments.ts'
import { type Controllers, createControllers } from './controllers.ts'
import { type ClusterFiles, writeClusterFiles, writeKubeconfig } from './files.ts'
import { prepareKwok } from './simulated-kubelets.ts'
import { serveTokenWebhook } from './token-webhook.ts'

export interface ControlPlaneOptions extends ClusterOptions {
  /** Files and logs of this cluster go into a folder of its name in here. It stays after `stop`, for who wants to read the logs. */
  workdir: string
}

/** A real cluster, with the files that its programs were given: what else is to belong to it needs them too. */
export interface ControlPlane extends LabCluster {
  readonly files: ClusterFiles
  /** `http://127.0.0.1:PORT`: where the API server keeps its objects. */
  readonly etcd: string
}

/** The range of an API server that is told none. */
export const defaultNodePortRange: PortSpan = { min: 30000, max: 32767 }

/**
 * The real control plane with simulated kubelets, ready to take objects. Needs the `kubelab` binary and throws with what to run where
 * there is none, or with the end of the log of the program that did not come up.
 */
export async function startControlPlane(options: ControlPlaneOptions): Promise<ControlPlane> {
  const kubelab = requireBinary('kubelab')
  const folder = join(options.workdir, options.name)
  rmSync(folder, { recursive: true, force: true })
  const files = await writeClusterFiles(folder)
  const undo: (() => void | Promise<void>)[] = []
  const stop = async (): Promise<void> => {
    // Last started, first ended: an API server whose etcd is gone would keep its port for a minute.
    for (const step of undo.splice(0).toReversed()) await step()
  }
  try {
    return await start({ options, kubelab, files, undo, stop })
  } catch (error) {
    await stop()
    throw error
  }
}

interface Start {
  options: ControlPlaneOptions
  kubelab: string
  files: ClusterFiles
  undo: (() => void | Promise<void>)[]
  stop: () => Promise<void>
}

async function start({ options, kubelab, files, undo, stop }: Start): Promise<ControlPlane> {
  const { name, authenticate, nodePortRange = defaultNodePortRange } = options
  const [port = 0, etcdPort = 0, peerPort = 0, kwokPort = 0] = await freePorts(4)
  const access = { server: `https://127.0.0.1:${port}`, caPem: files.authority.certPem, token: files.adminToken }
  const { request, close } = adminClient(access)
  undo.push(close)
  const webhook = authenticate && (await serveTokenWebhook(files, authenticate))
  if (webhook) undo.push(webhook.close)
  const etcd = startProcess({
    name: 'etcd',
    command: kubelab,
    args: ['etcd', ...etcdArguments(files.folder, etcdPort, peerPort)],
    logFile: join(files.folder, 'etcd.log'),
  })
  undo.push(() => etcd.kill())
  const apiServer = createApiServer({ kubelab, files, port, etcdPort, tokenWebhook: webhook?.kubeconfig, request })
  undo.push(apiServer.kill)
  await apiServer.start(nodePortRange)
  const kubeconfig = writeKubeconfig({ file: join(files.folder, 'kubeconfig'), name, ...access })
  await prepareKwok({ request }, kubelab)
  const controllers = createControllers({ kubelab, files, kubeconfig, kwokPort })
  undo.push(controllers.kill)
  await controllers.start()
  return labCluster({
    name,
    server: access.server,
    files,
    kubeconfig,
    request,
    apiServer,
    controllers,
    nodePortRange,
    stop,
    etcd: `http://127.0.0.1:${etcdPort}`,
  })
}

interface Parts extends Pick<ControlPlane, 'name' | 'server' | 'kubeconfig' | 'request' | 'stop' | 'files' | 'etcd'> {
  apiServer: ApiServer
  controllers: Controllers
  nodePortRange: PortSpan
}

function labCluster({ files, apiServer, controllers, nodePortRange, ...rest }: Parts): ControlPlane {
  let range = nodePortRange
  const suspend = async (): Promise<void> => {
    await Promise.all([apiServer.kill(), controllers.kill()])
  }
  const resume = async (): Promise<void> => {
    await apiServer.start(range)
    await controllers.start()
  }
  return {
    kind: 'real',
    ...rest,
    files,
    caData: Buffer.from(files.authority.certPem).toString('base64'),
    adminToken: files.adminToken,
    setNodePortRange: async (next) => {
      range = next
      await suspend()
      await resume()
    },
    suspend,
    resume,
  }
}
