import { mkdtempSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
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

let count = 0
/** What the source exports, bundled as the functions are. */
const bundled = async <T>(source: string): Promise<T> => {
  const outfile = join(folder, `${(count += 1)}.cjs`)
  await build({
    stdin: { contents: source, resolveDir: root, loader: 'ts' },
    outfile,
    absWorkingDir: root,
    bundle: true,
    platform: 'node',
    target: 'node24',
    format: 'cjs',
    mainFields: ['module', 'main'],
    minify: true,
    plugins: slimming,
    logLevel: 'silent',
  })
  return createRequire(import.meta.url)(outfile) as T
}

test('documents are read to the same answer, or refused with the same words, without what YAML is written with', async () => {
  const answer = (parse: typeof yamlOf, text: string): string => {
    try {
      return JSON.stringify(parse(text)) ?? 'nothing'
    } catch (error) {
      return `refused: ${error instanceof Error ? error.message : String(error)}`
    }
  }
  // What YAML is made of, in any order: most of it is not YAML, and much of the rest is odd.
  const pieces =
    '&a|*a|*a : |<<: *a|!!set |!!omap |!!pairs |!!timestamp |!!binary |!t |%YAML 1.1\n|%TAG ! !x\n|---\n|...\n|? |: |- |[|]|{|}|,|#c\n|"q"|\'q\'|"\\x41|| |>\n|\n|\n  |\n    |mode: ipvs|a: |b|yes|016|0x1F|1:20|2001-01-01|~|null|.inf|1e3|\t| '.split(
      '|',
    )
  const slim = await bundled<{ yamlOf: typeof yamlOf }>(`export { yamlOf } from './shared/domain/proxy-mode/yaml.ts'`)
  const text = fc.array(fc.constantFrom(...pieces), { maxLength: 14 }).map((some) => some.join(''))
  let refused = 0
  const same = fc.property(text, (document) => {
    const whole = answer(yamlOf, document)
    refused += Number(whole.startsWith('refused'))
    expect(answer(slim.yamlOf, document)).toBe(whole)
  })
  fc.assert(same, { numRuns: 5_000, seed: 11 })
  // Both kinds came often enough to mean something.
  expect(refused).toBeGreaterThan(500)
  expect(refused).toBeLessThan(4_500)
})

const core = './node_modules/@smithy/core/dist-es/submodules'
test.each([
  ['JSON Schema', 'toJSONSchema(string())', `import { string, toJSONSchema } from 'zod/mini'`],
  ['A hash in JavaScript', 'new Sha256Js()', `import { Sha256Js } from '${core}/checksum/sha256/Sha256Js.js'`],
  ['A hash in JavaScript', 'new Md5Js()', `import { Md5Js } from '${core}/checksum/md5/Md5Js.js'`],
  [
    'Asking the machine for its region',
    'getInstanceMetadataRegion()',
    `import { getInstanceMetadataRegion } from '${core}/config/config-resolver/regionConfig/getInstanceMetadataRegion.js'`,
  ],
  [
    'A stream of a browser',
    'sdkStreamMixin({})',
    `import { sdkStreamMixin } from '${core}/serde/util-stream/sdk-stream-mixin.browser.js'`,
  ],
  [
    'Discovery of endpoints',
    `new EndpointCache(1).get('key')`,
    `import { EndpointCache } from './node_modules/@aws-sdk/endpoint-cache'`,
  ],
  [
    'Signing a stream',
    'new HeaderFormatter().format({})',
    `import { HeaderFormatter } from './node_modules/@smithy/signature-v4/dist-es/HeaderFormatter.js'`,
  ],
  ['Streaming events', `import('@smithy/core/event-streams')`, ''],
  ['Telling browsers apart', `import('bowser')`, ''],
])('%s is left out: %s says so, and where', async (what, call, source) => {
  const { called } = await bundled<{ called: () => unknown }>(`${source}\nexport const called = async () => ${call}`)
  await expect(called()).rejects.toThrow(`${what} is left out: infra/slimming.ts`)
})

test('a client of the SDK has the credentials of the environment and its region, as Lambda gives them, and says if there are none', async () => {
  const { client } = await bundled<{
    client: () => { config: { credentials: () => Promise<unknown>; region: () => Promise<string> } }
  }>(`import { SQSClient } from '@aws-sdk/client-sqs'\nexport const client = () => new SQSClient({})`)
  const before = { ...process.env }
  const given = { AWS_ACCESS_KEY_ID: 'AKID', AWS_SECRET_ACCESS_KEY: 'secret', AWS_SESSION_TOKEN: 'token' }
  try {
    Object.assign(process.env, given, { AWS_REGION: 'eu-west-1' })
    const { config } = client()
    expect(await config.region()).toBe('eu-west-1')
    expect(await config.credentials()).toMatchObject({
      accessKeyId: 'AKID',
      secretAccessKey: 'secret',
      sessionToken: 'token',
    })
    for (const name of Object.keys(given)) delete process.env[name]
    await expect(client().config.credentials()).rejects.toThrow('Unable to find environment variable credentials.')
  } finally {
    process.env = before
  }
})
