import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'

export interface Run {
  /** From the start of the process to its end. */
  milliseconds: number
  /** Most memory ever held, in megabytes; absent where the machine has no /usr/bin/time of GNU. */
  peakMb?: number
}

export interface Command {
  file: string
  words: string[]
  env?: Record<string, string>
  /** Exit statuses besides 0 that are an answer. */
  answers?: number[]
}

const time = '/usr/bin/time'

/** Runs a command to its end, its output thrown away. Throws with the end of what it said where it failed. */
export async function runMeasured({ file, words, env = {}, answers = [] }: Command): Promise<Run> {
  const wrapped = existsSync(time)
  const [first, ...rest] = wrapped ? [time, '-f', '\npeak %M kB', file, ...words] : [file, ...words]
  const began = performance.now()
  const child = spawn(first ?? file, rest, {
    env: { PATH: process.env['PATH'], ...(process.env['HOME'] && { HOME: process.env['HOME'] }), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let said = ''
  child.stdout.resume()
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said = (said + text).slice(-2_000)))
  const status = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  })
  const milliseconds = performance.now() - began
  if (status !== 0 && !answers.includes(status ?? -1)) throw new Error(`${file} ended with ${status}: ${said.trim()}`)
  const peak = /\npeak (\d+) kB\s*$/.exec(said)?.[1]
  return { milliseconds, ...(peak !== undefined && { peakMb: Number(peak) / 1_024 }) }
}
