import { hanging } from '../shared/report/text/columns.ts'
import { clipped } from '../shared/report/text/letters.ts'
import { plain } from '../shared/report/wording.ts'

/** Progress on standard error: one changing line on a terminal, plain lines elsewhere, nothing with `--quiet`. */
export interface ProgressOutput {
  doing(text: string): void
  /** A permanent line. */
  done(text: string): void
  /** Removes the changing line before the result is printed. */
  clear(): void
  /** A terminal: what changes from second to second can be shown. */
  live?: boolean
}

/** The stream on which a changing line stands. */
let drawnOn: NodeJS.WriteStream | undefined

/** Removes it before an error is printed, or both would share the line. */
export const wipeProgress = (): void => {
  drawnOn?.write('\r\u001b[K')
  drawnOn = undefined
}

export const progress = (quiet: boolean, stream: NodeJS.WriteStream = process.stderr): ProgressOutput => {
  if (quiet) return { doing: () => {}, done: () => {}, clear: () => {} }
  if (!stream.isTTY || process.env['TERM'] === 'dumb') return plainLines(stream)
  const fitted = (text: string) => clipped(plain(text), (stream.columns || 80) - 1)
  return {
    doing: (text) => {
      drawnOn = stream
      stream.write(`\r\u001b[K${fitted(text)}`)
    },
    done: (text) => {
      drawnOn = undefined
      stream.write(`\r\u001b[K${hanging(plain(text), '', '  ', stream.columns || 80).join('\n')}\n`)
    },
    clear: () => {
      drawnOn = undefined
      stream.write('\r\u001b[K')
    },
    live: true,
  }
}

const plainLines = (stream: NodeJS.WriteStream): ProgressOutput => {
  let last = ''
  const say = (text: string) => {
    if (text !== last) stream.write(`${plain(text)}\n`)
    last = text
  }
  return { doing: say, done: say, clear: () => {} }
}
