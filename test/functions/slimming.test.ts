import { createRequire } from 'node:module'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from '@jest/globals'
import { build } from 'esbuild'
import fc from 'fast-check'
import { root } from '../../infra/bundle.ts'
import { slimming } from '../../infra/slimming.ts'
import { yamlOf } from '../../shared/domain/proxy-mode/yaml.ts'

const folder = mkdtempSync(join(tmpdir(), 'calico-ipvs-sync-slimming-'))
afterAll(() => rmSync(folder, { recursive: true }))

const bundled = async (): Promise<typeof yamlOf> => {
  const outfile = join(folder, 'yaml.cjs')
  const entryPoints = [join(root, 'shared/domain/proxy-mode/yaml.ts')]
  const { bundle, format, platform } = { bundle: true, format: 'cjs', platform: 'node' } as const
  await build({ entryPoints, outfile, bundle, format, platform, minify: true, plugins: slimming, absWorkingDir: root })
  return (createRequire(import.meta.url)(outfile) as { yamlOf: typeof yamlOf }).yamlOf
}

const answer = (parse: typeof yamlOf, text: string): string => {
  try {
    return JSON.stringify(parse(text)) ?? 'nothing'
  } catch (error) {
    return `refused: ${error instanceof Error ? error.message : String(error)}`
  }
}

/** What YAML is made of, in any order: most of it is not YAML, and much of the rest is odd. */
const pieces =
  '&a|*a|*a : |<<: *a|!!set |!!omap |!!pairs |!!timestamp |!t |%YAML 1.1\n|%TAG ! !x\n|---\n|...\n|? |: |- |[|]|{|}|,|#c\n|"q"|\'q\'|"\\x41|| |>\n|\n|\n  |\n    |mode: ipvs|a: |b|yes|016|0x1F|1:20|2001-01-01|~|null|.inf|1e3|\t| '.split(
    '|',
  )

test('documents are read to the same answer, or refused with the same words, without what else the parser has', async () => {
  const slim = await bundled()
  const text = fc.array(fc.constantFrom(...pieces), { maxLength: 14 }).map((some) => some.join(''))
  let refused = 0
  const same = fc.property(text, (document) => {
    const whole = answer(yamlOf, document)
    refused += Number(whole.startsWith('refused'))
    expect(answer(slim, document)).toBe(whole)
  })
  fc.assert(same, { numRuns: 20_000, seed: 11 })
  // Both kinds came often enough to mean something.
  expect(refused).toBeGreaterThan(2_000)
  expect(refused).toBeLessThan(18_000)
})
