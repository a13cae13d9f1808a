import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from '@jest/globals'
import { synthesize } from '../../infra/app.ts'
import { parseConfig } from '../../infra/config.ts'
import { functionNames } from '../../infra/functions.ts'
import { lint } from '../../lab/cfn-lint/cfn-lint.ts'
import { spokeTemplate } from '../../shared/domain/spoke/template.ts'
import { everything, region } from './deployment.ts'
import { hub } from './spoke.ts'

const folder = mkdtempSync(join(tmpdir(), 'calico-ipvs-sync-lint-'))
afterAll(() => rmSync(folder, { recursive: true }))

const written = (name: string, template: object): string => {
  const file = join(folder, `${name}.json`)
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

/** What cfn-lint says and is accepted, each with its reason. */
const accepted: Record<string, string> = {
  W3005: 'The CDK writes dependencies out that follow from references too: said twice, they are true all the same.',
  I1022: 'The CDK joins texts by Fn::Join, in each of which Fn::Sub would say the same.',
}

describe('cfn-lint finds nothing that is not accepted with its reason', () => {
  test.each([
    ['the spoke', () => spokeTemplate(hub)],
    ['the spoke without a hub', () => spokeTemplate()],
    ['the hub, nothing configured', () => hubTemplate({})],
    ['the hub, everything switched on', () => hubTemplate(everything)],
  ])(
    'in the template of %s',
    async (name, template) => {
      const found = await lint(written(name.replaceAll(/\W/g, '-'), template()), [region])
      const open = found.filter(({ rule }) => accepted[rule] === undefined)
      expect(open.map(({ rule, message, path }) => `${rule} ${message} (${path})`)).toEqual([])
    },
    300_000,
  )

  test('and would find a property that does not exist', async () => {
    const wrong = structuredClone(spokeTemplate(hub)) as { Resources: { ViewerRole: { Properties: object } } }
    Object.assign(wrong.Resources.ViewerRole.Properties, { RolName: 'x' })
    expect(await lint(written('wrong', wrong), [region])).toMatchObject([{ rule: 'E3002' }])
  }, 600_000)
})
