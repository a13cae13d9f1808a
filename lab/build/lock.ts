import { linkSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { isNativeError } from 'node:util/types'

/**
 * Waits until this process holds the lock file; answers how to let it go. A lock whose holder is no longer there is taken over.
 * `onWait` hears once whom it is waiting for.
 */
export async function holdLock(file: string, onWait: (pid: number) => void): Promise<() => void> {
  for (let told = false; !take(file); ) {
    const holder = holderOf(file)
    if (holder !== undefined && !isRunning(holder)) rmSync(file, { force: true })
    else if (holder !== undefined) {
      if (!told) onWait(holder)
      told = true
      await sleep(300)
    }
  }
  return () => rmSync(file, { force: true })
}

/** By a hard link, so that the file holds its holder's process id from the moment it is there. */
function take(file: string): boolean {
  const mine = `${file}.${process.pid}`
  writeFileSync(mine, `${process.pid}`)
  try {
    linkSync(mine, file)
    return true
  } catch (error) {
    if (isNativeError(error) && 'code' in error && error.code === 'EEXIST') return false
    throw error
  } finally {
    rmSync(mine)
  }
}

/** Undefined when the lock has just been let go. */
function holderOf(file: string): number | undefined {
  try {
    return Number(readFileSync(file, 'utf8'))
  } catch {
    return undefined
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
