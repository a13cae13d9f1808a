import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Claim } from './fleet/claim.ts'

const say = (text: string): void => void process.stdout.write(`${text}\n`)

export const sayClaim = ({ claim, holds, detail }: Claim): void =>
  say(`${holds ? '✓' : '✗'} ${claim}${detail === undefined ? '' : `: ${detail}`}`)

/** Writes `out/NAME/results.json`, says how many hold, and sets the exit status: 0 only where all do. */
export const writeResults = (name: string, claims: Claim[], began: number): void => {
  const seconds = Math.round((Date.now() - began) / 1000)
  const folder = join(import.meta.dirname, '../../out', name)
  mkdirSync(folder, { recursive: true })
  const results = { versions: { node: process.version, commit: commit() }, seconds, claims }
  writeFileSync(join(folder, 'results.json'), `${JSON.stringify(results, null, 2)}\n`)
  const held = claims.filter(({ holds }) => holds).length
  say(`${held} of ${claims.length} hold, ${seconds} s; out/${name}/results.json`)
  if (claims.length === 0 || held < claims.length) process.exitCode = 1
}

const commit = (): string => {
  try {
    return execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim()
  } catch {
    return 'not a checkout'
  }
}
