import { rangeFlag as flagFor } from '../proof/tool.ts'
import type { Ground } from './ground.ts'
import { createService, denyToNodes, type NodePortService, type ServingPod, setRange, startPod } from './workload.ts'
import { untilOutcomes } from './probe.ts'

/** The API server's range here. Felix's own default, 30000:32767, lacks the first ten thousand. */
export const range = '20000:32767'
export const rangeFlag = flagFor(range)

/** One inside and one outside of Felix's default, each for both policies on where traffic may end. */
export const services = {
  inside: { name: 'inside', nodePort: 30080, policy: 'Cluster' },
  insideLocal: { name: 'inside-local', nodePort: 30081, policy: 'Local' },
  outside: { name: 'outside', nodePort: 20080, policy: 'Cluster' },
  outsideLocal: { name: 'outside-local', nodePort: 20081, policy: 'Local' },
} as const satisfies Record<string, NodePortService>

export interface Scene {
  pods: ServingPod[]
  /** Every node, TCP and UDP, for these Services. */
  targets: (...of: NodePortService[]) => string[]
}

/** A pod on every node, node-port Services in front of them, and a policy that lets nothing reach the nodes themselves. */
export async function setScene(ground: Ground): Promise<Scene> {
  const pods: ServingPod[] = []
  for (const [index, node] of ground.nodes.entries())
    pods.push(await startPod(ground, node, `web-${index + 1}`, { app: 'web' }))
  for (const service of Object.values(services)) await createService(ground, service, pods)
  await denyToNodes(ground)
  const targets = (...of: NodePortService[]) =>
    of.flatMap(({ nodePort }) =>
      ground.nodes.flatMap(({ address }) => ['tcp', 'udp'].map((it) => `${it}/${address}:${nodePort}`)),
    )
  const inside = targets(services.inside, services.insideLocal)
  const seen = await untilOutcomes(ground, inside, isPod, 300)
  if (!seen.every(isPod)) throw new Error(`Node ports inside of Felix's range do not answer: ${seen.join(', ')}`)
  return { pods, targets }
}

export const isPod = (outcome: string): boolean => outcome.startsWith('web-')

/** As at the beginning: nothing is set. */
export const unset = (ground: Ground): Promise<void> => setRange(ground, {})
