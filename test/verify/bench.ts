import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { arch, cpus, platform, tmpdir } from 'node:os'
import { join } from 'node:path'
import { Command, InvalidArgumentError, Option } from 'commander'
import { root } from '../../infra/bundle.ts'
import { checks } from './bench/checks.ts'
import { lineOf, type Result } from './bench/comparison.ts'
import { type Bench, performancePage } from './bench/page.ts'
import { packed } from './bench/packed.ts'
import { paths } from './bench/paths.ts'
import { fleetPages, nodePages } from './bench/pages.ts'
import { rollouts } from './bench/rollouts.ts'
import { functionStarts, helpStart } from './bench/starts.ts'
import { storms } from './bench/storms.ts'
import { sweeps } from './bench/sweeps.ts'

const chapters = ['checks', 'functions', 'commands', 'sweep', 'storm', 'rollout', 'path', 'pages'] as const
type Chapter = (typeof chapters)[number]

interface Options {
  only: Chapter[]
  nodes: number[]
  clusters: number[]
  events: number
  rolloutNodes: number
  rounds: number
  embedded: boolean
}

const say = (text: string): void => void process.stdout.write(`${text}\n`)
const progress = (text: string): void => void process.stderr.write(`${text}\n`)

async function bench({ only, nodes: sizes, clusters, events, rolloutNodes, rounds, embedded }: Options): Promise<void> {
  const workdir = mkdtempSync(join(tmpdir(), 'calico-ipvs-sync-bench-'))
  const launcher = await packed(workdir)
  const notMeasured: string[] = []
  const missing = (text: string): void => {
    progress(`not measured: ${text}`)
    notMeasured.push(text)
  }
  const parts: Record<Chapter, () => Promise<Result[]>> = {
    checks: () => checks({ sizes, rounds, embedded, workdir, launcher, progress }),
    functions: () => functionStarts(rounds, workdir),
    commands: () => helpStart(rounds, launcher),
    sweep: () => sweeps({ sizes: clusters, rounds, workdir, launcher, progress, missing }),
    storm: () => storms({ events, workdir, progress }),
    rollout: () => rollouts({ nodes: rolloutNodes, progress }),
    path: () => paths({ rounds, workdir, progress }),
    pages: async () => [...fleetPages(rounds), ...(await nodePages(rounds))],
  }
  const results: Result[] = []
  try {
    for (const chapter of chapters) {
      if (!only.includes(chapter)) continue
      // What the other chapters have measured is not lost with it.
      const found = await parts[chapter]().catch((error: unknown) => {
        missing(`${chapter}: ${error instanceof Error ? error.message : String(error)}`)
        process.exitCode = 2
        return []
      })
      for (const it of found) say(lineOf(it))
      results.push(...found)
    }
  } finally {
    rmSync(workdir, { recursive: true, force: true })
  }
  write(
    { at: new Date().toISOString(), machine: machine(), versions: versions(), notMeasured, results },
    only.length === chapters.length,
  )
}

const machine = () => ({ cpus: cpus().length, model: cpus()[0]?.model ?? '', platform: platform(), arch: arch() })

const versions = (): Record<string, string> => ({
  node: process.version,
  ...versionOf('kubectl', ['version', '--client', '-o', 'json'], /"gitVersion": "([^"]+)"/),
  ...versionOf('git', ['rev-parse', '--short', 'HEAD'], /^(\w+)/, 'commit'),
})

const versionOf = (file: string, words: string[], pattern: RegExp, name = file): Record<string, string> => {
  try {
    const version = pattern.exec(execFileSync(file, words, { encoding: 'utf8', cwd: root }))?.[1]
    return version === undefined ? {} : { [name]: version }
  } catch {
    return {}
  }
}

/** The page only by a run of everything: it is one run's. */
function write(bench: Bench, isWhole: boolean): void {
  const folder = join(root, 'out/bench')
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'results.json'), `${JSON.stringify(bench, null, 2)}\n`)
  if (isWhole) writeFileSync(join(root, 'docs/performance.md'), performancePage(bench))
  say(`Written to out/bench/results.json${isWhole ? ' and docs/performance.md' : ''}`)
  if (bench.results.some(({ holds }) => holds === false)) process.exitCode ??= 1
}

const whole = (text: string): number => {
  if (/^\d{1,5}$/.test(text)) return Number(text)
  throw new InvalidArgumentError('It must be a number up to 99999.')
}

const several = (text: string): number[] => text.split(',').map(whole)

try {
  await new Command('bench')
    .description('How long checks, sweeps, functions and commands take, each beside another in the same run.')
    .addOption(
      new Option('--only <chapter...>', 'some chapters, without the page').choices(chapters).default([...chapters]),
    )
    .option('--nodes <counts>', 'nodes of the clusters, with commas', several, [0, 50, 500, 5_000])
    .option('--clusters <counts>', 'clusters of the fleets, with commas', several, [200, 1_000])
    .option('--events <count>', 'events of the storm', whole, 10_000)
    .option('--rollout-nodes <count>', 'nodes of the rollout', whole, 1_000)
    .option('--rounds <count>', 'how often each is measured', whole, 5)
    .option('--embedded', 'the embedded API server, also where the real one is built', false)
    .action(bench)
    .parseAsync()
} catch (error) {
  process.stderr.write(`bench: ${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 2
}
