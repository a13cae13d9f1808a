import {
  type CharTest,
  type Cursor,
  PatternError,
  peek,
  take,
  takeBracket,
  takeClassEscape,
  takeEscape,
} from './regex-class.ts'

/**
 * Go's regular expressions, for `interfaceExclude`: whether Go would compile one, and whether it matches. Not
 * JavaScript's own: the two languages differ, and a pattern from a cluster must not block this process. Matching
 * keeps the set of reached positions, so its time is proportional to pattern and text.
 */
export interface GoPattern {
  /** Anywhere in the text, as regexp.MatchString. */
  matches(text: string): boolean
}

type Positions = ReadonlySet<number>
type Node = (text: readonly string[], from: Positions) => Positions

interface Flags {
  fold: boolean
  multiline: boolean
  dotAll: boolean
}

interface Parser extends Cursor {
  flags: Flags
  depth: number
}

// regexp/syntax: maxHeight and the largest count of a repetition, also of nested ones multiplied.
const depthMax = 1000
const repeatMax = 1000

/** Undefined where Go's regexp.Compile gives an error. */
export function compileGo(pattern: string): GoPattern | undefined {
  const parser: Parser = {
    text: Array.from(pattern),
    at: 0,
    flags: { fold: false, multiline: false, dotAll: false },
    depth: 0,
  }
  try {
    const { node } = takeAlternatives(parser)
    if (parser.at < parser.text.length) throw new PatternError('unexpected )')
    return { matches: (text) => matchesAnywhere(node, Array.from(text)) }
  } catch (error) {
    if (error instanceof PatternError) return undefined
    throw error
  }
}

const matchesAnywhere = (node: Node, text: readonly string[]): boolean =>
  node(text, new Set(Array.from({ length: text.length + 1 }, (_, at) => at))).size > 0

/** A part of the pattern, and the largest count that its nested repetitions multiply to. */
interface Piece {
  node: Node
  copies: number
}

function takeAlternatives(parser: Parser): Piece {
  if (++parser.depth > depthMax) throw new PatternError('expression nests too deeply')
  const branches = [takeSequence(parser)]
  while (peek(parser) === '|') {
    take(parser)
    branches.push(takeSequence(parser))
  }
  parser.depth--
  const copies = Math.max(...branches.map((branch) => branch.copies))
  return { copies, node: (text, from) => new Set(branches.flatMap((branch) => [...branch.node(text, from)])) }
}

function takeSequence(parser: Parser): Piece {
  const pieces: Piece[] = []
  let afterRepeat = false
  while (parser.at < parser.text.length && peek(parser) !== '|' && peek(parser) !== ')') {
    const count = takeCount(parser)
    if (count === undefined) pieces.push(...takeAtom(parser))
    else {
      const last = pieces.pop()
      // `a**` is an error, and so is a repetition of nothing.
      if (!last || afterRepeat) throw new PatternError('invalid nested repetition or missing argument')
      pieces.push(repeat(last, count))
    }
    afterRepeat = count !== undefined
  }
  const copies = Math.max(1, ...pieces.map((piece) => piece.copies))
  return { copies, node: (text, from) => pieces.reduce((at: Positions, piece) => piece.node(text, at), from) }
}

interface Count {
  min: number
  max: number
}

/** `*`, `+`, `?`, `{n}`, `{n,}`, `{n,m}`, each also lazy; undefined if there is no repetition here. */
function takeCount(parser: Parser): Count | undefined {
  const plain = { '*': { min: 0, max: Infinity }, '+': { min: 1, max: Infinity }, '?': { min: 0, max: 1 } }[
    peek(parser)
  ]
  if (plain) take(parser)
  const count = plain ?? takeBraces(parser)
  if (count && peek(parser) === '?') take(parser)
  return count
}

function takeBraces(parser: Parser): Count | undefined {
  if (peek(parser) !== '{') return undefined
  const end = parser.text.indexOf('}', parser.at)
  const form = /^(0|[1-9]\d*)(,(0|[1-9]\d*)?)?$/.exec(end < 0 ? '' : parser.text.slice(parser.at + 1, end).join(''))
  if (!form) return undefined
  parser.at = end + 1
  const min = Number(form[1])
  const max = form[2] === undefined ? min : form[3] === undefined ? Infinity : Number(form[3])
  if (min > repeatMax || (max !== Infinity && max > repeatMax) || min > max) {
    throw new PatternError('invalid repeat count')
  }
  return { min, max }
}

function repeat({ node, copies }: Piece, { min, max }: Count): Piece {
  const counted = min >= 2 || (max >= 2 && max !== Infinity)
  const total = counted ? copies * Math.max(1, max === Infinity ? min : max) : copies
  if (total > repeatMax) throw new PatternError('invalid repeat count')
  return { copies: total, node: (text, from) => repeated(text, from, { node, min, max }) }
}

