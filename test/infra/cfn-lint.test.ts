import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { synthesize } from '../../infra/app.ts'
import { parseConfig } from '../../infra/config.ts'
import { functionNames } from '../../infra/functions.ts'
import { type Lint, lint } from '../../lab/cfn-lint/cfn-lint.ts'
import { spokeTemplate } from '../../shared/domain/spoke/template.ts'
import { account, everything, region } from './deployment.ts'
import { hub } from './spoke.ts'

const folder = mkdtempSync(join(tmpdir(), 'calico-ipvs-sync-lint-'))
afterAll(() => rmSync(folder, { recursive: true }))

const written = (name: string, template: object): string => {
  const file = join(folder, `${name.replaceAll(/\W/g, '-')}.json`)
  writeFileSync(file, JSON.stringify(template))
  return file
}

const hubTemplate = (config: object): object => {
  for (const name of functionNames) {
    mkdirSync(join(folder, 'lambda', name), { recursive: true })
    writeFileSync(join(folder, 'lambda', name, 'index.js'), '')
  }
  return synthesize(parseConfig(config), {
    bundles: join(folder, 'lambda'),
    outdir: join(folder, 'cdk.out'),
    rules: false,
  })
}

const kmsKeyArn = `arn:aws:kms:${region}:${account}:key/0a1b2c3d-0000-1111-2222-333344445555`

/** What cfn-lint says and is accepted, each with its reason. */
const accepted: Record<string, string> = {
  W3005: 'The CDK writes dependencies out that follow from references too: said twice, they are true all the same.',
  I1022: 'The CDK joins texts by Fn::Join, in each of which Fn::Sub would say the same.',
}

const templates: Record<string, () => object> = {
  'the spoke': () => spokeTemplate(hub),
  'the spoke without a hub': () => spokeTemplate(),
  'the hub, nothing configured': () => hubTemplate({}),
  'the hub, everything switched on': () => hubTemplate({ ...everything, kmsKeyArn }),
  'a spoke with a property that does not exist': () => {
    const wrong = structuredClone(spokeTemplate(hub)) as { Resources: { ViewerRole: { Properties: object } } }
    Object.assign(wrong.Resources.ViewerRole.Properties, { RolName: 'x' })
    return wrong
  },
}
const [wrong, ...right] = Object.keys(templates).toReversed()

describe('cfn-lint', () => {
  const found = new Map<string, Lint[]>()
  beforeAll(async () => {
    const files = Object.entries(templates).map(([name, template]) => [name, written(name, template())] as const)
    const all = await lint(
      files.map(([, file]) => file),
      [region],
    )
    for (const [name, file] of files)
      found.set(
        name,
        all.filter((it) => it.file === file),
      )
  }, 600_000)

  test.each(right)('finds nothing in the template of %s that is not accepted with its reason', (name) => {
    const open = found.get(name)?.filter(({ rule }) => accepted[rule] === undefined)
    expect(open?.map(({ rule, message, path }) => `${rule} ${message} (${path})`)).toEqual([])
  })

  test(`finds what is wrong in ${wrong}`, () => {
    expect(found.get(wrong ?? '')).toMatchObject([{ rule: 'E3002' }])
  })
})
