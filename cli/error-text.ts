import { plainLines } from '../shared/domain/plain.ts'
import { hanging } from '../shared/report/text/columns.ts'
import { pasteLines } from '../shared/report/text/findings.ts'

/** What went wrong, wrapped to the terminal; a command at its end can be pasted. */
export const errorText = (message: string, width: number | undefined): string =>
  plainLines(message)
    .flatMap((line) => {
      if (width === undefined) return [line]
      const [, words, command] = /^(.*?:) ((?:kubectl|aws|calico-ipvs-sync) .+)$/.exec(line) ?? []
      if (words === undefined || command === undefined || line.length <= width) return hanging(line, '', '  ', width)
      return [...hanging(words, '', '  ', width), ...indented(command, width)]
    })
    .join('\n')

/** The command to run next. */
export const nextText = (next: string, width: number | undefined): string =>
  width === undefined || `Next: ${next}`.length <= width
    ? `Next: ${next}`
    : ['Next:', ...indented(next, width)].join('\n')

const indented = (command: string, width: number): string[] => pasteLines(command, width - 2).map((line) => `  ${line}`)
