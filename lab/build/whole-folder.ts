import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { holdLock } from './lock.ts'
import { showProgress } from './progress.ts'

interface Words {
  doing: string
  done: string
  failed: string
}

/**
 * Makes a folder that is there whole or not at all: `make` fills a folder beside it. Of two processes that want the same one, the second
 * waits for the first. Throws what `make` throws, and leaves nothing behind then.
 */
export async function makeWhole(
  folder: string,
  { doing, done, failed }: Words,
  make: (scratch: string) => Promise<void>,
): Promise<void> {
  if (existsSync(folder)) return
  mkdirSync(dirname(folder), { recursive: true })
  const progress = showProgress(doing)
  try {
    const release = await holdLock(`${folder}.lock`, (pid) =>
      progress.say(`${doing}: process ${pid} is at it, waiting`),
    )
    try {
      if (!existsSync(folder)) await fill(folder, make)
    } finally {
      release()
    }
    progress.end(done)
  } catch (error) {
    progress.end(failed)
    throw error
  }
}

async function fill(folder: string, make: (scratch: string) => Promise<void>): Promise<void> {
  clearScratch(folder)
  const scratch = `${folder}.${process.pid}`
  mkdirSync(scratch)
  try {
    await make(scratch)
    renameSync(scratch, folder)
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
}

/** Removes folders that killed processes left half-filled: only the holder of the lock fills one. */
function clearScratch(folder: string): void {
  const start = `${basename(folder)}.`
  for (const name of readdirSync(dirname(folder))) {
    const isScratch = name.startsWith(start) && /^\d+$/.test(name.slice(start.length))
    if (isScratch) rmSync(join(dirname(folder), name), { recursive: true, force: true })
  }
}
