import { execFile, spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { ownCache } from '../build/cache.ts'
import { makeWhole } from '../build/whole-folder.ts'

const run = promisify(execFile)
const here = import.meta.dirname
const pom = join(here, 'pom.xml')

export interface Question {
  patterns: Record<string, object>
  events: readonly object[]
}

/** Whether this machine can run AWS's own matcher; otherwise why not, in one sentence. */
export const whyNoRuler = async (): Promise<string | undefined> => {
  for (const [command, ...args] of [
    ['java', '-version'],
    ['mvn', '--version'],
  ] as const) {
    if (existsSync(folder()) && command === 'mvn') continue
    try {
      await run(command, args)
    } catch {
      return `there is no ${command} in PATH, which event-ruler, AWS's own matcher of event patterns, needs`
    }
  }
  return undefined
}

/** For each event the names of the patterns that it matches, by AWS's own matcher, brought from Maven Central once. */
export const askRuler = async (question: Question): Promise<string[][]> => {
  if (!existsSync(folder())) await bring()
  const child = spawn('java', ['-cp', join(folder(), '*'), join(here, 'Match.java')])
  const kept = { out: '', error: '' }
  child.stdout.setEncoding('utf8').on('data', (text: string) => (kept.out += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (kept.error += text))
  child.stdin.end(JSON.stringify(question))
  const status = await new Promise<number | null>((resolve, reject) =>
    child.once('error', reject).once('close', resolve),
  )
  if (status !== 0) throw new Error(`event-ruler could not tell: ${kept.error.slice(0, 2_000)}`)
  return JSON.parse(kept.out) as string[][]
}

const version = /<artifactId>event-ruler<\/artifactId>\s*<version>([\d.]+)</.exec(readFileSync(pom, 'utf8'))?.[1] ?? ''
const folder = (): string => ownCache(`event-ruler-${version}`)

const bring = async (): Promise<void> => {
  const words = {
    doing: `bringing event-ruler ${version} from Maven Central (3 MB)`,
    done: `brought event-ruler ${version}`,
    failed: `could not bring event-ruler ${version}`,
  }
  await makeWhole(folder(), words, async (scratch) => {
    const quiet = ['--quiet', '--batch-mode', '--strict-checksums']
    await run('mvn', [...quiet, '--file', pom, 'dependency:copy-dependencies', `-DoutputDirectory=${scratch}`], {
      maxBuffer: 16_000_000,
    })
  })
}
