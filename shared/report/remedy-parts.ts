import { plainLines } from './wording.ts'

/** A remedy line by line: what is to be read, and what is to be pasted as it stands. */
export type RemedyPart =
  | { kind: 'prose'; text: string }
  /** For a shell. `comment`: what stood behind `#`. */
  | { kind: 'command'; text: string; comment?: string }
  /** A manifest or what a command reads (`<<'EOF'`): breaking its lines would change it. */
  | { kind: 'verbatim'; text: string }

const programs = /^(?:kubectl|aws|calico-ipvs-sync|npx|npm|eksctl|helm|terraform|argocd|flux|git|curl|sudo)\s/
const yaml = /^(?:\s+\S|- |[A-Za-z][\w.-]*:(?:\s|$))/

/** Texts of others are made plain. */
export const remedyParts = (remedy: string): RemedyPart[] => {
  const parts: RemedyPart[] = []
  let here: string | undefined
  let inYaml = false
  for (const line of remedy === '' ? [] : plainLines(remedy)) {
    inYaml = here === undefined && (line.startsWith('apiVersion:') || (inYaml && yaml.test(line)))
    if (here !== undefined || inYaml) parts.push({ kind: 'verbatim', text: line })
    else parts.push(programs.test(line) ? commandOf(line) : { kind: 'prose', text: line })
    if (here !== undefined) here = line === here ? undefined : here
    else here = /<<'?(\w+)'?$/.exec(line)?.[1]
  }
  return parts
}

const commandOf = (line: string): RemedyPart => {
  const words = wordsOf(line)
  const at = words.findIndex((word) => word.startsWith('#'))
  if (at < 0) return { kind: 'command', text: line }
  return { kind: 'command', text: words.slice(0, at).join(' '), comment: words.slice(at).join(' ') }
}

/** As a shell parts them: a space within quotes parts nothing. */
const wordsOf = (line: string): string[] =>
  line.match(/(?:\$?'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|\\.|[^\s'"\\])+/g) ?? []

/** A command on lines of the width, each but the last ending in a backslash: pasted, it is the same command. */
export const brokenCommand = (command: string, width: number): string[] => {
  const lines: string[] = []
  let line = ''
  for (const word of wordsOf(command)) {
    // Two for the backslash and its space, two for the indent of what continues.
    const room = width - 2 - (lines.length === 0 ? 0 : 2)
    if (line !== '' && line.length + 1 + word.length > room) {
      lines.push(line)
      line = word
    } else line = line === '' ? word : `${line} ${word}`
  }
  const all = [...lines, line]
  return all.map((text, at) => `${at === 0 ? '' : '  '}${text}${at === all.length - 1 ? '' : ' \\'}`)
}
