import { plain } from '../shared/report/wording.ts'

/** What is going on, on standard error: one changing line on a terminal, plain lines elsewhere, nothing when quiet. */
export interface Progress {
  /** Replaces what was said last on a terminal. */
  doing(text: string): void
  /** Stays. */
  done(text: string): void
  /** Takes the changing line away before the result is printed. */
  clear(): void
}

export const progress = (quiet: boolean, stream: NodeJS.WriteStream = process.stderr): Progress => {
  if (quiet) return { doing: () => {}, done: () => {}, clear: () => {} }
  if (!stream.isTTY) return plainLines(stream)
  const fitted = (text: string) => plain(text).slice(0, (stream.columns || 80) - 1)
  return {
    doing: (text) => stream.write(`\r\u001b[K${fitted(text)}`),
    done: (text) => stream.write(`\r\u001b[K${plain(text)}\n`),
    clear: () => stream.write('\r\u001b[K'),
  }
}

const plainLines = (stream: NodeJS.WriteStream): Progress => {
  let last = ''
  const say = (text: string) => {
    if (text !== last) stream.write(`${plain(text)}\n`)
    last = text
  }
  return { doing: say, done: say, clear: () => {} }
}
