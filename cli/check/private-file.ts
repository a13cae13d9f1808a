import { fchmodSync, fstatSync } from 'node:fs'
import { open, realpath, rename, rm, stat, writeFile } from 'node:fs/promises'
import { Failure } from '../failure.ts'
import { isOpen, notWritten, write } from '../streams.ts'

/** The file names nodes and Services, so only its owner may read it. */
const ownerOnly = 0o600

/** Writes the file completely or not at all, and replaces an existing one only with `--force`. Devices and pipes are written to directly. */
export const writePrivately = async (file: string, text: string, force: boolean): Promise<void> => {
  const there = await stat(file).catch(() => undefined)
  const isStream = isOpen(file, there)
  if (there && !isStream && !force)
    throw new Failure(`${file} already exists; nothing was written.`, 'the same with --force, or another name')
  const place = await realpath(file).catch(() => file)
  const beside = `${place}.${process.pid}.tmp`
  try {
    if (isStream) return await writeFile(file, text, { flag: 'a' })
    const made = await open(beside, 'wx', ownerOnly)
    try {
      await made.writeFile(text)
    } finally {
      await made.close()
    }
    await rename(beside, place)
  } catch (error) {
    await rm(beside, { force: true }).catch(() => undefined)
    throw notWritten(file, error)
  }
}

/** With `> FILE` the shell made the file readable for everybody. */
export const writePrivatelyToOutput = async (text: string): Promise<void> => {
  tighten(process.stdout.fd)
  await write(process.stdout, text)
}

const tighten = (output: number): void => {
  try {
    if (fstatSync(output).isFile()) fchmodSync(output, ownerOnly)
  } catch {
    process.stderr.write('The permissions of the output file could not be restricted to its owner.\n')
  }
}
