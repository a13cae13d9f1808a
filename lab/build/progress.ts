/** A line on stderr that keeps telling how long something has been under way, so that nobody thinks it hangs. */
export interface BuildProgress {
  say(text: string): void
  end(text: string): void
}

type Stream = Pick<NodeJS.WriteStream, 'write' | 'isTTY'>

/** On a terminal one line is rewritten every second; elsewhere a plain line is written now and every 15 seconds. */
export function showProgress(what: string, stream: Stream = process.stderr): BuildProgress {
  const started = Date.now()
  const elapsed = (): string => `${Math.round((Date.now() - started) / 1000)} s`
  const write = (text: string): boolean => stream.write(stream.isTTY ? `\r\u001B[K${text}` : `${text}\n`)
  let saying = what
  const tell = (): boolean => write(`lab: ${saying} … ${elapsed()}`)
  tell()
  const timer = setInterval(tell, stream.isTTY ? 1000 : 15_000)
  return {
    say: (text) => {
      saying = text
      tell()
    },
    end: (text) => {
      clearInterval(timer)
      stream.write(`${stream.isTTY ? '\r\u001B[K' : ''}lab: ${text} in ${elapsed()}\n`)
    },
  }
}
