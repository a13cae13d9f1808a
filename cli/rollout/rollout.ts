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
  status: 'Show the rollout in this cluster, node by node, its next step and what blocks it.',
  log: 'Show the writes of this rollout and earlier ones: time, object, values before and after, writer.',
  evidence:
    'Print everything as one JSON document for support and audits: rollout, journal, halt, report, our objects.',
}

const acts: Record<RolloutAct, string> = {
  pause: 'Pause it: no further node is touched until it is resumed.',
  resume: 'Resume a paused or halted rollout, unless the reason for the halt still exists; sync applies it.',
  abort: 'Remove our overrides, one node after the other; default keeps its value.',
}

export const addRollout = (program: Command, end: Ending): void => {
  const rollout = program
    .command('rollout')
    .description('Show and control a rollout: status, log, evidence, pause, resume, abort.')
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
    if (act === 'resume')
      command.option('--force', 'resume although the reason for the halt still exists, one node at a time')
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
