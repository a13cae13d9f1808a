import type { KubeClient } from '../../shared/clients/kube/client.ts'
import type { PodState } from '../../shared/domain/cluster.ts'
import type { StepTools } from '../../shared/workflows/rollout/tools.ts'
import type { World } from './world.ts'

/** A world under observation: what our writes did to nodes, and where that broke a promise. */
export interface Watched {
  world: World
  violations: string[]
  /** Every pod that was deleted by us. */
  deleted: PodState[]
  /** Tools of a process that dies at one of its writes: before it is carried out, or after and before it is answered. */
  cutShort: (at: { write: number; done: boolean }) => StepTools
}

interface Promised {
  maxUnavailable: number
  settleSeconds: number
  outOfScope: string[]
}

const writes = ['putLease', 'createFelix', 'patchFelix', 'deleteFelix', 'deletePod'] as const

/**
 * A node counts as disturbed by us from our write until it has been Ready for the settling time. A node that was unwell
 * before the write is kept apart: it has nothing to lose.
 */
export const watched = (world: World, promised: Promised): Watched => {
  const touched = new Map<string, number>()
  const violations: string[] = []
  const deleted: PodState[] = []
  const settled = (pod: PodState | undefined, at: number): boolean => {
    const since = Math.max(at, Date.parse(pod?.readySince ?? ''))
    return pod?.ready === true && !pod.deletedAt && world.clock - since >= promised.settleSeconds * 1000
  }
  const inFlight = () =>
    [...touched].flatMap(([node, at]) => {
      const pod = world.pods.find((it) => it.node === node)
      return (pod || world.bare.has(node)) && !settled(pod, at) ? [node] : []
    })
  const observe = (before: PodState[], seen: { felix: number; pods: number }, what: string): void => {
    const well = new Set(before.filter(({ ready, deletedAt }) => ready && !deletedAt).map(({ node }) => node))
    const hit = [...world.felixRestarts.slice(seen.felix), ...world.podRestarts.slice(seen.pods)]
    const disturbed = hit.map(({ node }) => node).filter((node) => well.has(node))
    for (const node of disturbed) touched.set(node, world.clock)
    for (const node of hit.map(({ node }) => node)) {
      if (promised.outOfScope.includes(node)) violations.push(`${what} touched ${node}, which is out of scope`)
    }
    const now = inFlight()
    if (disturbed.length > 0 && now.length > promised.maxUnavailable) {
      violations.push(`${what} at ${world.iso()}: ${now.join(', ')} disturbed at once`)
    }
  }
  const { kube } = world.tools
  const observed = <A extends unknown[], R>(name: string, write: (...args: A) => R) => {
    return (...args: A): R => {
      const [before, seen] = [world.pods, { felix: world.felixRestarts.length, pods: world.podRestarts.length }]
      const answer = write(...args)
      if (world.podRestarts.length > seen.pods) deleted.push(...before.filter((pod) => !world.pods.includes(pod)))
      observe(before, seen, `${name} ${JSON.stringify((args.at(-1) as { name?: string }).name ?? args.at(1) ?? '')}`)
      return answer
    }
  }
  const watching: KubeClient = {
    ...kube,
    createFelix: observed('create', kube.createFelix),
    patchFelix: observed('patch', kube.patchFelix),
    deleteFelix: observed('delete', kube.deleteFelix),
    deletePod: observed('restart', kube.deletePod),
  }
  world.tools = { ...world.tools, kube: watching }
  return { world, violations, deleted, cutShort: (at) => ({ ...world.tools, kube: dying(watching, at) }) }
}

const dying = (kube: KubeClient, { write, done }: { write: number; done: boolean }): KubeClient => {
  let left = write
  const dies =
    <A extends unknown[], R>(act: (...args: A) => Promise<R>) =>
    async (...args: A): Promise<R> => {
      left -= 1
      if (left >= 0) return act(...args)
      if (done && left === -1) await act(...args)
      throw new Error('the process died here')
    }
  return { ...kube, ...Object.fromEntries(writes.map((name) => [name, dies(kube[name] as never)])) }
}
