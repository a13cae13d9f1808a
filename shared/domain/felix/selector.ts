/**
 * Calico's selector language (libcalico-go/lib/selector), as far as a FelixConfiguration's `nodeSelector` needs it:
 * parsed once, then evaluated for each node.
 */
export type Selector = (labels: ReadonlyMap<string, string>) => boolean

export type SelectorResult = { ok: true; matches: Selector } | { ok: false; reason: string }

type Token = { kind: 'label' | 'string' | 'has'; value: string } | { kind: Mark | Operator | 'all' | 'end' }
type Mark = '(' | ')' | '{' | '}' | ',' | '!' | '&&' | '||'
type Operator = '==' | '!=' | 'in' | 'not in' | 'contains' | 'starts with' | 'ends with'

// Calico has no such limit. No real selector is deeper, and it must not exhaust the stack.
const depthMax = 500
const labelMax = 512

const blank = /[ \t]*/y
const identifier = /[A-Za-z0-9_./-]*/y
const literal = /"[^"]*"|'[^']*'/y
const mark = /==|!=|&&|\|\||[(){},!]/y
const call = /(has|all|global)\(/y
// One or two words; the space between the words may be missing (`notin`), a word boundary must follow.
const word = /(contains|starts[ \t]*with|ends[ \t]*with|not[ \t]*in|in)(?:[ \t]+|(?![A-Za-z0-9_./-]))/y

/** A blank text selects every node; the empty string is not a selector and is handled by the caller. */
export function parseSelector(text: string): SelectorResult {
  try {
    const tokens = tokenize(text)
    if (tokens[0]?.kind === 'end') return { ok: true, matches: () => true }
    const reader: Reader = { tokens, at: 0 }
    const matches = readOr(reader)
    if (peek(reader).kind !== 'end') throw new SyntaxError('unexpected content at end of selector')
    return { ok: true, matches }
  } catch (error) {
    if (error instanceof SyntaxError) return { ok: false, reason: error.message }
    throw error
  }
}

function tokenize(text: string): Token[] {
  const tokens: Token[] = []
  let at = 0
  let open = 0
  const take = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at
    const found = pattern.exec(text)
    if (found) at += found[0].length
    return found
  }
  for (;;) {
    take(blank)
    if (at >= text.length) return [...tokens, { kind: 'end' }]
    const token = nextToken(take, tokens.at(-1)?.kind === 'label')
    if (token.kind === '(') open++
    if (token.kind === ')') open--
    if (open > depthMax) throw new SyntaxError('nested too deeply')
    tokens.push(token)
  }
}

type Take = (pattern: RegExp) => RegExpExecArray | null

function nextToken(take: Take, afterLabel: boolean): Token {
  const punctuation = take(mark)
  if (punctuation) return { kind: punctuation[0] as Mark | '==' | '!=' }
  const quoted = take(literal)
  if (quoted) return { kind: 'string', value: quoted[0].slice(1, -1) }
  if (afterLabel) return operatorToken(take)
  const called = take(call)
  if (called) return callToken(take, called[1] as 'has' | 'all' | 'global')
  return { kind: 'label', value: takeIdentifier(take) }
}

function operatorToken(take: Take): Token {
  const found = take(word)?.[1]
  if (!found) throw new SyntaxError('expected operator after label')
  return { kind: found.replace(/^(starts|ends|not)[ \t]*/, '$1 ') as Operator }
}

function callToken(take: Take, name: 'has' | 'all' | 'global'): Token {
  take(blank)
  const value = name === 'has' ? takeIdentifier(take) : ''
  take(blank)
  if (take(mark)?.[0] !== ')') throw new SyntaxError(`no closing ')' after ${name}(`)
  return name === 'has' ? { kind: 'has', value } : { kind: 'all' }
}

function takeIdentifier(take: Take): string {
  const found = take(identifier)?.[0] ?? ''
  if (found === '') throw new SyntaxError('expected identifier')
  if (found.length > labelMax) throw new SyntaxError('label too long')
  return found
}

interface Reader {
  tokens: Token[]
  at: number
}

const peek = (reader: Reader): Token => reader.tokens[reader.at] ?? { kind: 'end' }
const next = (reader: Reader): Token => {
  const token = peek(reader)
  reader.at++
  return token
}

function readOr(reader: Reader): Selector {
  const terms = [readAnd(reader)]
  while (peek(reader).kind === '||') {
    next(reader)
    terms.push(readAnd(reader))
  }
  return terms.length === 1 ? (terms[0] as Selector) : (labels) => terms.some((term) => term(labels))
}

function readAnd(reader: Reader): Selector {
  const terms = [readOperation(reader)]
  while (peek(reader).kind === '&&') {
    next(reader)
    terms.push(readOperation(reader))
  }
  return terms.length === 1 ? (terms[0] as Selector) : (labels) => terms.every((term) => term(labels))
}

function readOperation(reader: Reader): Selector {
  let negated = false
  while (peek(reader).kind === '!') {
    next(reader)
    negated = !negated
  }
  const operand = readOperand(reader)
  return negated ? (labels) => !operand(labels) : operand
}

function readOperand(reader: Reader): Selector {
  const token = next(reader)
  if (token.kind === 'has') return (labels) => labels.has(token.value)
  if (token.kind === 'all') return () => true
  if (token.kind === 'label') return readComparison(reader, token.value)
  if (token.kind !== '(') throw new SyntaxError(`unexpected ${token.kind}`)
  const inner = readOr(reader)
  if (next(reader).kind !== ')') throw new SyntaxError('expected )')
  return inner
}

function readComparison(reader: Reader, label: string): Selector {
  const operator = next(reader).kind
  if (operator === 'in' || operator === 'not in') {
    const values = readSet(reader)
    return (labels) => {
      const value = labels.get(label)
      return value === undefined ? operator === 'not in' : values.has(value) === (operator === 'in')
    }
  }
  const compare = comparisons[operator as keyof typeof comparisons]
  if (compare === undefined) throw new SyntaxError(`expected == or != not: ${operator}`)
  const token = next(reader)
  if (token.kind !== 'string') throw new SyntaxError('expected string')
  return (labels) => compare(labels.get(label), token.value)
}

const comparisons = {
  '==': (value: string | undefined, wanted: string) => value === wanted,
  '!=': (value: string | undefined, wanted: string) => value !== wanted,
  contains: (value: string | undefined, wanted: string) => value?.includes(wanted) ?? false,
  'starts with': (value: string | undefined, wanted: string) => value?.startsWith(wanted) ?? false,
  'ends with': (value: string | undefined, wanted: string) => value?.endsWith(wanted) ?? false,
}

/** `{'a', 'b'}`, also empty or with a comma after the last value. */
function readSet(reader: Reader): ReadonlySet<string> {
  if (next(reader).kind !== '{') throw new SyntaxError('expected set literal')
  const values = new Set<string>()
  let token = next(reader)
  while (token.kind === 'string') {
    values.add(token.value)
    token = next(reader)
    if (token.kind !== ',') break
    token = next(reader)
  }
  if (token.kind !== '}') throw new SyntaxError('expected }')
  return values
}
