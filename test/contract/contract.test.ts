import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, it } from '@jest/globals'
import type { ClusterOptions, LabCluster } from '../../lab/cluster.ts'
import { useControlPlane } from '../control-planes/use.ts'
import { startEmbedded } from '../../lab/embedded/start.ts'
import { sideBySide } from '../side-by-side.ts'
import { authenticate, type Behaviour } from './behaviour.ts'
import { behaviours } from './behaviours.ts'
import { prepare } from './objects.ts'

type Start = (options: ClusterOptions & { workdir: string }) => Promise<LabCluster>

const servers: [string, Start][] = [
  ['the real API server', useControlPlane],
  ['the embedded API server', startEmbedded],
]

const clusters: LabCluster[] = []
const workdir = mkdtempSync(join(tmpdir(), 'contract-'))
const all = Object.entries(behaviours)
const nameOf = (part: string, behaviour: Behaviour): string => `${part} ${behaviour.name}`

const begin = async (start: Start) => {
  const cluster = await start({ name: 'contract', workdir: mkdtempSync(join(workdir, 'server-')), authenticate })
  clusters.push(cluster)
  await prepare(cluster)
  const parts = all.flatMap(([part, list]) =>
    list.map((behaviour) => [nameOf(part, behaviour), () => behaviour.run(cluster)] as const),
  )
  return Object.fromEntries(parts)
}
// Both at once: most of it is waiting for what a server does by itself.
const stories = sideBySide(servers.map(([name, start]) => ({ name, begin: () => begin(start) })))

beforeAll(() => stories.play(), 600_000)
afterAll(async () => {
  await Promise.all(clusters.map((cluster) => cluster.stop()))
  rmSync(workdir, { recursive: true, force: true })
}, 60_000)

describe.each(servers)('%s', (server) => {
  describe.each(all)('%s', (part, list) => {
    it.each(list.map((behaviour) => [behaviour.name, behaviour] as const))('%s', (_sentence, behaviour) =>
      stories.ended(server, nameOf(part, behaviour)),
    )
  })
})
