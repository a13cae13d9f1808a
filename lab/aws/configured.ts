import { cpSync, existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Fields, parseFields } from './json.ts'
import type { Stack } from './template.ts'

const configurationFile = 'deployment.json'

/**
 * Deploys the functions once more with another configuration, as a later deployment would: before their first start, for
 * a function reads it then. The assets that the template names stay as they are, for others run on them.
 */
export function configure(stack: Stack, change: (configured: Fields) => Fields): void {
  for (const resource of stack.ofType('AWS::Lambda::Function')) {
    const from = stack.assetOf(resource)
    const before = existsSync(join(from, configurationFile))
      ? parseFields(readFileSync(join(from, configurationFile), 'utf8'))
      : undefined
    if (before === undefined) continue
    const to = mkdtempSync(join(tmpdir(), 'calico-ipvs-sync-configured-'))
    cpSync(from, to, { recursive: true })
    writeFileSync(join(to, configurationFile), JSON.stringify(change(before)))
    resource.metadata['aws:asset:path'] = to
  }
}
