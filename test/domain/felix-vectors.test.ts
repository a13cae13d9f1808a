import { describe, expect, test } from '@jest/globals'
import { differences, readVectors, versionsOf } from '../verify/conformance/vectors.ts'

const vectors = readVectors()
const answers = vectors.flatMap((vector) => versionsOf(vector).map((version) => ({ vector, version })))

describe("what Calico's own code answered", () => {
  test('is 110 recorded configurations, each for six versions', () => {
    expect(vectors).toHaveLength(110)
    expect(answers).toHaveLength(660)
  })

  test.each(vectors.map((vector) => [vector.name, vector] as const))('%s', (_, vector) => {
    const found = versionsOf(vector).flatMap((version) => differences(vector, version).map((it) => `${version} ${it}`))
    expect(found).toEqual([])
  })
})

describe('the comparison with the record', () => {
  const [vector] = vectors.filter((it) => it.name === 'ports/annotation/two')
  if (!vector) throw new Error('test/vectors/felix.json has no ports/annotation/two')
  const { expected } = vector
  const altered = (change: Partial<typeof expected>) =>
    differences({ ...vector, expected: { ...expected, ...change } }, vector.calico)

  test.each([
    ['another value', { values: { ...expected.values, KubeNodePortRanges: ['30000:32767'] } }],
    ['another layer', { sources: { ...expected.sources, KubeNodePortRanges: 'host' } }],
    ['another text', { raw: { global: { KubeNodePortRanges: '30000:32767, 40000' } } }],
    [
      'a warning more',
      { warnings: ['info: Ignoring empty configuration parameter. name=BPFEnabled source=datastore (global)'] },
    ],
    ['another outcome', { outcome: 'error' as const }],
  ])('notices %s', (_, change) => {
    expect(altered(change)).not.toEqual([])
  })
})
