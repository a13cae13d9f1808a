import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Claim } from './claim.ts'

/** What came of a chapter. */
export interface Told {
  title: string
  claims: Claim[]
}

const root = join(import.meta.dirname, '../..')

export const versions = { felix: 'v3.28.4', kubernetes: 'v1.36.3' }

/** `whole`: nothing was left out, so that the page may be written anew. */
export function writeResults(told: Told[], { seconds, whole }: { seconds: number; whole: boolean }): void {
  const folder = join(root, 'out/proof')
  mkdirSync(folder, { recursive: true })
  const claims = told.flatMap((it) => it.claims)
  writeFileSync(join(folder, 'results.json'), `${JSON.stringify({ versions, seconds, claims }, null, 2)}\n`)
  if (whole) return
}
