import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { LabCluster } from '../../lab/cluster.ts'
import { useControlPlane } from '../control-planes/use.ts'
import { type EmbeddedCluster, startEmbedded } from '../../lab/embedded/start.ts'
import type { KubeConnection } from '../../shared/clients/kube/connection.ts'

export const scratch = (): string => mkdtempSync(join(tmpdir(), 'calico-ipvs-sync-'))

const folders: string[] = []

function workdir(): string {
  const folder = scratch()
  folders.push(folder)
  return folder
}

export const embeddedCluster = (name = 'clients'): Promise<EmbeddedCluster> =>
  startEmbedded({ name, workdir: workdir() })
export const realCluster = (name = 'clients'): Promise<LabCluster> => useControlPlane({ name, workdir: workdir() })

export function removeScratch(): void {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
}

export const connectionTo = ({ server, caData, adminToken }: LabCluster): KubeConnection => ({
  server,
  ca: Buffer.from(caData, 'base64').toString('utf8'),
  token: async () => adminToken,
})
