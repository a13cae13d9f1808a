import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build } from 'esbuild'

/** A template and its assets on disk, as a cloud assembly has them. */
export interface Assembly {
  templatePath: string
  folder: string
}

/** A folder `asset.NAME` per handler, each the bundle that esbuild makes of it as the stack's functions are made. */
export async function assemble(resources: object, handlers: Record<string, string>): Promise<Assembly> {
  const folder = mkdtempSync(join(tmpdir(), 'lab-aws-'))
  await Promise.all(Object.entries(handlers).map(([name, source]) => bundle(join(folder, `asset.${name}`), source)))
  const templatePath = join(folder, 'Test.template.json')
  writeFileSync(templatePath, JSON.stringify({ Resources: resources }))
  return { templatePath, folder }
}

async function bundle(folder: string, source: string): Promise<void> {
  mkdirSync(folder)
  writeFileSync(join(folder, 'package.json'), '{"type":"commonjs"}')
  await build({
    stdin: { contents: source, resolveDir: import.meta.dirname, loader: 'ts' },
    outfile: join(folder, 'index.js'),
    bundle: true,
    platform: 'node',
    target: 'node24',
    format: 'cjs',
    mainFields: ['module', 'main'],
    logLevel: 'silent',
  })
}

/** A function of the template whose code is the handler of the same name. */
export const lambda = (name: string, properties: object = {}) => ({
  Type: 'AWS::Lambda::Function',
  Properties: {
    FunctionName: name,
    Runtime: 'nodejs24.x',
    Handler: 'index.handler',
    Role: { 'Fn::GetAtt': ['Role', 'Arn'] },
    Code: { S3Bucket: 'assets', S3Key: `${name}.zip` },
    Timeout: 30,
    ...properties,
  },
  Metadata: { 'aws:asset:path': `asset.${name}`, 'aws:asset:property': 'Code' },
})

export const role = { Role: { Type: 'AWS::IAM::Role', Properties: { RoleName: 'functions' } } }
