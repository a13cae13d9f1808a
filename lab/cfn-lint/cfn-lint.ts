import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { pythonPackages, pythonVariables } from '../build/python-packages.ts'

const run = promisify(execFile)
const requirements = join(import.meta.dirname, 'requirements.txt')

export interface Lint {
  /** The template, by the path that was given. */
  file: string
  rule: string
  level: 'Error' | 'Warning' | 'Informational'
  message: string
  /** `Resources/ViewerRole/Properties` */
  path: string
}

/**
 * What cfn-lint has against templates, brought from PyPI once. Most of a run is its start, so one run takes them all. Throws where there
 * is no Python with pip.
 */
export const lint = async (files: readonly string[], regions: readonly string[]): Promise<Lint[]> => {
  const folder = await pythonPackages({ name: 'cfn-lint', requirements, megabytes: 15 })
  const { stdout } = await run(
    'python3',
    ['-c', start, '--format', 'json', '--include-checks', 'I', '--regions', ...regions, '--template', ...files],
    { env: { ...process.env, ...pythonVariables(folder) }, maxBuffer: 16_000_000 },
  ).catch(said)
  return (JSON.parse(stdout || '[]') as Finding[]).map(({ Filename, Rule, Level, Message, Location }) => ({
    file: Filename,
    rule: Rule.Id,
    level: Level,
    message: Message,
    path: (Location.Path ?? []).join('/'),
  }))
}

/** As its own command does, which `--target` puts nowhere that a PATH leads to. */
const start = 'import sys; from cfnlint.runner import main; sys.exit(main())'

interface Finding {
  Filename: string
  Rule: { Id: string }
  Level: Lint['level']
  Message: string
  Location: { Path?: (string | number)[] }
}

/** It ends with a status of its own where it has found something. */
const said = (error: unknown): { stdout: string } => {
  const { stdout, code, stderr } = error as { stdout?: string; code?: unknown; stderr?: string }
  if (typeof code === 'number' && stdout?.startsWith('[')) return { stdout }
  throw new Error(`cfn-lint could not be run: ${stderr ?? String(error)}`, { cause: error })
}
