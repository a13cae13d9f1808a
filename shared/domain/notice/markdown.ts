import { remedyParts } from '../remedy-parts.ts'

/** `&`, `<` and `>` make links and mentions in the markdown of Slack and of Amazon Q. */
export const escaped = (text: string): string => text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;')

/** Neither knows an escape for these: pairs of them format a text, and are not shown. A name such as `a_b` has none. */
const formats = /[*~]|(?<![a-z0-9])_|_(?![a-z0-9])|^>/i

const code = (text: string): string => `\`${escaped(text)}\``

/** Code spans of the text stay; a word that would format something becomes one. */
const prose = (line: string): string =>
  line.replace(/`[^`]+`|[^\s`]+|`/g, (word) => {
    if (word === '`') return "'"
    if (word.startsWith('`')) return code(word.slice(1, -1))
    return formats.test(word) ? code(word) : escaped(word).replace(/@(?=channel|here|everyone)/gi, '@\u200b')
  })

const fenced = (lines: readonly string[]): string => `\`\`\`\n${escaped(lines.join('\n'))}\n\`\`\``

/** Cut where the marked text would be longer than `most`: each piece has whole marks. */
const pieces = (text: string, most: number, mark: (text: string) => string): string[] => {
  const marked = mark(text)
  const letters = marked.length <= most ? [] : Array.from(text)
  if (letters.length < 2) return [marked]
  const size = letters.length > most ? most : Math.ceil(letters.length / 2)
  return Array.from({ length: Math.ceil(letters.length / size) }, (_, at) =>
    letters.slice(at * size, (at + 1) * size).join(''),
  ).flatMap((part) => pieces(part, most, mark))
}

/** Lines that are pasted together; or one line of prose. `number`: of the step that begins here. */
interface Run {
  number: string
  lines: string[]
  isCode: boolean
  /** Has a manifest, whose lines must stay as they are. */
  isVerbatim: boolean
}

const runsOf = (text: string): Run[] => {
  const lines = text.split('\n').map((line) => /^(\d+\. )?(.*)$/.exec(line) ?? [line, '', line])
  const parts = remedyParts(lines.map(([, , rest = '']) => rest).join('\n'))
  const runs: Run[] = []
  for (const [at, [, number = '', rest = '']] of lines.entries()) {
    // A secret over several lines was left out: then it is not known which line is which.
    const kind = parts.length === lines.length ? parts[at]?.kind : 'prose'
    const [last, isCode, isVerbatim] = [runs.at(-1), kind !== 'prose', kind === 'verbatim']
    if (last?.isCode && isCode && number === '') {
      last.lines.push(rest)
      last.isVerbatim ||= isVerbatim
    } else runs.push({ number, lines: [rest], isCode, isVerbatim })
  }
  return runs
}

/**
 * The lines of a text, and its manifests whole, with commands as code: a chat program shows them as they are and formats nothing
 * in them. None is longer than `most`.
 */
export const markdownOf = (text: string, most: number): string[] =>
  runsOf(text).flatMap(({ number, lines, isCode, isVerbatim }) => {
    const [first = '', ...others] = lines
    if (!isCode) return pieces(`${number}${first}`, most, prose)
    const whole = lines.join('\n')
    // No code can hold it. A shell would not take it for the same command: it is only to be read.
    if (whole.includes('```'))
      return lines.flatMap((line, at) => pieces(at === 0 ? `${number}${line}` : line, most, prose))
    if (isVerbatim || whole.includes('`')) return [...(number ? [number.trim()] : []), ...blocks(lines, most)]
    return [
      ...pieces(first, most - number.length, code).map((piece, at) => (at === 0 ? `${number}${piece}` : piece)),
      ...others.flatMap((line) => pieces(line, most, code)),
    ]
  })

/** As much of the beginning of the first line as fits, with nothing in it as a command. */
export const proseOf = (text: string, most: number): string => {
  const [line = ''] = text.split('\n')
  const [first = ''] = pieces(line, most, prose)
  return first
}

const blocks = (lines: readonly string[], most: number): string[] => {
  const whole = fenced(lines)
  if (whole.length <= most) return [whole]
  if (lines.length < 2) return pieces(lines.join(''), most, (line) => fenced([line]))
  const half = Math.ceil(lines.length / 2)
  return [...blocks(lines.slice(0, half), most), ...blocks(lines.slice(half), most)]
}
