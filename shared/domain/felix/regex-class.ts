/** Characters of Go's regular expressions (regexp/syntax): escapes, classes. */

export type CharTest = (char: string) => boolean

export interface Cursor {
  /** Code points. */
  text: readonly string[]
  at: number
}

/** A pattern that Go's regexp.Compile rejects. */
export class PatternError extends Error {}

export const peek = (cursor: Cursor, ahead = 0): string => cursor.text[cursor.at + ahead] ?? ''

export function take(cursor: Cursor): string {
  const char = cursor.text[cursor.at]
  if (char === undefined) throw new PatternError('unexpected end of pattern')
  cursor.at++
  return char
}

const simpleEscapes: Readonly<Record<string, string>> = { a: '\x07', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' }

/** A backslash and the characters that follow it, as one character (parser.escape in regexp/syntax/parse.go). */
export function takeEscape(cursor: Cursor): string {
  take(cursor)
  const char = take(cursor)
  const simple = simpleEscapes[char]
  if (simple !== undefined) return simple
  if (char === 'x') return takeHex(cursor)
  // One non-zero digit alone would be a backreference.
  if (/[1-7]/.test(char) && !/[0-7]/.test(peek(cursor))) throw new PatternError('invalid escape sequence')
  if (/[0-7]/.test(char)) return takeOctal(cursor, char)
  if (char < '\x80' && !/[0-9A-Za-z]/.test(char)) return char
  throw new PatternError('invalid escape sequence')
}

function takeOctal(cursor: Cursor, first: string): string {
  let digits = first
  while (digits.length < 3 && /[0-7]/.test(peek(cursor))) digits += take(cursor)
  return String.fromCodePoint(Number.parseInt(digits, 8))
}

function takeHex(cursor: Cursor): string {
  if (peek(cursor) !== '{') return fromHex(take(cursor) + take(cursor))
  take(cursor)
  let digits = ''
  while (peek(cursor) !== '}') digits += take(cursor)
  take(cursor)
  return fromHex(digits)
}

function fromHex(digits: string): string {
  const code = /^[0-9A-Fa-f]+$/.test(digits) ? Number.parseInt(digits, 16) : Number.NaN
  if (!(code <= 0x10ffff)) throw new PatternError('invalid escape sequence')
  return String.fromCodePoint(code)
}

const perlClasses: Readonly<Record<string, RegExp>> = { d: /[0-9]/, s: /[\t\n\f\r ]/, w: /[0-9A-Za-z_]/ }

/** `\d`, `\W`, `\pL`, `\P{Greek}`; undefined if there is no class. */
export function takeClassEscape(cursor: Cursor): CharTest | undefined {
  if (peek(cursor) !== '\\') return undefined
  const letter = peek(cursor, 1)
  const perl = perlClasses[letter.toLowerCase()]
  if (perl) {
    cursor.at += 2
    return oneOf(perl, letter !== letter.toLowerCase())
  }
  return letter === 'p' || letter === 'P' ? takeUnicodeClass(cursor) : undefined
}

const oneOf =
  (pattern: RegExp, negated: boolean): CharTest =>
  (char) =>
    pattern.test(char) !== negated

function takeUnicodeClass(cursor: Cursor): CharTest {
  take(cursor)
  let negated = take(cursor) === 'P'
  let name = take(cursor)
  if (name === '{') {
    name = ''
    while (peek(cursor) !== '}') name += take(cursor)
    take(cursor)
  }
  if (name.startsWith('^')) {
    negated = !negated
    name = name.slice(1)
  }
  return oneOf(unicodeClass(name), negated)
}

/** Go uses short names for general categories and long names for scripts. */
function unicodeClass(name: string): RegExp {
  if (name === 'Any') return /[^]/u
  if (!/^[A-Z][A-Za-z_]*$/.test(name)) throw new PatternError('invalid character class range')
  try {
    return name.length <= 2 ? new RegExp(`\\p{${name}}`, 'u') : new RegExp(`\\p{Script=${name}}`, 'u')
  } catch {
    throw new PatternError('invalid character class range')
  }
}

const posixClasses: Readonly<Record<string, RegExp>> = {
  alnum: /[0-9A-Za-z]/,
  alpha: /[A-Za-z]/,
  ascii: /[\x00-\x7F]/, // eslint-disable-line no-control-regex
  blank: /[\t ]/,
  cntrl: /[\x00-\x1F\x7F]/, // eslint-disable-line no-control-regex
  digit: /[0-9]/,
  graph: /[!-~]/,
  lower: /[a-z]/,
  print: /[ -~]/,
  punct: /[!-/:-@[-`{-~]/,
  space: /[\t\n\v\f\r ]/,
  upper: /[A-Z]/,
  word: /[0-9A-Za-z_]/,
  xdigit: /[0-9A-Fa-f]/,
}

/** `[…]`, the cursor on its first bracket. */
export function takeBracket(cursor: Cursor): CharTest {
  take(cursor)
  const negated = peek(cursor) === '^'
  if (negated) take(cursor)
  const tests: CharTest[] = []
  do tests.push(takePosix(cursor) ?? takeClassEscape(cursor) ?? takeRange(cursor))
  while (peek(cursor) !== ']')
  take(cursor)
  return (char) => tests.some((test) => test(char)) !== negated
}

function takePosix(cursor: Cursor): CharTest | undefined {
  if (peek(cursor) !== '[' || peek(cursor, 1) !== ':') return undefined
  const end = cursor.text.findIndex((char, at) => at >= cursor.at + 2 && char === ':' && cursor.text[at + 1] === ']')
  if (end < 0) return undefined
  const name = cursor.text.slice(cursor.at + 2, end).join('')
  const negated = name.startsWith('^')
  const found = Object.hasOwn(posixClasses, name.slice(negated ? 1 : 0)) && posixClasses[name.slice(negated ? 1 : 0)]
  if (!found) throw new PatternError('invalid character class range')
  cursor.at = end + 2
  return oneOf(found, negated)
}

function takeRange(cursor: Cursor): CharTest {
  const low = takeClassChar(cursor)
  if (peek(cursor) !== '-' || peek(cursor, 1) === ']' || peek(cursor, 1) === '') return (char) => char === low
  take(cursor)
  const [from, to] = [codeOf(low), codeOf(takeClassChar(cursor))]
  if (to < from) throw new PatternError('invalid character class range')
  return (char) => codeOf(char) >= from && codeOf(char) <= to
}

const takeClassChar = (cursor: Cursor): string => (peek(cursor) === '\\' ? takeEscape(cursor) : take(cursor))
const codeOf = (char: string): number => char.codePointAt(0) ?? -1
