import fc from 'fast-check'

/**
 * Configurations as people, tools and accidents make them: mostly nearly right. What is wholly random is refused by
 * every parser alike and proves nothing, so texts are put together from what matters to the parsers.
 */
export const pick = <T>(...values: T[]): fc.Arbitrary<T> => fc.constantFrom(...values)
const oneCharOf = (alphabet: string): fc.Arbitrary<string> => fc.constantFrom(...Array.from(alphabet))

const port = fc.oneof(
  { weight: 5, arbitrary: fc.integer({ min: 0, max: 65535 }).map(String) },
  pick(
    '0',
    '00080',
    '030000',
    '65535',
    '65536',
    '99999999999999999999',
    '-1',
    '+80',
    '0x50',
    '1e3',
    ' 80',
    '80 ',
    '٣',
    '',
  ),
)
export const portItem = fc.oneof(
  { weight: 4, arbitrary: port },
  { weight: 4, arbitrary: fc.tuple(port, port).map(([a, b]) => `${a}:${b}`) },
  {
    weight: 3,
    arbitrary: fc.tuple(fc.nat(65535), fc.nat(65535)).map(([a, b]) => `${Math.min(a, b)}:${Math.max(a, b)}`),
  },
  pick(
    '30000-32767',
    'nodeports',
    'a'.repeat(128),
    'a'.repeat(129),
    '1:2:3',
    ':1',
    '1:',
    'näme',
    '[30000:32767]',
    '1\n',
  ),
)
export const portText = fc.oneof(
  { weight: 6, arbitrary: fc.array(portItem, { minLength: 1, maxLength: 4 }).map((items) => items.join(',')) },
  fc.array(portItem, { minLength: 1, maxLength: 2 }).map((items) => items.join(', ')),
)

const digits = (alphabet: string): fc.Arbitrary<string> =>
  fc.string({ unit: oneCharOf(`${alphabet}${alphabet}_`), maxLength: 9 })
export const maskText = fc.oneof(
  { weight: 3, arbitrary: fc.nat(0xffffffff).map((mask) => `0x${mask.toString(16)}`) },
  { weight: 2, arbitrary: fc.nat(0xffffffff).map(String) },
  { weight: 2, arbitrary: fc.tuple(pick('0x', '0X'), digits('0f1F8')).map((it) => it.join('')) },
  fc.tuple(pick('0b', '0B', '0o', '0O', '0', ''), digits('0176')).map((it) => it.join('')),
  pick(
    '0xffff0300',
    '0xffff_0300',
    '0xffff0000',
    '4294967296',
    '0x1ffffffff',
    '0x8',
    '0',
    '0x',
    'ffff0300',
    ' 3',
    '3 ',
    '+3',
    '-3',
    '3.0',
  ),
)

export const someCase = (text: string): fc.Arbitrary<string> =>
  fc.oneof({ weight: 3, arbitrary: fc.constant(text) }, pick(text.toLowerCase(), text.toUpperCase()), mixed(text))
const mixed = (text: string): fc.Arbitrary<string> =>
  fc
    .array(fc.boolean(), { minLength: text.length, maxLength: text.length })
    .map((upper) => Array.from(text, (char, at) => (upper[at] ? char.toUpperCase() : char.toLowerCase())).join(''))

export const boolText = fc.oneof(
  { weight: 4, arbitrary: pick('true', 'false', '1', '0', 'yes', 'no', 'y', 'n', 't', 'f').chain(someCase) },
  pick('on', 'off', 'Enabled', '2', ' true', 'TRÜE', 'falſe'),
)

const anyExpression: fc.Arbitrary<string> = fc.letrec<{ whole: string }>((tie) => ({
  whole: fc.oneof(
    { maxDepth: 3, depthIdentifier: 'pattern' },
    fc.string({ unit: oneCharOf('kube-ipvs0^$.*+?|()[]{}12\\dwsbBAzQExpPn:i^_aZ'), maxLength: 10 }),
    pick(
      '^kube-ipvs.*',
      'kube-ipvs0',
      '^veth',
      '(?i)KUBE',
      '[[:alpha:]]+',
      '\\pL',
      '\\p{Greek}',
      '(?P<n>a)',
      '(?=a)',
      'a{2}',
      'a{1001}',
      '\\x6b',
    ),
    fc.tuple(tie('whole'), tie('whole')).map(([a, b]) => `${a}|${b}`),
    fc.tuple(tie('whole'), pick('*', '+', '?', '*?', '{2}', '{0,}', '{3}?')).map(([a, count]) => `(${a})${count}`),
    fc.tuple(pick('', '?:', '?i:', '?s-i:', '?U:', '?x:', '?<a>'), tie('whole')).map(([flags, a]) => `(${flags}${a})`),
    fc.tuple(tie('whole'), tie('whole')).map(([a, b]) => `${a}${b}`),
    fc.string({ unit: oneCharOf('k-z09^]\\d['), maxLength: 6 }).map((inner) => `[${inner}]`),
  ),
})).whole

// Newer Go knows more names of Unicode classes than the Go that Calico's releases were built with.
export const expression = anyExpression.filter((text) => !/\\[pP](?!L|\{Greek\})/.test(text))

const interfaceItem = fc.oneof(
  { weight: 3, arbitrary: pick('kube-ipvs0', 'dummy0', 'eth_1', 'lo') },
  { weight: 2, arbitrary: expression.map((it) => `/${it}/`) },
  pick(
    '',
    ' lo',
    'a.b',
    'veth+',
    'sixteencharacter',
    'fifteencharacte',
    '//',
    '///',
    '/a b/',
    '/a\u00a0b/',
    '/a\vb/',
    '/lo',
  ),
)
export const interfaceText = fc.array(interfaceItem, { minLength: 1, maxLength: 3 }).map((items) => items.join(','))
export const actionText = fc.oneof(
  { weight: 5, arbitrary: pick('DROP', 'RETURN', 'ACCEPT').chain(someCase) },
  pick('REJECT', 'Dr0p', ' DROP'),
)
export const anyText = fc.oneof(portText, maskText, boolText, interfaceText, actionText)
