import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from '@jest/globals'
import type { Claim } from '../verify/fleet/claim.ts'

/** The short form of a part of `npm run fleet`: each of its claims is a test. `claims`: how each begins. */
export const shortForm = (
  title: string,
  run: (folder: string) => Promise<Claim[]>,
  claims: readonly string[],
): void => {
  describe(title, () => {
    let found: Claim[] = []
    beforeAll(async () => {
      const folder = mkdtempSync(join(tmpdir(), 'calico-ipvs-sync-fleet-'))
      try {
        found = await run(folder)
      } finally {
        rmSync(folder, { recursive: true, force: true })
      }
    }, 900_000)

    test.each(claims)('%s', (start) => {
      const ours = found.filter(({ claim }) => claim.startsWith(start))
      expect(ours.length).toBeGreaterThan(0)
      expect(ours.filter(({ holds }) => !holds)).toEqual([])
    })

    test('and no claim of that part is left out here', () => {
      const forgotten = found.filter(({ claim }) => !claims.some((start) => claim.startsWith(start)))
      expect(forgotten.map(({ claim }) => claim)).toEqual([])
    })
  })
}
