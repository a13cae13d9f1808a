import type { Command } from 'commander'
import type { Ending } from './main.ts'
import { type OutputOptions, type PlaceOptions, withOutput, withPlace } from './options.ts'

export type RolloutOptions = OutputOptions & PlaceOptions
export type RolloutAct = 'status' | 'pause' | 'resume' | 'abort'

const acts: Record<RolloutAct, string> = {
  status: 'Where the rollout in this cluster stands, and what comes next.',
  pause: 'Let it touch no further node until it is resumed.',
  resume: 'Let a paused or halted rollout go on; sync carries it out.',
  abort: 'Take our overrides back, one node after the other; what default has taken stays.',
}

export const addRollout = (program: Command, end: Ending): void => {
  const rollout = program
    .command('rollout')
    .description('What sync has begun in a cluster: status, pause, resume, abort.')
  for (const [act, description] of Object.entries(acts) as [RolloutAct, string][])
    withOutput(withPlace(rollout.command(act).description(description)), ['text', 'json']).action(
      async (options: RolloutOptions) => {
        const { steer } = await import('./rollout-run.ts')
        end(await steer(act, options))
      },
    )
}
