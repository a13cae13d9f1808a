import type { RolloutRecord } from '../../shared/domain/cluster.ts'
import { cameBack } from '../../shared/domain/rollout/halt-evidence.ts'
import { allWrites, parseJournal, type ShownEntry } from '../../shared/domain/rollout/journal.ts'
import { plain, plainAll, safeJson } from '../../shared/domain/plain.ts'
import { failureOf, valueOf } from '../../shared/domain/read.ts'
import type { Report } from '../../shared/domain/report.ts'
import { ours } from '../../shared/domain/rollout/annotations.ts'
import { progressOf, type Progress } from '../../shared/domain/rollout/progress.ts'
import { parseRollout } from '../../shared/domain/rollout/parse.ts'
import type { Rollout } from '../../shared/domain/rollout/rollout.ts'
import { seenOf, withNodes } from '../../shared/domain/rollout/seen.ts'
import { commandFor } from '../target/command-for.ts'
import { connect } from '../target/connect.ts'
import { exitStatus } from '../exit-status.ts'
import { Failure } from '../failure.ts'
import { defaultPolicy } from '../../shared/domain/policy/policy.ts'
import { progress } from '../progress.ts'
import type { RolloutOptions, RolloutView } from './rollout.ts'
import { journalLines, statusText } from './text.ts'
import { wantsColour, write } from '../streams.ts'
import { look, type Looked } from '../target/target.ts'
import { notUnderstood } from '../../shared/workflows/rollout/step.ts'

/** What there is to see of a rollout, from one look at the whole cluster. */
export interface Standing {
  lease?: RolloutRecord
  rollout?: Rollout
  /** Absent where the cluster could not be seen well enough. */
  progress?: Progress
  blockedBy: string[]
  /** Objects of ours that are still there. */
  objects: { name: string; annotations: Record<string, string> }[]
  /** Every write that can still be read; `earlier`: how many the journal had no room for. */
  journal: { entries: ShownEntry[]; earlier: number }
  /** Whether the node that was lost is well again since our override was taken off it. */
  cameBack?: 'yes' | 'no'
  report: Report
}

/** 0: no rollout is left to be finished · 1: one is · 2: could not tell. */
export const show = async (view: RolloutView, options: RolloutOptions): Promise<number> => {
  const telling = progress(options.quiet ?? false)
  const target = await connect(options, telling)
  try {
    telling.doing(`reading ${target.name}`)
    const standing = standingOf(await look(target, defaultPolicy), commandFor('check', options))
    telling.clear()
    await write(process.stdout, rendered(view, standing, options))
    return standing.rollout && unfinished.includes(standing.rollout.state) ? exitStatus.outOfStep : exitStatus.inStep
  } finally {
    target.close()
  }
}

const unfinished: readonly Rollout['state'][] = ['running', 'paused', 'halted', 'aborting']

const standingOf = ({ state, report, plan }: Looked, next: string): Standing => {
  const failure = failureOf(state.rollout)
  if (failure) throw new Failure(`The Lease kube-system/calico-ipvs-sync cannot be read: ${failure.message}`, next)
  const lease = valueOf(state.rollout)
  const parsed = parseRollout(lease, Date.parse(state.observedAt))
  if (parsed.is === 'invalid') throw new Failure(notUnderstood(parsed.why), next)
  const rollout = parsed.is === 'rollout' ? parsed.rollout : undefined
  const sets = new Set(valueOf(state.daemonSets)?.flatMap(({ role, uid }) => (role === 'calico-node' ? uid : [])))
  const felix = valueOf(state.felix)
  const pods = valueOf(state.pods)?.filter((pod) => pod.role === 'calico-node' && sets.has(pod.daemonSet ?? ''))
  const isSeen = rollout && felix && pods
  const journal = parseJournal(lease?.annotations[`${ours}journal`])
  const back = rollout?.evidence && pods && cameBack(rollout.evidence, pods)
  const marked = (felix?.objects ?? []).filter(({ annotations }) => Object.keys(annotations).some(isOurs))
  return {
    ...(lease && { lease }),
    ...(rollout && { rollout }),
    ...(isSeen && {
      progress: progressOf(
        rollout,
        withNodes(seenOf(felix, pods, rollout.where), valueOf(state.nodes) ?? []),
        state.observedAt,
      ),
    }),
    blockedBy: plan().blockedBy,
    objects: marked.map(({ name, annotations }) => ({ name, annotations: annotations })),
    journal: { ...journal, entries: allWrites(journal, felix?.objects ?? []) },
    ...(back && { cameBack: back }),
    report,
  }
}

const isOurs = (key: string): boolean => key.startsWith(ours)

const rendered = (view: RolloutView, standing: Standing, options: RolloutOptions): string => {
  const { lease: _lease, report: _report, objects: _objects, journal, ...status } = standing
  const isJson = options.output === 'json'
  switch (view) {
    case 'status':
      return isJson ? asJson(status) : statusText(standing, bold(options), (command) => onTyped(command, options))
    case 'log':
      return isJson ? asJson({ journal }) : journalLines(journal)
    case 'evidence':
      return asJson({ schemaVersion: 1, ...standing })
  }
}

/** Steering takes no range. */
const onTyped = (command: string, { probe, serviceNodePortRange, ...place }: RolloutOptions): string => {
  const range = { ...(probe && { probe }), ...(serviceNodePortRange && { serviceNodePortRange }) }
  return plain(commandFor(command, command.startsWith('rollout ') ? place : { ...place, ...range }))
}

const asJson = (value: object): string => `${safeJson(plainAll(value), 2)}\n`

export const bold = ({ color }: RolloutOptions) =>
  wantsColour(process.stdout, color) ? (text: string) => `\u001b[1m${text}\u001b[0m` : (text: string) => text
