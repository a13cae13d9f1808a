import { fchmodSync, fstatSync } from 'node:fs'
import { open, rename, rm, stat, writeFile } from 'node:fs/promises'
import { Failure } from '../failure.ts'
import { write } from '../streams.ts'

/** Names of nodes and Services are nobody else's business: readable by its owner only. */
const ownerOnly = 0o600

/** Whole or not at all, and never over a file that is there, unless told to. A device or pipe is written to as it is. */
export const writePrivately = async (file: string, text: string, force: boolean): Promise<void> => {
  const there = await stat(file).catch(() => undefined)
  if (there && !there.isFile()) return writeFile(file, text)
  if (there && !force)
    throw new Failure(`${file} is there already; nothing was written.`, 'the same with --force, or another name')
  const beside = `${file}.${process.pid}.tmp`
  try {
    const made = await open(beside, 'wx', ownerOnly)
    try {
      await made.writeFile(text)
    } finally {
      await made.close()
    }
    await rename(beside, file)
  } catch (error) {
    await rm(beside, { force: true })
    throw error
  }
}

/** A shell that was told `> FILE` made it for everybody to read. */
export const writePrivatelyToOutput = async (text: string): Promise<void> => {
  tighten(process.stdout.fd)
  await write(process.stdout, text)
}

const tighten = (output: number): void => {
  try {
    if (fstatSync(output).isFile()) fchmodSync(output, ownerOnly)
  } catch {
    process.stderr.write('The file that standard output goes to could not be made readable by its owner only.\n')
  }
}
