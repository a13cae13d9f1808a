import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { buildBinary } from '../../lab/binaries.ts'
import { resolveOurs } from '../verify/conformance/compare.ts'
import { type Oracle, startOracle } from '../verify/conformance/oracle.ts'
import { compareConfigurations, comparePatterns, compareSelectors, compareVectors } from '../verify/conformance/run.ts'
import type { FelixResolution } from '../../shared/domain/felix/values.ts'

// A shortened `npm run conformance`. Without the oracle and without Go to build it, this fails and says so.
const options = { runs: 300, seed: 7 }
let oracle: Oracle

beforeAll(async () => {
  oracle = startOracle(await buildBinary('oracle'))
}, 600_000)
afterAll(() => oracle?.stop())

describe("our engine and Calico's own code", () => {
  test('agree on every recorded configuration', () => {
    expect(compareVectors()).toEqual({ total: 110, agree: 110, differing: [] })
  })

  test('agree on generated configurations', async () => {
    expect(await compareConfigurations(oracle, options)).toEqual({ total: 300, agree: 300, differing: [] })
  })

  test("agree on which patterns Go's regular expressions take and match", async () => {
    expect(await comparePatterns(oracle, options)).toEqual({ total: 300, agree: 300, differing: [] })
  })

  test('agree on which selectors are valid and match', async () => {
    expect(await compareSelectors(oracle, options)).toEqual({ total: 300, agree: 300, differing: [] })
  })
})

describe('the comparison itself', () => {
  test('finds a planted difference and shows the smallest case', async () => {
    const honoursSpec = (it: Parameters<typeof resolveOurs>[0]): FelixResolution =>
      it.objects.some((object) => Array.isArray(object.spec['kubeNodePortRanges']))
        ? pretend(resolveOurs(it))
        : resolveOurs(it)
    const { total, agree, differing } = await compareConfigurations(oracle, options, honoursSpec)
    expect(agree).toBeLessThan(total)
    expect(differing).toHaveLength(1)
    expect(differing[0]).toMatch(/KubeNodePortRanges: ours \["1:2"\]/)
    expect(differing[0]).toMatch(/"env": \[\]/)
  })
})

/** An engine that takes the spec field at its word. */
const pretend = (answer: FelixResolution): FelixResolution =>
  answer.outcome === 'ok'
    ? { ...answer, values: { ...answer.values, KubeNodePortRanges: [{ min: 1, max: 2 }] } }
    : answer
