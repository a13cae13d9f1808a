import type { Command } from 'commander'
import { exitStatus } from '../exit-status.ts'
import { Failure, UsageError } from '../failure.ts'
import type { Ending } from '../exit-status.ts'
import type { LookOptions, OutputOptions, PlaceOptions } from '../options.ts'
import { withExamples, withLook, withOutput, withPlace, withProse } from '../options.ts'
import { writePrivately, writePrivatelyToOutput } from './private-file.ts'
import { progress } from '../progress.ts'
import { forPlanning } from '../target/target.ts'

type CaptureOptions = OutputOptions & PlaceOptions & LookOptions & { force?: boolean }

export const addCapture = (program: Command, end: Ending): void => {
  const command = program
    .command('capture')
    .description('Write what check sees as a state file, without secrets, for check --state.')
    .argument('[file]', 'where to write it, readable by its owner only (default: standard output)')
    .option('--force', 'overwrite an existing file')
  withProse(command, heldHelp)
  withExamples(command, 'calico-ipvs-sync capture prod.json --context prod', 'calico-ipvs-sync check --state prod.json')
  withOutput(withLook(withPlace(command)), ['json']).action(async (file: string | undefined, options: CaptureOptions) =>
    end(await capture(placeOf(file, options), options)),
  )
}

const heldHelp = [
  'It holds, of nodes, kube-proxy, calico-node, FelixConfigurations and Services, what the verdict goes by: names, times, versions,',
  "states, node ports, the labels that selectors name, kube-proxy's mode and flags, Felix's parameters that bear on it. It holds no other",
  'key of a ConfigMap, no other variable, argument or annotation, no last-applied-configuration, no kubeconfig. Field by field: docs/security.md.',
].join(' ')

/** `FILE` and `--output-file FILE` are one: either way only its owner may read it. */
const placeOf = (file: string | undefined, { outputFile }: CaptureOptions): string | undefined => {
  if (file !== undefined && outputFile !== undefined && file !== outputFile)
    throw new UsageError(`Name one file: ${file}, or --output-file ${outputFile}.`)
  return file ?? outputFile
}

const capture = async (file: string | undefined, options: CaptureOptions): Promise<number> => {
  const telling = progress(options.quiet ?? false)
  const [{ connect }, { commandFor }, { failureOf }, { kept }, { safeJson }] = await Promise.all([
    import('../target/connect.ts'),
    import('../target/command-for.ts'),
    import('../../shared/domain/read.ts'),
    import('../../shared/domain/capture/kept.ts'),
    import('../../shared/domain/plain.ts'),
  ])
  const target = await connect(options, telling)
  try {
    telling.doing(`reading ${target.name}`)
    const state = await forPlanning(target, await target.observe())
    telling.clear()
    const text = `${safeJson(kept(state), 2)}\n`
    await (file === undefined ? writePrivatelyToOutput(text) : writePrivately(file, text, options.force ?? false))
    const failure = failureOf(state.nodes)
    if (failure)
      throw new Failure(
        `The nodes could not be read, which the file says: ${failure.message}`,
        commandFor('doctor', target, {}),
      )
    return exitStatus.inStep
  } finally {
    target.close()
  }
}