function repeated(text: readonly string[], from: Positions, it: Count & { node: Node }): Positions {
  let reached = from
  for (let done = 0; done < it.min && reached.size > 0; done++) reached = it.node(text, reached)
  const all = new Set(reached)
  // A position that was reached once is not tried again, so there is at most one round for each position.
  for (let done = it.min; done < it.max && reached.size > 0; done++) {
    reached = new Set([...it.node(text, reached)].filter((at) => !all.has(at)))
    for (const at of reached) all.add(at)
  }
  return all
}

function takeAtom(parser: Parser): Piece[] {
  const char = peek(parser)
  if (char === '(') return takeGroup(parser)
  if (char === '[') return [one(parser, takeBracket(parser))]
  if (char === '\\') return takeBackslash(parser)
  take(parser)
  if (char === '.') return [one(parser, parser.flags.dotAll ? () => true : (it) => it !== '\n')]
  if (char === '^') return [assertion(parser.flags.multiline ? lineStart : textStart)]
  if (char === '$') return [assertion(parser.flags.multiline ? lineEnd : textEnd)]
  return [one(parser, (it) => it === char)]
}

type Assertion = (text: readonly string[], at: number) => boolean
const isWord = (char: string | undefined): boolean => char !== undefined && /[0-9A-Za-z_]/.test(char)
const textStart: Assertion = (_, at) => at === 0
const textEnd: Assertion = (text, at) => at === text.length
const lineStart: Assertion = (text, at) => at === 0 || text[at - 1] === '\n'
const lineEnd: Assertion = (text, at) => at === text.length || text[at] === '\n'
const wordEdge: Assertion = (text, at) => isWord(text[at - 1]) !== isWord(text[at])

const assertion = (holds: Assertion): Piece => ({
  copies: 1,
  node: (text, from) => new Set([...from].filter((at) => holds(text, at))),
})

function one(parser: Parser, test: CharTest): Piece {
  const either: CharTest = parser.flags.fold
    ? (char) => test(char) || test(char.toLowerCase()) || test(char.toUpperCase())
    : test
  const accepts = (char: string | undefined): boolean => char !== undefined && either(char)
  return {
    copies: 1,
    node: (text, from) => new Set([...from].filter((at) => accepts(text[at])).map((at) => at + 1)),
  }
}

function takeBackslash(parser: Parser): Piece[] {
  const letter = peek(parser, 1)
  const edges: Record<string, Assertion> = {
    A: textStart,
    z: textEnd,
    b: wordEdge,
    B: (text, at) => !wordEdge(text, at),
  }
  const edge = Object.hasOwn(edges, letter) ? edges[letter] : undefined
  if (edge) {
    parser.at += 2
    return [assertion(edge)]
  }
  if (letter === 'Q') return takeQuoted(parser)
  const test = takeClassEscape(parser)
  if (test) return [one(parser, test)]
  const char = takeEscape(parser)
  return [one(parser, (it) => it === char)]
}

/** `\Q…\E`, or to the end of the pattern. */
function takeQuoted(parser: Parser): Piece[] {
  parser.at += 2
  const pieces: Piece[] = []
  while (parser.at < parser.text.length && !(peek(parser) === '\\' && peek(parser, 1) === 'E')) {
    const char = take(parser)
    pieces.push(one(parser, (it) => it === char))
  }
  if (parser.at < parser.text.length) parser.at += 2
  return pieces
}

function takeGroup(parser: Parser): Piece[] {
  take(parser)
  const outer = parser.flags
  if (peek(parser) === '?' && !takeName(parser) && takeFlags(parser) === ')') return []
  const inner = takeAlternatives(parser)
  if (take(parser) !== ')') throw new PatternError('missing )')
  parser.flags = outer
  return [inner]
}

/** `?P<name>` or `?<name>`. */
function takeName(parser: Parser): boolean {
  const form = /^\?P?<[0-9A-Za-z_]+>/.exec(parser.text.slice(parser.at, parser.at + 600).join(''))
  if (!form) return false
  parser.at += form[0].length
  return true
}

/** `?i:` opens a group, `?i-s)` changes the flags for what follows in this one. Returns the character that ended it. */
function takeFlags(parser: Parser): string {
  const form = /^\?([imsU]*)(?:-([imsU]+))?([:)])/.exec(parser.text.slice(parser.at, parser.at + 600).join(''))
  if (!form) throw new PatternError('invalid or unsupported Perl syntax')
  const { fold, multiline, dotAll } = parser.flags
  const set = (flag: string, now: boolean): boolean => (form[1]?.includes(flag) || now) && !form[2]?.includes(flag)
  parser.flags = { fold: set('i', fold), multiline: set('m', multiline), dotAll: set('s', dotAll) }
  parser.at += form[0].length
  return form[3] ?? ''
}
