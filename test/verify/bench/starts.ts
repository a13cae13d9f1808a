import { coldImports, coldStart, empty, functionFolders } from './cold-starts.ts'
import { compared, interleaved, type Result } from './comparison.ts'
import { type Run, runMeasured } from './run-measured.ts'

/** The most that a cold start may take beside that of an empty function. */
const boundOf = (name: string): number => (name === 'evaluate' ? 1.8 : 1.5)
const helpAtMost = 1.5

/** From the start of a process with AWS's runtime client until a function takes its first event, beside an empty one. */
export async function functionStarts(rounds: number, workdir: string): Promise<Result[]> {
  const folders = await functionFolders(workdir)
  const starts = await interleaved(
    rounds,
    Object.fromEntries([...folders].map(([name, folder]) => [name, () => coldStart(folder)])),
  )
  const imports = await interleaved(rounds, Object.fromEntries(await coldImports(folders, workdir)))
  const names = [...folders.keys()].filter((name) => name !== empty)
  const importsOf = (name: string): number[] => (imports[name] ?? []).map(({ milliseconds }) => milliseconds)
  return names.flatMap((name) => [
    compared({
      name: `${name}, cold start`,
      unit: 'ms',
      ours: starts[name] ?? [],
      other: starts[empty] ?? [],
      otherName: `an ${empty}`,
      bound: boundOf(name),
    }),
    compared({
      name: `${name}, cold import`,
      unit: 'ms',
      ours: importsOf(name),
      other: importsOf(`${name}, without care`),
      otherName: "bundled by the bundler's defaults",
    }),
  ])
}

/** The command line as it is packed, beside a Node that does nothing. */
export async function helpStart(rounds: number, launcher: string): Promise<Result[]> {
  const node = (words: string[]) => (): Promise<Run> => runMeasured({ file: process.execPath, words })
  const runs = await interleaved(rounds, { help: node([launcher, '--help']), nothing: node(['-e', '0']) })
  const times = (name: string): number[] => (runs[name] ?? []).map(({ milliseconds }) => milliseconds)
  return [
    compared({
      name: '--help, time',
      unit: 'ms',
      ours: times('help'),
      other: times('nothing'),
      otherName: 'node -e 0',
      bound: helpAtMost,
    }),
  ]
}
