import { setTimeout as sleep } from 'node:timers/promises'
import { assess } from '../../../shared/domain/assess/assess.ts'
import { defaultPolicy } from '../../../shared/domain/policy/policy.ts'
import { observe } from '../../../shared/workflows/observe/observe.ts'
import { range, type Scene } from './scene.ts'

/**
 * Starts an API server that was killed. It is ready before it serves all that is read, such as CRDs: meanwhile the clock of the runs would
 * skip the hours that a rollout waits for it.
 */
export const bringBack = async ({ cluster, direct, clock }: Scene): Promise<void> => {
  await cluster.resume()
  const givenServiceRange = { ...range, source: 'flag' } as const
  for (const end = Date.now() + 60_000; ; await sleep(25)) {
    const now = clock.now()
    const state = await observe({ kube: direct, identity: { name: cluster.name }, now, givenServiceRange })
    const { verdict, nodes } = assess(state, defaultPolicy).report
    if (verdict !== 'unknown') return
    if (Date.now() > end) throw new Error(`The API server is back, and the cluster cannot be read: ${nodes[0]?.reason}`)
  }
}
