import { execFile } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { root } from '../../../infra/bundle.ts'
import { type Fields, fieldsOf, parseFields } from '../../../lab/aws/json.ts'
import type { Moto } from '../../../lab/moto/moto.ts'
import { askMoto, cloudFormation } from './ask.ts'
import { concessions } from './shortfalls.ts'

const run = promisify(execFile)
const cdk = join(root, 'node_modules/aws-cdk/bin/cdk')

/** The CDK's command line against moto, in a folder that is no app. */
export const runCdk = async (moto: Moto, folder: string, args: string[]): Promise<string> => {
  const all = [cdk, ...args, '--no-notices']
  const options = { cwd: folder, env: { ...process.env, ...moto.env }, maxBuffer: 64_000_000 }
  const { stdout, stderr } = await run(process.execPath, all, options).catch((error: Error & { stderr?: string }) => {
    throw new Error(`cdk ${args[0]}: ${error.stderr?.slice(-2_000) ?? error.message}`, { cause: error })
  })
  return stdout + stderr
}

/** What is written otherwise for moto, in the synthesized template itself; answers the template as it was. */
export const writeForMoto = (assembly: string, stack: string): Fields => {
  const file = join(assembly, `${stack}.template.json`)
  const template = parseFields(readFileSync(file, 'utf8')) ?? {}
  const written = concessions.reduce((it, { write }) => write(it), template)
  writeFileSync(file, JSON.stringify(written, null, 1))
  return template
}

export const resourcesOf = (template: Fields): Fields[] => Object.values(fieldsOf(template['Resources'])).map(fieldsOf)

/** How many of each type. */
export const countTypes = (resources: Fields[]): Record<string, number> => {
  const counts = new Map<string, number>()
  for (const { Type } of resources) counts.set(String(Type), (counts.get(String(Type)) ?? 0) + 1)
  return Object.fromEntries([...counts].toSorted(([a], [b]) => a.localeCompare(b)))
}

/** CreateStack as AWS's API has it. Throws with what moto says. */
export const createStack = async (moto: Moto, name: string, template: Fields): Promise<void> => {
  await askMoto(
    moto,
    cloudFormation({ Action: 'CreateStack', StackName: name, TemplateBody: JSON.stringify(template) }),
  )
}

export const deleteStack = async (moto: Moto, name: string): Promise<void> => {
  await askMoto(moto, cloudFormation({ Action: 'DeleteStack', StackName: name }))
}
