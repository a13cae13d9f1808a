import { plainLines } from '../shared/domain/plain.ts'
import { exitStatus } from './exit-status.ts'

/**
 * A reader that has seen enough (`| head`) is no error of ours: what is left goes nowhere and the exit status stays.
 * Whatever else goes wrong outside a command (a full disk, a mistake of ours) must not end as Node would end it, with 1,
 * which says "out of step".
 */
export const guardExit = (debug: boolean): void => {
  const fail = (error: Error) => {
    say(`calico-ipvs-sync: ${debug ? error.stack : error.message}`)
    process.exit(exitStatus.failed)
  }
  for (const stream of [process.stdout, process.stderr])
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') fail(error)
    })
  process.on('uncaughtException', fail)
}

/** On standard error: what went wrong may be told in words of a server, a plugin or a file. */
export const say = (text: string): void => void process.stderr.write(`${plainLines(text).join('\n')}\n`)

/** Resolves when the stream has taken it, or never will. */
export const write = (stream: NodeJS.WriteStream, text: string): Promise<void> =>
  new Promise((resolve) => {
    stream.write(text, () => resolve())
  })

/** Ends the process without waiting for idle connections, but not before everything written has left it. */
export const leaveWith = async (status: number): Promise<void> => {
  await Promise.all([write(process.stdout, ''), write(process.stderr, '')])
  process.exit(status)
}

/** On a terminal that has not asked to be spared (https://no-color.org). */
export const wantsColour = (stream: NodeJS.WriteStream, asked: boolean): boolean => {
  const { NO_COLOR, TERM } = process.env
  return asked && stream.isTTY && (NO_COLOR ?? '') === '' && TERM !== 'dumb'
}

/** Bold on a terminal, else the text as it is. */
export const bold = ({ color }: { color: boolean }) =>
  wantsColour(process.stdout, color) ? (text: string) => `\u001b[1m${text}\u001b[0m` : (text: string) => text
