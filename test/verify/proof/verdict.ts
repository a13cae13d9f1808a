import type { LabCluster } from '../../../lab/cluster.ts'
import { isStatus } from '../../../lab/admin-client.ts'
import { felixConfigurations, type Ground, lease } from './ground.ts'
import { podsOf } from './pods.ts'
import { runTool } from './tool.ts'

/** What the tool says, to be quoted beside what the nodes show. */
export interface Verdict {
  code: number | null
  /** Of the findings, each once. */
  codes: string[]
  /** Names of nodes. */
  outOfStep: string[]
  /** Pods that a plan would restart. */
  restarts: string[]
}

interface Report {
  findings: { code: string }[]
  nodes: { name: string; verdict: string }[]
  plan?: { changes: { action: string; name: string }[] }
}

export async function verdictOf(ground: Ground, ...args: string[]): Promise<Verdict> {
  const { code, out } = await runTool(ground, ...args, '-o', 'json')
  const { findings, nodes, plan } = JSON.parse(out) as Report
  const restarts = plan?.changes.filter(({ action }) => action === 'restart').map(({ name }) => name) ?? []
  const outOfStep = nodes.filter((it) => it.verdict === 'out-of-step').map(({ name }) => name)
  return { code, codes: [...new Set(findings.map((it) => it.code))].toSorted(), outOfStep, restarts }
}

export const quoted = ({ code, codes }: Verdict): string =>
  `exit status ${code}, ${codes.length > 0 ? codes.join(', ') : 'no finding'}`

interface Stored {
  metadata: { name: string; uid: string; resourceVersion: string }
}

/** All that the tool may ever write, as it stands. Equal texts: nothing was written, not even the same once more. */
export async function writable(cluster: LabCluster): Promise<string> {
  const version = ({ metadata }: Stored) => `${metadata.name} ${metadata.uid} ${metadata.resourceVersion}`
  const { items } = (await cluster.request('GET', felixConfigurations)) as { items: Stored[] }
  const held = await cluster.request('GET', lease).then(
    (it) => version(it as Stored),
    (error: unknown) => {
      if (isStatus(error, 404)) return 'no Lease'
      throw error
    },
  )
  const pods = (await podsOf(cluster, 'calico-node')).map(({ name, uid }) => `${name} ${uid}`)
  return [...items.map(version).toSorted(), held, ...pods].join('\n')
}
