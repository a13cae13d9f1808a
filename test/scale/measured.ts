import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Ended, run } from '../cli/run.ts'

export interface Measured extends Ended {
  /** From the start of the process to its end. */
  seconds: number
  /** The most memory the process ever held. */
  peakMb: number
}

let runs = 0

/** The command line in a process of its own, which writes down its peak at its end. */
export async function measured(words: readonly string[], workdir: string): Promise<Measured> {
  const file = join(workdir, `peak-${(runs += 1)}`)
  const preload = fileURLToPath(new URL('./write-peak.mjs', import.meta.url))
  const began = performance.now()
  const ended = await run(words, { nodeArguments: ['--import', preload], env: { PEAK_FILE: file } })
  const seconds = (performance.now() - began) / 1_000
  const peakMb = Number(readFileSync(file, 'utf8')) / 1_024
  rmSync(file)
  return { ...ended, seconds, peakMb }
}
