import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Cloud, startCloud } from '../../../lab/aws/cloud.ts'
import { configure } from '../../../lab/aws/configured.ts'
import type { LabCluster } from '../../../lab/cluster.ts'
import { useControlPlane } from '../../control-planes/use.ts'
import { startEmbedded } from '../../../lab/embedded/start.ts'
import { applyManifests } from '../../../lab/fixtures/manifests.ts'
import { assemble, letIn, place, seed } from '../../flow/guards-stage.ts'
import { delays } from '../../flow/place.ts'
import { desired } from './judge.ts'
import { ledger, type Ledger, type Mail, watchMail } from './deployment.ts'
import type { Variant } from './variant.ts'
import { inhabit } from './world.ts'

/** The deployed stack on stand-ins, each function as its bundle, to which clusters are added one by one. */
export interface Stage {
  cloud: Cloud
  ledger: Ledger
  mail: Mail
  /** A cluster of its own for a variant, looked after by the stack from now on. */
  cluster: (name: string, kind: LabCluster['kind'], guarded: boolean) => Promise<LabCluster>
  /** What EKS says of it: its range, and what may be done there. */
  announce: (cluster: LabCluster, variant: Pick<Variant, 'setting' | 'action'>) => void
  stop: () => Promise<void>
}

const policy = { canarySeconds: 1, settleSeconds: 1, nodeDeadlineSeconds: 30, clustersAtOnce: 500 }

export const setTheStage = async (): Promise<Stage> => {
  const folder = mkdtempSync(join(tmpdir(), 'calico-ipvs-sync-forgeries-'))
  const book = ledger()
  const cloud = await startCloud({
    ...place,
    assemblyDir: await assemble(folder),
    timeScale: 1 / 200,
    delays,
    environments: 3,
    onMoment: book.note,
  })
  configure(cloud.stack, (configured) => ({ ...configured, policy: { action: 'sync', ...policy } }))
  const mail = await watchMail(cloud)
  return {
    cloud,
    ledger: book,
    mail,
    cluster: async (name, kind, guarded) => {
      const cluster = await (kind === 'real' ? useControlPlane : startEmbedded)({
        name,
        workdir: folder,
        kubernetesVersion: 'v1.35.2',
        authenticate: (token) => cloud.authenticate(name)(token),
      })
      await inhabit(cluster)
      await applyManifests(cluster, { guarded })
      return cluster
    },
    announce: (cluster, variant) => {
      const tags = { 'calico-ipvs-sync': variant.action }
      cloud.eks.addCluster({ ...seed(cluster), nodePortRange: desired(variant), tags })
      letIn(cloud, cluster.name)
    },
    stop: async () => {
      await mail.stop()
      await cloud.stop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
