import { evidenceLines } from '../../shared/domain/rollout/halt-evidence.ts'
import { afterwards } from '../../shared/domain/rollout/halt-finding.ts'
import type { Progress } from '../../shared/domain/rollout/progress.ts'
import type { Rollout } from '../../shared/domain/rollout/rollout.ts'
import { counted, plain } from '../../shared/report/wording.ts'
import type { RolloutStatus } from './status.ts'

type Bold = (text: string) => string

const none = 'There is no rollout in this cluster.\n'

/** The result of the command, as text. `sync`: the command that applies the rollout here. */
export const rolloutText = (rollout: Rollout | undefined, bold: Bold, sync?: string): string =>
  rollout ? `${[...headLines(rollout, bold), ...(sync === undefined ? [] : continued(sync))].join('\n')}\n` : none

const continued = (sync: string): string[] => [
  '  next      a deployment that may change this cluster continues it at its next evaluation, within the hour; to continue it here:',
  `            ${plain(sync)}`,
]

/** Node by node, and what comes next. `on` completes a command for the cluster. */
export const statusText = (
  standing: Omit<RolloutStatus, 'report'>,
  bold: Bold,
  on: (command: string) => string,
): string => {
  const { rollout, progress, blockedBy, lease, carriedOutBy: holder, cameBack, impact } = standing
  if (!rollout) return none
  const isOpen = rollout.state === 'running' || rollout.state === 'aborting'
  const lines = [
    ...headLines(rollout, bold),
    isOpen && holder && `  by        ${plain(holder)}, seen at ${plain(lease?.renewedAt ?? 'no known time')}`,
    ...(progress ? progressLines(progress) : ['  nodes     not known: the cluster could not be read']),
    ...(rollout.evidence ? evidenceLines(rollout.evidence).map((line) => `  seen      ${plain(line)}`) : []),
    ...(rollout.evidence ? afterwards(rollout.evidence, cameBack) : []).map((line) => `  since     ${plain(line)}`),
    impact && `  impact    ${plain(impact)}`,
    isOpen && blockedBy.length > 0 && `  blocked   ${blockedBy.map(plain).join(', ')}: ${on('check')}`,
    progress && `  next      ${plain(progress.next.text)}`,
    ...(progress?.next.commands ?? []).map((command) => `            ${on(command)}`),
    isOpen && !holder && `  No process is applying it now. To continue it here: ${on('sync')}`,
  ]
  return `${lines.filter(Boolean).join('\n')}\n`
}

const headLines = (rollout: Rollout, bold: Bold): string[] => {
  const { id, state, target, restart, canary, startedAt, finishedAt, reason, pace } = rollout
  const lines = [
    `${bold(state.toUpperCase())}  rollout ${plain(id)}`,
    target && `  range     ${plain(target)}`,
    restart.length > 0 && `  restarts  ${counted(restart.length, 'calico-node pod')}`,
    `  pace      ${pace.strategy}, ${pace.maxUnavailable} at a time, ${pace.settleSeconds} s each, halted after ${pace.nodeDeadlineSeconds} s`,
    canary && `  first     ${plain(canary)}`,
    `  began     ${plain(startedAt)}`,
    finishedAt && `  ended     ${plain(finishedAt)}`,
    reason && `  why       ${plain(reason)}`,
  ]
  return lines.filter((line) => line !== undefined && line !== false && line !== '') as string[]
}

const progressLines = ({ done, inFlight, pending, apart, overrides }: Progress): (string | false)[] => [
  `  nodes     ${done.length} done, ${inFlight.length} in flight, ${pending.length} pending, ${apart.length} kept apart`,
  ...inFlight.map(({ node, seconds }) => `  in flight ${plain(node)}, to stay well for ${seconds} s more`),
  done.length > 0 && `  done      ${names(done)}`,
  pending.length > 0 && `  pending   ${names(pending)}`,
  ...apart.slice(0, 10).map(({ node, why }) => `  apart     ${plain(node)}: ${why}`),
  apart.length > 10 && `  apart     ${apart.length - 10} more`,
  overrides > 0 && `  overrides ${overrides} of ours`,
]

const names = (nodes: string[], most = 6): string =>
  nodes.slice(0, most).map(plain).join(', ') + (nodes.length > most ? ` and ${nodes.length - most} more` : '')

/** One line for each write, oldest first. */
export const journalLines = ({ entries, earlier }: RolloutStatus['journal']): string => {
  if (entries.length === 0) return 'This tool has not written anything in this cluster.\n'
  const lines = entries.map(({ at, rollout, what, object, from, to, by, why, unnoted }) => {
    const change = from === undefined && to === undefined ? '' : `  ${from ?? 'nothing'} -> ${to ?? 'nothing'}`
    const because = why === undefined ? '' : `  because ${why}`
    return plain(
      `${at}  ${rollout}  ${what.padEnd(9)} ${object}${change}  by ${by}${because}${unnoted ? '  (the object says so; not yet in the journal)' : ''}`,
    )
  })
  const before = earlier > 0 ? [`${counted(earlier, 'earlier entry', 'earlier entries')} only in the log`] : []
  return `${[...before, ...lines].join('\n')}\n`
}
