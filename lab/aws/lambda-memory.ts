import { readFileSync, writeFileSync } from 'node:fs'

/** What a process holds, as Lambda counts it. Told by Linux alone; elsewhere nothing is known and nothing is ended. */
export interface MemoryWatch {
  /** Forgets the peak of the last invocation. */
  begin: () => void
  /** The most it held since, in megabytes. */
  peak: () => number | undefined
  stop: () => void
}

/** Lambda ends a sandbox that takes more than its memory; so is this process, within milliseconds of it. */
export function watchMemory(pid: number | undefined, megabytes: number, onOver: () => void): MemoryWatch {
  const folder = `/proc/${pid}`
  const timer = setInterval(() => {
    if ((megabytesIn(folder, 'VmRSS') ?? 0) > megabytes) onOver()
  }, 20)
  timer.unref()
  return {
    begin: () => {
      try {
        // "5" resets the peak to what is held now.
        writeFileSync(`${folder}/clear_refs`, '5')
      } catch {
        // Not Linux, or the process has ended.
      }
    },
    peak: () => megabytesIn(folder, 'VmHWM'),
    stop: () => clearInterval(timer),
  }
}

/** The shares of a function's memory that Lambda's own start script of Node gives to old and to new objects. */
export const heapArguments = (megabytes: number): string[] => [
  `--max-old-space-size=${Math.floor(megabytes * 0.9)}`,
  `--max-semi-space-size=${Math.max(1, Math.floor(megabytes * 0.05))}`,
]

function megabytesIn(folder: string, field: 'VmRSS' | 'VmHWM'): number | undefined {
  try {
    const kilobytes = new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(readFileSync(`${folder}/status`, 'utf8'))?.[1]
    return kilobytes === undefined ? undefined : Number(kilobytes) / 1_024
  } catch {
    return undefined
  }
}
