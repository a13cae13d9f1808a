import { expect, test } from '@jest/globals'
import type { Hop } from '../../cli/doctor/hop.ts'
import { asText } from '../../cli/doctor/text.ts'

const patch = '{"metadata":{"annotations":{"config.projectcalico.org/KubeNodePortRanges":"20000:32767"}}}'
const hops: Hop[] = [
  { hop: 'TLS', state: 'ok', detail: 'TLSv1.3, certificate verified' },
  {
    hop: 'may list validatingwebhookconfigurations.admissionregistration.k8s.io',
    state: 'ok',
    detail: 'which nodes answer webhooks that the API server calls for a change',
  },
  {
    hop: 'authentication',
    state: 'failed',
    detail: 'the API server does not accept the token that the credential plugin returned (401)',
    fix: `# the context's user\nkubectl --context arn:aws:eks:eu-west-1:111122223333:cluster/prod patch felixconfigurations default -p '${patch}'`,
  },
  { hop: 'Calico API', state: 'not tried', detail: 'it needs authentication' },
]
const shown = (width?: number): string[] =>
  asText({ cluster: { name: 'prod' }, ok: false, hops }, { color: false } as never, width)
    .trimEnd()
    .split('\n')

test.each([80, 100, 140])('on a terminal of %i columns nothing is wider, and words stay whole', (columns) => {
  const lines = shown(columns)
  expect(lines.filter((line) => line.length > columns)).toEqual([])
  const words = (text: string[]) => new Set(text.join(' ').split(/[\s\\]+/))
  const lost = [...words(shown())].filter((word) => !word.includes('{') && !words(lines).has(word))
  expect(lost).toEqual([])
})

test.each([80, 140, undefined])('with %s columns all details begin in the same one', (columns) => {
  const lines = shown(columns)
  const begins = hops.map(({ detail }) => Math.max(...lines.map((line) => line.indexOf(detail.slice(0, 16)))))
  expect(Math.min(...begins)).toBeGreaterThan(0)
  expect(new Set(begins).size).toBe(1)
})

test('without a terminal each hop is one line, and its command too', () => {
  expect(shown()).toHaveLength(1 + hops.length + 3 + 1)
})

test('the last line names the hops that failed', () => {
  expect(shown(80).at(-1)).toBe('1 of 4 hops failed: authentication. What to paste stands below each.')
})
