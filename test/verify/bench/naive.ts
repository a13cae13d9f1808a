import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { build } from 'esbuild'
import { root } from '../../../infra/bundle.ts'

const clients = ['eks', 'sqs', 'sns', 'dynamodb', 'sts', 'secrets-manager'].map((name) => `@aws-sdk/client-${name}`)

/**
 * The same function as most are bundled: the bundler's defaults, the SDK's clients as a whole, Kubernetes' own client.
 * Returns the file.
 */
export const bundleNaively = async (name: string, folder: string): Promise<string> => {
  const entry = join(root, 'out', `naive-${process.pid}`, `${name}.ts`)
  const imports = ['@kubernetes/client-node', ...clients]
  const lines = imports.map((it, index) => `import * as whole${index} from '${it}'`)
  const used = imports.map((_, index) => `whole${index}`)
  await mkdir(join(entry, '..'), { recursive: true })
  await writeFile(
    entry,
    [...lines, `export * from '../../functions/${name}.ts'`, `export const whole = [${used.join()}]`].join('\n'),
  )
  const outfile = join(folder, 'naive', name, 'index.cjs')
  await build({ entryPoints: [entry], outfile, bundle: true, platform: 'node', target: 'node24', logLevel: 'silent' })
  return outfile
}
