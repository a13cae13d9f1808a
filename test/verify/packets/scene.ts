import { isStatus } from '../../../lab/admin-client.ts'
import { ours } from '../../../shared/domain/rollout/annotations.ts'
import { parseJournal } from '../../../shared/domain/rollout/journal.ts'
import { until } from '../../until.ts'
import { felixConfigurations, lease, rangeAnnotation } from '../proof/ground.ts'
import { rangeFlag as flagFor } from '../proof/tool.ts'
import type { Ground } from './ground.ts'
import { isTimeout } from './claim.ts'
import { hostPort, type NodePortService, range, services } from './ports.ts'
import { untilOutcomes } from './probe.ts'
import { createService, denyToNodes, type ServingPod, setRange, startHostProcess, startPod } from './workload.ts'

export const rangeFlag = flagFor(range)

export interface Scene {
  pods: ServingPod[]
  /** Every node, TCP and UDP, for these Services. */
  targets: (...of: NodePortService[]) => string[]
}

/** Of grounds that a chapter has left to the next one. */
const scenes = new WeakMap<Ground, Scene>()

/**
 * On a ground that has it already what was set in Felix is unset.
 *
 * A pod on every node, node-port Services in front of them, and a policy that lets nothing reach the nodes themselves. Every node port
 * answers before there is that policy: it is the policy that closes those outside of Felix's range.
 */
export async function setScene(ground: Ground): Promise<Scene> {
  const known = scenes.get(ground)
  if (known) await unset(ground)
  const scene = known ?? (await createScene(ground))
  scenes.set(ground, scene)
  const { targets } = scene
  const [inside, outside] = [
    targets(services.inside, services.insideLocal),
    targets(services.outside, services.outsideLocal),
  ]
  await come(ground, "The policy does not close node ports outside of Felix's range", outside, isTimeout)
  await come(ground, "The policy closes node ports inside of Felix's range", inside, isPod)
  await until('Felix on every node', () => ground.nodes.every((node) => node.isReady()), 300)
  return scene
}

async function createScene(ground: Ground): Promise<Scene> {
  const pods: ServingPod[] = []
  for (const [index, node] of ground.nodes.entries())
    pods.push(await startPod(ground, node, `web-${index + 1}`, { app: 'web' }))
  for (const service of Object.values(services)) await createService(ground, service, pods)
  const targets = (...of: NodePortService[]) =>
    of.flatMap(({ nodePort }) =>
      ground.nodes.flatMap(({ address }) => ['tcp', 'udp'].map((it) => `${it}/${address}:${nodePort}`)),
    )
  await come(ground, 'Without a policy, node ports do not answer', targets(...Object.values(services)), isPod)
  await denyToNodes(ground)
  return { pods, targets }
}

async function come(
  ground: Ground,
  what: string,
  of: readonly string[],
  awaited: (outcome: string) => boolean,
): Promise<void> {
  const seen = await untilOutcomes(ground, of, awaited, 300)
  if (!seen.every(awaited)) throw new Error(`${what}: ${seen.join(', ')}`)
}

/** A Felix that is to restart for a change has ended by then, on a busy machine too: it does so two seconds after it has seen it. */
export const longEnough = 60_000

export const isPod = (outcome: string): boolean => outcome.startsWith('web-')

/** Whether the tool ended with 0 after it had written an override, by its own list, whatever was put into it. */
export async function hasSucceeded({ cluster }: Ground, code: number | null | undefined): Promise<boolean> {
  const { metadata } = (await cluster.request('GET', lease)) as { metadata: { annotations?: Record<string, string> } }
  return (
    code === 0 && parseJournal(metadata.annotations?.[`${ours}journal`]).entries.some(({ what }) => what === 'override')
  )
}

/** A process on every node on a port that no Service can have, TCP and UDP. It is reached where Felix has more than the wanted range. */
export async function startHostProcesses(ground: Ground): Promise<{ targets: string[]; end: () => void }> {
  const processes = await Promise.all(
    ground.nodes.map((node) => startHostProcess(ground, node, 'host-process', hostPort)),
  )
  return {
    targets: ground.nodes.flatMap(({ address }) => ['tcp', 'udp'].map((it) => `${it}/${address}:${hostPort}`)),
    end: () => {
      for (const it of processes) it.end()
    },
  }
}

/** `configuredRanges` where the wanted range is on `default` and no other object has one. */
export const onlyWanted = `default ${range}`

/** Each FelixConfiguration with a range, and its range: `default 20000:32767`. */
export async function configuredRanges({ cluster }: Ground): Promise<string> {
  const { items } = (await cluster.request('GET', felixConfigurations)) as {
    items: { metadata: { name: string; annotations?: Record<string, string> } }[]
  }
  const configured = items.flatMap(({ metadata: { name, annotations } }) => {
    const value = annotations?.[rangeAnnotation]
    return value === undefined ? [] : [`${name} ${value}`]
  })
  return configured.join(', ') || 'nothing'
}

/** As at the beginning: nothing is set, and the tool does not remember that it wrote today what is taken away here. */
export async function unset(ground: Ground): Promise<void> {
  await ground.cluster.request('DELETE', lease).catch((error: unknown) => {
    if (!isStatus(error, 404)) throw error
  })
  await setRange(ground, {})
}
