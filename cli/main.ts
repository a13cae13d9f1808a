import { Command, CommanderError } from 'commander'
import manifest from '../package.json' with { type: 'json' }
import { addCapture } from './check/capture.ts'
import { addCheck, addPlan } from './check/check.ts'
import { applyConfiguration } from './configuration/apply.ts'
import { addDoctor } from './doctor/doctor.ts'
import { addCompletion } from './completion.ts'
import { type Ending, exitStatus } from './exit-status.ts'
import { addExplain } from './explain.ts'
import { addGrant } from './grant/grant.ts'
import { Failure, UsageError } from './failure.ts'
import { quoted } from '../shared/domain/shell.ts'
import { programName } from './called-as.ts'
import { addHistory } from './history/history.ts'
import { guardExit, leaveWith, say, widthOf } from './streams.ts'
import { withProse, wrappedLines } from './options.ts'
import { addNotify } from './notify/notify.ts'
import { wipeProgress } from './progress.ts'
import { addRbac } from './rbac/rbac.ts'
import { addRollout } from './rollout/rollout.ts'
import { addSpokeTemplate } from './spoke-template.ts'
import { addSweep } from './sweep/sweep.ts'
import { addSync } from './sync/sync.ts'

/** Runs one command and ends the process with its exit status. Clients are loaded only when a command needs them. */
export const main = async (words: readonly string[]): Promise<void> => {
  guardExit(words.includes('--debug'))
  await leaveWith(await run(words))
}

/** Runs one command; resolves to its exit status. */
export const run = async (words: readonly string[]): Promise<number> => {
  let status: number = exitStatus.inStep
  const program = programOf((result) => {
    status = result
  })
  try {
    await program.parseAsync(words, { from: 'user' })
    return status
  } catch (error) {
    return await explainFailure(error, { words, program })
  }
}

/** The parser of the command line. `end` receives the exit status. */
export const programOf = (end: Ending): Command => {
  const program = new Command(programName())
    .description("Keeps Calico in step with kube-proxy's IPVS mode and the cluster's node-port range.")
    .version(manifest.version)
    .exitOverride()
    .configureHelp({ minWidthToWrap: 20 })
    .configureOutput({ outputError: (text, put) => put(wrappedLines(text, widthOf(process.stderr))) })
    .showHelpAfterError('(see --help)')
    .hook('preAction', (_, command) => applyConfiguration(command))
  for (const add of [
    addCheck,
    addPlan,
    addSync,
    addRollout,
    addSweep,
    addGrant,
    addRbac,
    addHistory,
    addSpokeTemplate,
    addNotify,
    addCapture,
    addDoctor,
    addExplain,
    addCompletion,
  ])
    add(program, end)
  return withProse(program, statusHelp)
}

const statusHelp =
  'Exit status: 0 in step or not applicable, 1 out of step or changing, 2 could not tell or failed, 64 usage.'

interface Given {
  words: readonly string[]
  program: Command
}

const explainFailure = async (error: unknown, { words, program }: Given): Promise<number> => {
  wipeProgress()
  const width = widthOf(process.stderr)
  // Commander has printed the error already; only a requested help or version is no error.
  if (error instanceof CommanderError) {
    const named = error.code === 'commander.excessArguments' ? clusterNamed({ words, program }) : undefined
    if (named !== undefined) say(`Name the cluster with an option: calico-ipvs-sync ${named}`)
    return error.exitCode === 0 ? exitStatus.inStep : exitStatus.usage
  }
  // Loads more than a help may.
  const { errorText, nextText } = await import('./error-text.ts')
  const message = error instanceof Error ? error.message : String(error)
  say(errorText(`${programName()}: ${message}`, width))
  if (error instanceof Failure && error.next !== undefined) say(nextText(error.next, width))
  if (words.includes('--debug') && error instanceof Error) say(error.stack ?? '')
  return error instanceof UsageError ? exitStatus.usage : exitStatus.failed
}

/** The command as it was meant, where a cluster was named without its option; absent for a command that has none. */
const clusterNamed = ({ words, program }: Given): string | undefined => {
  let command = program
  const path: string[] = []
  for (const word of words) {
    const next = command.commands.find((it) => it.name() === word)
    if (!next) break
    command = next
    path.push(word)
  }
  const surplus = command.args.at(-1)
  const takes = command.options.some(({ long }) => long === '--context') && command.registeredArguments.length === 0
  return takes && surplus ? [...path, '--context', quoted(surplus)].join(' ') : undefined
}
