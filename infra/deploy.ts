import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { askAws, preflight } from '../shared/preflight.ts'
import { root } from './bundle.ts'
import { readConfig } from './config.ts'

/** The value of `--name value` or `--name=value`. */
const valueOf = (args: string[], name: string): string | undefined => {
  const at = args.findIndex((it) => it === name || it.startsWith(`${name}=`))
  return args[at]?.split('=')[1] ?? (at < 0 ? undefined : args[at + 1])
}

/** `config=FILE` in the context options of the CDK's command line. */
const configNamed = (args: string[]): string | undefined =>
  args.flatMap((it) => /^(?:-c=?|--context=)?config=(.+)$/.exec(it)?.[1] ?? []).at(-1)

/**
 * `npm run deploy -- ARGUMENTS OF cdk deploy`: reports a missing precondition in one sentence, before anything is
 * built.
 */
const deploy = async (args: string[]): Promise<number> => {
  const profile = valueOf(args, '--profile')
  if (profile) process.env['AWS_PROFILE'] = profile
  const fault = await preflight(readConfig(root, configNamed(args)), askAws(process.env))
  if (fault !== undefined) throw new Error(fault)
  const cdk = [join(root, 'node_modules/aws-cdk/bin/cdk'), 'deploy', ...args]
  return spawnSync(process.execPath, cdk, { cwd: root, stdio: 'inherit' }).status ?? 1
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    process.exitCode = await deploy(process.argv.slice(2))
  } catch (error) {
    console.error(error instanceof Error ? error.message : error)
    process.exitCode = 1
  }
}
