import { brokenCommand, remedyParts } from '../../domain/remedy-parts.ts'
import { hanging } from './columns.ts'

/**
 * A section of `docs/findings.md` for a terminal: paragraphs wrapped to its width, headings bold where there is colour.
 * Commands and names are bold too; without colour they keep their backticks, or they could not be told from the words
 * around them. A command is not broken where it can be pasted whole.
 */
export const proseLines = (markdown: string, { bold = String, width }: ProseStyle = {}): string[] =>
  markdown
    .trim()
    .split(/\n\s*\n/)
    .flatMap((paragraph, at) => {
      const [, head, rest] = /^\*\*([^*]+)\*\*\s*([^]*)$/.exec(paragraph) ?? []
      const indent = head === undefined ? '' : '  '
      const text = (rest ?? paragraph).replaceAll(/\s*\n\s*/g, ' ').replaceAll('**', '')
      const lines = partsOf(text, (width ?? Infinity) - indent.length).flatMap((part) => partLines(part, indent, width))
      return [
        ...(at === 0 ? [] : ['']),
        ...(head === undefined ? [] : [bold(head.replace(/\.$/, ''))]),
        ...code(lines.join('\n'), bold).split('\n'),
      ]
    })

interface ProseStyle {
  bold?: (text: string) => string
  width?: number
}

interface Part {
  text: string
  /** A command that is longer than a line. */
  isLong: boolean
}

/** A command that is longer than a line stands on lines of its own. */
const partsOf = (text: string, room: number): Part[] =>
  text
    .split(/(`[^`]*`[,.:;]?)/)
    .reduce<Part[]>((parts, piece) => {
      const isLong = piece.startsWith('`') && piece.length > room
      const last = parts.at(-1)
      if (last === undefined || isLong || last.isLong) parts.push({ text: piece, isLong })
      else last.text += piece
      return parts
    }, [])
    .map(({ text: part, isLong }) => ({ text: part.trim(), isLong }))
    .filter(({ text: part }) => part !== '')

/** Stands for a space that no line may end at. */
const joint = '\u0001'

const partLines = ({ text, isLong }: Part, indent: string, width?: number): string[] => {
  if (isLong && width !== undefined) {
    const bare = text.replaceAll(/`[,.:;]?/g, '')
    const isCommand = remedyParts(bare)[0]?.kind === 'command'
    const room = width - indent.length - 2
    return (isCommand ? brokenCommand(bare, room) : hanging(bare, '', '', room)).map((it) => `${indent}  ${it}`)
  }
  const whole = text.replaceAll(/`[^`]*`/g, (span) => span.replaceAll(' ', joint))
  return hanging(whole, indent, indent, width).map((line) => line.replaceAll(joint, ' '))
}

const code = (text: string, bold: (text: string) => string): string =>
  bold('') === '' ? text : text.replaceAll(/`([^`]*)`/g, (_, name: string) => bold(name))
