import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { ownCache } from '../build/cache.ts'
import { makeWhole } from '../build/whole-folder.ts'

const run = promisify(execFile)
const requirements = join(import.meta.dirname, 'requirements.txt')
const pins = readFileSync(requirements, 'utf8')
const version = /^cfn-lint==(\S+)/m.exec(pins)?.[1] ?? ''
const folder = (): string =>
  ownCache(`cfn-lint-${version}-${createHash('sha256').update(pins).digest('hex').slice(0, 8)}-${process.arch}`)

export interface Lint {
  rule: string
  level: 'Error' | 'Warning' | 'Informational'
  message: string
  /** `Resources/ViewerRole/Properties` */
  path: string
}

/** What cfn-lint has against a template, brought from PyPI once. Throws where there is no Python with pip. */
export const lint = async (file: string, regions: readonly string[]): Promise<Lint[]> => {
  if (!existsSync(folder())) await bring()
  const { stdout } = await run(
    'python3',
    ['-c', start, '--format', 'json', '--include-checks', 'I', '--regions', ...regions, '--template', file],
    { env: { ...process.env, PYTHONPATH: folder() }, maxBuffer: 16_000_000 },
  ).catch(said)
  return (JSON.parse(stdout || '[]') as Finding[]).map(({ Rule, Level, Message, Location }) => ({
    rule: Rule.Id,
    level: Level,
    message: Message,
    path: (Location.Path ?? []).join('/'),
  }))
}

/** As its own command does, which `--target` puts nowhere that a PATH leads to. */
const start = 'import sys; from cfnlint.runner import main; sys.exit(main())'

interface Finding {
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

/** Into a folder of its own, which nothing else of Python's sees. */
const bring = async (): Promise<void> => {
  const words = {
    doing: `bringing cfn-lint ${version} from PyPI (15 MB)`,
    done: `brought cfn-lint ${version}`,
    failed: `could not bring cfn-lint ${version}`,
  }
  await makeWhole(folder(), words, async (scratch) => {
    const only = [
      '--no-deps',
      '--only-binary=:all:',
      '--no-cache-dir',
      '--no-compile',
      '--quiet',
      '--disable-pip-version-check',
    ]
    await run('python3', ['-m', 'pip', 'install', ...only, '--requirement', requirements, '--target', scratch], {
      env: { ...process.env, PIP_REQUIRE_VIRTUALENV: '0' },
      maxBuffer: 16_000_000,
    })
  })
}
