import { plainLines } from '../shared/domain/plain.ts'
import { asCalled, longerBy, programName } from './called-as.ts'
import { exitStatus } from './exit-status.ts'
import { Failure } from './failure.ts'
import type { Format, OutputOptions } from './options.ts'

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
      if (!isReaderGone(error, stream)) fail(error)
    })
  process.on('uncaughtException', fail)
}

/** A file on a broken disk answers EIO, too. */
export const isReaderGone = ({ code }: NodeJS.ErrnoException, { isTTY }: { isTTY?: boolean }): boolean =>
  code === 'EPIPE' || (code === 'EIO' && isTTY === true)

/** Prints to standard error, sanitized, because an error may contain text of a server, a plugin or a file. */
export const say = (text: string): void => void process.stderr.write(`${asCalled(plainLines(text).join('\n'))}\n`)

/** Resolves when the stream has accepted the text, or is closed. */
export const write = (stream: NodeJS.WriteStream, text: string): Promise<void> =>
  new Promise((resolve) => {
    stream.write(text, () => resolve())
  })

/** On standard error, for people: what is beside the result, and made plain already. */
export const tell = (text: string): Promise<void> => write(process.stderr, asCalled(text))

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

/**
 * Writes the file completely or not at all, so that nobody reads half a result. A file that is replaced keeps its permissions, and a link
 * stays a link.
 */
export const writeWhole = async (file: string, text: string): Promise<void> => {
  const { realpath, rename, rm, stat, writeFile } = await import('node:fs/promises')
  const there = await stat(file).catch(() => undefined)
  const place = await realpath(file).catch(() => file)
  const part = `${place}.${process.pid}.part`
  try {
    if (isOpen(file, there)) return await writeFile(file, text, { flag: 'a' })
    await writeFile(part, text, { flag: 'wx', ...(there && { mode: there.mode & 0o777 }) })
    await rename(part, place)
  } catch (error) {
    await rm(part, { force: true }).catch(() => undefined)
    throw notWritten(file, error)
  }
}

/** A device, a pipe, or what a process has open (`/dev/stdout`, whatever it leads to): written to as it is, never replaced. */
export const isOpen = (file: string, there: { isFile: () => boolean } | undefined): boolean =>
  there !== undefined && (!there.isFile() || /^\/(?:dev|proc)\//.test(file))

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

type ColourOptions = Pick<OutputOptions, 'color' | 'outputFile'>

/**
 * On a terminal, unless colours are disabled (https://no-color.org, https://force-color.org); in a file only where they are asked for,
 * since those variables speak of the terminal.
 */
export const wantsColour = (stream: NodeJS.WriteStream, { color, outputFile }: ColourOptions): boolean => {
  const { NO_COLOR, FORCE_COLOR, TERM } = process.env
  if (color === false || color === 'never') return false
  if (color === 'always') return true
  if (outputFile !== undefined) return false
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
export const bold = (options: ColourOptions) =>
  wantsColour(process.stdout, options) ? (text: string) => `\u001b[1m${text}\u001b[0m` : (text: string) => text
