import type { Command } from 'commander'
import type { Ending } from '../exit-status.ts'
import {
  type RolloutAct,
  type RolloutOptions,
  type RolloutView,
  withExamples,
  withLook,
  withOutput,
  withPlace,
} from '../options.ts'

const views: Record<RolloutView, string> = {
  status: 'Where the rollout in this cluster stands, node by node, what comes next and what forbids it.',
  log: 'What was written, of this rollout and earlier ones: when, what, on what, from what to what, by whom.',
  evidence: 'All of it as one JSON document for support and audits: rollout, journal, halt, report, our objects.',
}

const acts: Record<RolloutAct, string> = {
  pause: 'Let it touch no further node until it is resumed.',
  resume: 'Let a paused or halted rollout go on, unless what halted it is still so; sync carries it out.',
  abort: 'Take our overrides back, one node after the other; what default has taken stays.',
}

export const addRollout = (program: Command, end: Ending): void => {
  const rollout = program
    .command('rollout')
    .description('What sync has begun in a cluster: status, log, evidence, pause, resume, abort.')
  withExamples(
    rollout,
    'calico-ipvs-sync rollout status --context prod',
    'calico-ipvs-sync rollout evidence --cluster prod-1 --region eu-west-1',
    'calico-ipvs-sync rollout pause --context prod',
  )
  for (const [view, description] of Object.entries(views) as [RolloutView, string][])
    withOutput(
      withLook(withPlace(shown(rollout, view, description))),
      view === 'evidence' ? ['json'] : ['text', 'json'],
    ).action(async (options: RolloutOptions) => {
      const { show } = await import('./show.ts')
      end(await show(view, options))
    })
  for (const [act, description] of Object.entries(acts) as [RolloutAct, string][]) {
    const command = withOutput(withPlace(shown(rollout, act, description)), ['text', 'json'])
    if (act === 'resume') command.option('--force', 'resume although what halted it is still so, one node at a time')
    command.action(async (options: RolloutOptions) => {
      const { steer } = await import('./run.ts')
      end(await steer(act, options))
    })
  }
}

const shown = (rollout: Command, name: RolloutView | RolloutAct, description: string): Command =>
  withExamples(
    rollout.command(name).description(description),
    `calico-ipvs-sync rollout ${name} --context prod`,
    `calico-ipvs-sync rollout ${name} --cluster prod-1 --region eu-west-1`,
  )
