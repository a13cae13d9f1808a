import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, it } from '@jest/globals'
import type { ClusterOptions, LabCluster } from '../../lab/cluster.ts'
import { useControlPlane } from '../control-planes/use.ts'
import { startEmbedded } from '../../lab/embedded/start.ts'
import { authenticate } from './behaviour.ts'
import { behaviours } from './behaviours.ts'
import { prepare } from './objects.ts'

type Start = (options: ClusterOptions & { workdir: string }) => Promise<LabCluster>

const servers: [string, Start][] = [
  ['the real API server', useControlPlane],
  ['the embedded API server', startEmbedded],
]

describe.each(servers)('%s', (_name, start) => {
  let workdir: string
  let cluster: LabCluster

  beforeAll(async () => {
    workdir = mkdtempSync(join(tmpdir(), 'contract-'))
    cluster = await start({ name: 'contract', workdir, authenticate })
    await prepare(cluster)
  })

  afterAll(async () => {
    await cluster?.stop()
    rmSync(workdir, { recursive: true, force: true })
  })

  describe.each(Object.entries(behaviours))('%s', (_part, list) => {
    it.each(list.map((behaviour) => [behaviour.name, behaviour] as const))('%s', async (_sentence, behaviour) => {
      await behaviour.run(cluster)
    })
  })
})
