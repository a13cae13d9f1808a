import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { policyWith } from '../../shared/domain/policy/policy.ts'
import { sync } from '../../shared/workflows/rollout/sync.ts'
import { lookAt, mostAtOnce, setTheStage, syncTools } from './stage.ts'

/** What is counted is what the API server's own watch showed. A step reads all nodes: with 300 (`MANY_NODES=300`) it takes ten times as long. */
const many = Number(process.env['MANY_NODES'] ?? 40)

describe.each([
  { kind: 'real', maxUnavailable: '10%', nodes: many / 10 },
  { kind: 'embedded', maxUnavailable: 3, nodes: 3 },
] as const)('a staged change of many nodes on the $kind API server', ({ kind, maxUnavailable, nodes }) => {
  let stage: Awaited<ReturnType<typeof setTheStage>>

  beforeAll(async () => {
    stage = await setTheStage(kind, many)
  }, 240_000)
  afterAll(() => stage?.stop())

  test(`with a budget of ${maxUnavailable} never restarts more Felixes at once, and promoting and cleaning up restart none`, async () => {
    const policy = policyWith({ action: 'sync', maxUnavailable })
    const observed = await stage.observer.begin()
    expect(await sync(syncTools(stage, policy), policy)).toMatchObject({ end: 'done' })
    await stage.observer.caughtUp()

    expect(mostAtOnce(observed.felix, policy.settleSeconds)).toBe(nodes)
    // Every node once, by its override; neither the promotion nor the removals changed what counts anywhere.
    expect(new Set(observed.felix.map(({ node }) => node)).size).toBe(many)
    expect(observed.felix).toHaveLength(many)
    const [first, second] = observed.felix
    expect((second?.at ?? 0) - (first?.at ?? 0)).toBeGreaterThan(policy.canarySeconds * 1000 - 500)
    expect(observed.pods).toEqual([])

    expect(stage.observer.overrides()).toEqual([])
    expect((await lookAt(stage, policy)).assessment.report.verdict).toBe('in-step')
  }, 600_000)
})
