import { hanging } from './columns.ts'

/**
 * A section of `docs/findings.md` for a terminal: paragraphs wrapped to its width, headings bold where there is colour. Commands
 * and names keep their backticks, or they could not be told from the words around them.
 */
export const proseLines = (markdown: string, { bold = String, width }: ProseStyle = {}): string[] =>
  markdown
    .trim()
    .split(/\n\s*\n/)
    .flatMap((paragraph, at) => {
      const [, head, rest] = /^\*\*([^*]+)\*\*\s*([^]*)$/.exec(paragraph) ?? []
      const text = (rest ?? paragraph).replaceAll(/\s*\n\s*/g, ' ').replaceAll('**', '')
      const lines = hanging(text, head === undefined ? '' : '  ', head === undefined ? '' : '  ', width)
      return [...(at === 0 ? [] : ['']), ...(head === undefined ? [] : [bold(head.replace(/\.$/, ''))]), ...lines]
    })

interface ProseStyle {
  bold?: (text: string) => string
  width?: number
}
