import type { Command } from 'commander'
import type { Ending } from '../exit-status.ts'
import { type DoctorOptions, withExamples, withOutput, withPlace } from '../options.ts'

export const addDoctor = (program: Command, end: Ending): void => {
  const command = program
    .command('doctor')
    .description('Try each hop to a cluster by name, and say what to paste to fix the one that fails.')
    .option('--look-only', 'leave out the permissions that only sync needs')
  withExamples(command, 'calico-ipvs-sync doctor --context prod', 'calico-ipvs-sync doctor --look-only --context prod')
  withOutput(withPlace(command), ['text', 'json']).action(async (options: DoctorOptions) => {
    const { examine } = await import('./run.ts')
    end(await examine(options))
  })
}
