import { plainLines } from './plain.ts'

/** A remedy line by line: what is to be read, and what is to be pasted as it stands. */
export type RemedyPart =
  | { kind: 'prose'; text: string }
  /** For a shell. `comment`: what stood behind `#`. */
  | { kind: 'command'; text: string; comment?: string }
  /** A manifest or what a command reads (`<<'EOF'`): breaking its lines would change it. */
  | { kind: 'verbatim'; text: string }

const programs =
  /^(?:kubectl|aws|calico-ipvs-sync|npx|npm|eksctl|helm|terraform|argocd|flux|git|curl|sudo|openssl|nc|getent|ls|command|export|read|unset)\s/
const yaml = /^(?:\s+\S|- |[A-Za-z][\w.-]*:(?:\s|$))/

/** Texts of others are made plain. */
export const remedyParts = (remedy: string): RemedyPart[] => {
  const parts: RemedyPart[] = []
  let here: string | undefined
  let inYaml = false
  for (const line of remedy === '' ? [] : plainLines(remedy)) {
    inYaml = here === undefined && (line.startsWith('apiVersion:') || (inYaml && yaml.test(line)))
    const isCommand = programs.test(line)
    if (here !== undefined || inYaml) parts.push({ kind: 'verbatim', text: line })
    else parts.push(isCommand ? commandOf(line) : { kind: 'prose', text: line })
    if (here !== undefined) here = line === here ? undefined : here
    else if (isCommand) here = /<<'?(\w+)'?$/.exec(line)?.[1]
  }
  return parts
}

/** The comment stays as it was written: an apostrophe in it is no quote. */
const commandOf = (line: string): RemedyPart => {
  const at = Array.from(line.matchAll(words)).find(([word]) => word.startsWith('#'))?.index
  if (at === undefined) return { kind: 'command', text: line }
  return { kind: 'command', text: line.slice(0, at).trimEnd(), comment: line.slice(at) }
}

/** As a shell parts them: a space within quotes parts nothing. */
const words = /(?:\$?'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|\\.|[^\s'"\\])+/g
const wordsOf = (line: string): string[] => line.match(words) ?? []

interface Line {
  text: string
  /** Within the quotes of a word, where the shell keeps the line's end. */
  quoted?: true
}

/**
 * A command on lines of the width: pasted, it is the same command. A line ends in a backslash, or within a quoted JSON text between two of
 * its tokens, where white space means nothing.
 */
export const brokenCommand = (command: string, width: number): string[] => {
  // Two for the backslash and its space, two for the indent of what continues.
  const room = width - 4
  const lines: Line[] = []
  let line = ''
  for (const word of wordsOf(command)) {
    const fits =
      line === ''
        ? lines.length === 0 && word.length <= room + 2
        : line.length + 1 + word.length <= room + (lines.length === 0 ? 2 : 0)
    if (fits) {
      line = line === '' ? word : `${line} ${word}`
      continue
    }
    if (line !== '') lines.push({ text: line })
    const pieces = jsonPieces(word, room)
    lines.push(...pieces.slice(0, -1).map((text): Line => ({ text, quoted: true })))
    line = pieces.at(-1) ?? ''
  }
  const all = [...lines, { text: line }]
  return all.map(
    ({ text, quoted }, at) => `${at === 0 ? '' : '  '}${text}${at === all.length - 1 || quoted ? '' : ' \\'}`,
  )
}

/** `'{"a":{"b":1}}'` in pieces of at most `room` where JSON allows it; any other word whole. */
const jsonPieces = (word: string, room: number): string[] => {
  if (word.length <= room || !/^'[{[].*[}\]]'$/.test(word)) return [word]
  // Each text with the brackets and commas that follow it.
  const tokens = word.match(/^[^"]+|"(?:[^"\\]|\\.)*"[^"]*/g) ?? []
  const pieces: string[] = []
  let piece = ''
  for (const token of tokens) {
    if (piece !== '' && piece.length + token.length > room) {
      pieces.push(piece)
      piece = token
    } else piece += token
  }
  return [...pieces, piece]
}
