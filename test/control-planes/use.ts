import { mkdirSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { adminClient } from '../../lab/admin-client.ts'
import type { PortSpan } from '../../lab/cluster.ts'
import { writeKubeconfig } from '../../lab/control-plane/files.ts'
import { type ControlPlane, type ControlPlaneOptions, startControlPlane } from '../../lab/control-plane/start.ts'
import { authorityOf } from '../../lab/pki.ts'
import type { Described } from './pool.ts'
import { wireOn } from './wire.ts'

/**
 * A real control plane with nothing in it: one of those that the files of a run share, or, outside of such a run, one of its own. Its
 * `stop` hands it back. A test of how a control plane starts, ends or logs starts its own.
 */
export const useControlPlane = (options: ControlPlaneOptions): Promise<ControlPlane> => {
  const socketFile = process.env['CONTROL_PLANES']
  return socketFile === undefined ? startControlPlane(options) : lease(socketFile, options)
}

const lease = async (
  socketFile: string,
  { name, workdir, nodePortRange, authenticate }: ControlPlaneOptions,
): Promise<ControlPlane> => {
  const socket = connect(socketFile)
  ;(globalThis as { atTeardown?: Set<() => unknown> }).atTeardown?.add(() => socket.destroy())
  const ended = new Promise<void>((resolve) => socket.once('close', () => resolve()))
  const wire = wireOn(socket, { authenticate: async (token) => authenticate?.(String(token)) })
  const { authority, ...it } = (await wire.ask('lease', nodePortRange)) as Described
  const folder = join(workdir, name)
  mkdirSync(folder, { recursive: true })
  const access = { server: it.server, caPem: authority.certPem, token: it.adminToken }
  const { request, close } = adminClient(access)
  return {
    kind: 'real',
    name,
    ...it,
    files: { ...it.files, folder, authority: await authorityOf(authority) },
    kubeconfig: writeKubeconfig({ file: join(folder, 'kubeconfig'), name, ...access }),
    request,
    setNodePortRange: async (range: PortSpan) => void (await wire.ask('setNodePortRange', range)),
    suspend: async () => void (await wire.ask('suspend')),
    resume: async () => void (await wire.ask('resume')),
    stop: async () => {
      close()
      wire.close()
      await ended
    },
  }
}
