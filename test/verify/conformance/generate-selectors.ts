import fc from 'fast-check'

const pick = <T>(...values: T[]): fc.Arbitrary<T> => fc.constantFrom(...values)

const label: fc.Arbitrary<string> = pick('zone', 'pool', 'kubernetes.io/os')
const value: fc.Arbitrary<string> = pick('a', 'b', '', 'linux')
const quoted = fc.tuple(pick('"', "'"), value).map(([mark, it]) => `${mark}${it}${mark}`)
const comparison = fc.oneof(
  fc
    .tuple(label, pick(' == ', '==', ' != ', '=', ' contains ', ' starts with ', ' ends with ', ' startswith '), quoted)
    .map((it) => it.join('')),
  fc
    .tuple(label, pick(' in ', ' not in ', ' notin '), fc.array(quoted, { maxLength: 3 }))
    .map(([a, op, list]) => `${a}${op}{${list.join(', ')}}`),
  label.map((it) => `has(${it})`),
  pick('all()', 'global()', '!all()', 'has( zone )', 'has(', 'zone', '""', '!', '()'),
)
export const selectorText: fc.Arbitrary<string> = fc.letrec<{ whole: string }>((tie) => ({
  whole: fc.oneof(
    { maxDepth: 3, depthIdentifier: 'selector', withCrossShrink: true },
    comparison,
    fc.tuple(tie('whole'), pick(' && ', ' || ', '&&', ' & ', ' '), tie('whole')).map((it) => it.join('')),
    tie('whole').map((it) => `(${it})`),
    tie('whole').map((it) => `! ${it}`),
  ),
})).whole
export const labels: fc.Arbitrary<Record<string, string>> = fc.dictionary(label, value, { maxKeys: 3 })
