import { linkSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { isNativeError } from 'node:util/types'

/** A process: its id alone may since have become another's. */
interface Holder {
  pid: number
  /** When it started, as the kernel counts. Empty where that cannot be read. */
  start: string
}

/**
 * Waits until this process holds the lock file; returns the function that releases it. The lock of a process that no longer runs is taken over.
 * `onWait` is called once, with the process id of the holder.
 */
export async function holdLock(file: string, onWait: (pid: number) => void): Promise<() => void> {
  for (let isReported = false; !take(file); ) {
    const holder = holderOf(file)
    if (holder !== undefined && !isRunning(holder)) rmSync(file, { force: true })
    else if (holder !== undefined) {
      if (!isReported) onWait(holder.pid)
      isReported = true
      await sleep(300)
    }
  }
  return () => rmSync(file, { force: true })
}

/** By a hard link, so that the file names its holder from the moment it is there. */
function take(file: string): boolean {
  const mine = `${file}.${process.pid}`
  writeFileSync(mine, `${process.pid} ${startOf(process.pid) ?? ''}`)
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
function holderOf(file: string): Holder | undefined {
  try {
    const [pid = '', start = ''] = readFileSync(file, 'utf8').split(' ')
    return { pid: Number(pid), start }
  } catch {
    return undefined
  }
}

function isRunning({ pid, start }: Holder): boolean {
  const since = startOf(pid)
  if (since !== undefined) return start === '' || start === since
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    // It is there, and another user's.
    return isNativeError(error) && 'code' in error && error.code === 'EPERM'
  }
}

/** Field 22 of Linux's /proc/PID/stat, counted from behind the name, which may hold spaces. */
function startOf(pid: number): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ')[19]
  } catch {
    return undefined
  }
}
