import type { Command } from 'commander'
import { exitStatus } from './exit-status.ts'
import type { Ending } from './main.ts'
import type { LookOptions, OutputOptions, PlaceOptions } from './options.ts'
import { withLook, withOutput, withPlace } from './options.ts'
import { progress } from './progress.ts'
import { write } from './streams.ts'
import { forPlanning } from './target.ts'

type CaptureOptions = OutputOptions & PlaceOptions & LookOptions

export const addCapture = (program: Command, end: Ending): void => {
  const command = program
    .command('capture')
    .description('Write what check sees as a state file, without secrets, for check --state.')
    .argument('[file]', 'where to write it (default: standard output)')
  withOutput(withLook(withPlace(command)), ['json']).action(async (file: string | undefined, options: CaptureOptions) =>
    end(await capture(file, options)),
  )
}

const capture = async (file: string | undefined, options: CaptureOptions): Promise<number> => {
  const telling = progress(options.quiet ?? false)
  const [{ connect }, { writeFile }] = await Promise.all([import('./connect.ts'), import('node:fs/promises')])
  const target = await connect(options, telling)
  try {
    telling.doing(`reading ${target.name}`)
    const state = await forPlanning(target, await target.observe())
    telling.clear()
    const text = `${JSON.stringify(state, null, 2)}\n`
    // Names of nodes and Services are nobody else's business: readable by its owner only.
    await (file === undefined ? write(process.stdout, text) : writeFile(file, text, { mode: 0o600 }))
    return 'failure' in state.nodes ? exitStatus.failed : exitStatus.inStep
  } finally {
    target.close()
  }
}
