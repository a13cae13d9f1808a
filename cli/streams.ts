import { plainLines } from '../shared/domain/plain.ts'
import { asCalled, longerBy, programName } from './called-as.ts'
import { exitStatus } from './exit-status.ts'
import { Failure } from './failure.ts'
import type { ColourChoice, Format } from './options.ts'

/**
 * A reader that closes the pipe (`| head`), and a terminal that is closed, are no error: the rest is dropped, the exit status does
 * not change, and a write to the cluster is not cut off. Any other error outside a command (a full disk, a bug) must not end with
 * Node's exit status 1, because 1 means "out of step".
 */
export const guardExit = (debug: boolean): void => {
  const fail = (error: NodeJS.ErrnoException) => {
    const why = error.syscall === 'write' ? `The result could not be written: ${whyUnwritten(error)}` : error.message
    say(`${programName()}: ${debug ? error.stack : why}`)
    process.exit(exitStatus.failed)
  }
  for (const stream of [process.stdout, process.stderr])
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE' && !(error.code === 'EIO' && stream.isTTY)) fail(error)
    })
  process.on('uncaughtException', fail)
}

/** Prints to standard error, sanitized, because an error may contain text of a server, a plugin or a file. */
export const say = (text: string): void => void process.stderr.write(`${asCalled(plainLines(text).join('\n'))}\n`)

/** Resolves when the stream has accepted the text, or is closed. */
export const write = (stream: NodeJS.WriteStream, text: string): Promise<void> =>
  new Promise((resolve) => {
    stream.write(text, () => resolve())
  })

/** Ends the process without waiting for idle connections, after everything written has been flushed. */
export const leaveWith = async (status: number): Promise<void> => {
  await Promise.all([write(process.stdout, ''), write(process.stderr, '')])
  process.exit(status)
}

/** Writes the result to standard output, or completely to a file. */
export const printed = (
  text: string,
  { output, outputFile }: { output: Format | 'yaml'; outputFile?: string },
): Promise<void> => {
  if (outputFile !== undefined) return writeWhole(outputFile, text)
  return write(process.stdout, output === 'text' ? asCalled(text) : text)
}

/** Writes the file completely or not at all, so that nobody reads half a result. */
export const writeWhole = async (file: string, text: string): Promise<void> => {
  const { rename, rm, stat, writeFile } = await import('node:fs/promises')
  const there = await stat(file).catch(() => undefined)
  const part = `${file}.${process.pid}.part`
  try {
    // A device or a pipe is written to as it is.
    if (there && !there.isFile()) return await writeFile(file, text)
    await writeFile(part, text, { flag: 'wx' })
    await rename(part, file)
  } catch (error) {
    await rm(part, { force: true }).catch(() => undefined)
    throw notWritten(file, error)
  }
}

/** What is said of a file that could not be written. */
export const notWritten = (file: string, error: unknown): Failure =>
  new Failure(`The result could not be written to ${file}: ${whyUnwritten(error)}`)

/** Without the name of the part, which nobody knows. */
const whyUnwritten = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error)
  return unwritten[String((error as NodeJS.ErrnoException).code)] ?? error.message
}

const unwritten: Record<string, string> = {
  ENOENT: 'its folder does not exist',
  ENOTDIR: 'its folder does not exist',
  EISDIR: 'it is a folder',
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EROFS: 'its file system is read-only',
  ENOSPC: 'no space is left',
}

/** On a terminal, unless colours are disabled (https://no-color.org, https://force-color.org). */
export const wantsColour = (stream: NodeJS.WriteStream, asked: ColourChoice | false | undefined): boolean => {
  const { NO_COLOR, FORCE_COLOR, TERM } = process.env
  if (asked === false || asked === 'never') return false
  if (asked === 'always') return true
  if ((NO_COLOR ?? '') !== '') return false
  if ((FORCE_COLOR ?? '') !== '') return FORCE_COLOR !== '0' && FORCE_COLOR !== 'false'
  return stream.isTTY && TERM !== 'dumb'
}

/**
 * Of the terminal; absent for a pipe or a file, where lines stay whole. A terminal that does not report its width says
 * 0. A longer name of the program is put into lines that are wrapped already, so its letters are kept free.
 */
export const widthOf = (stream: NodeJS.WriteStream, outputFile?: string): number | undefined =>
  stream.isTTY && outputFile === undefined && stream.columns > 0 ? Math.max(stream.columns - longerBy(), 1) : undefined

/** Bold on a terminal, else the text as it is. */
export const bold = ({ color }: { color?: ColourChoice | false }) =>
  wantsColour(process.stdout, color) ? (text: string) => `\u001b[1m${text}\u001b[0m` : (text: string) => text
