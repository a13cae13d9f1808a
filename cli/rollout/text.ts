import { evidenceLines, type HaltEvidence } from '../../shared/domain/rollout/halt-evidence.ts'
import { afterwards } from '../../shared/domain/rollout/halt-finding.ts'
import type { RolloutProgress } from '../../shared/domain/rollout/progress.ts'
import { type Rollout, takesSteps } from '../../shared/domain/rollout/rollout.ts'
import { brokenCommand } from '../../shared/domain/remedy-parts.ts'
import { adviceLines } from '../../shared/report/text/closing.ts'
import { hanging } from '../../shared/report/text/columns.ts'
import { columnsOf } from '../../shared/report/text/letters.ts'
import { pasteLines } from '../../shared/report/text/findings.ts'
import { counted, plain } from '../../shared/report/wording.ts'
import type { RolloutStatus } from './status.ts'

export interface RolloutStyle {
  bold: (text: string) => string
  /** Of the cluster. */
  name: string
  /** Of the terminal; absent where there is none, and then nothing is wrapped. */
  width?: number | undefined
}

const none = 'There is no rollout in this cluster.\n'
/** Below the text of a fact; a narrow terminal has no room for a column of labels. */
const indentOf = ({ width = 80 }: RolloutStyle): string => ' '.repeat(width < 60 ? 4 : 12)

/** `  label     text`, wrapped below itself. */
const fact = (label: string, text: string, style: RolloutStyle): string[] =>
  hanging(text, `  ${label.padEnd(10)}`, indentOf(style), style.width)

/** For a shell, where it can be pasted from. */
const commandLines = (command: string, style: RolloutStyle): string[] => {
  const [indent, { width }] = [indentOf(style), style]
  return (width === undefined ? [command] : brokenCommand(command, width - indent.length)).map((line) => indent + line)
}

/** The result of the command, as text. `sync`: the command that applies the rollout here. */
export const rolloutText = (rollout: Rollout | undefined, style: RolloutStyle, sync?: string): string =>
  rollout
    ? `${[...headLines(rollout, style), ...factLines(rollout, style), ...(sync === undefined ? [] : continued(sync, style))].join('\n')}\n`
    : none

const continued = (sync: string, style: RolloutStyle): string[] => [
  ...fact(
    'next',
    'a deployment that may change this cluster continues it at its next evaluation, within the hour; to continue it here:',
    style,
  ),
  ...commandLines(plain(sync), style),
]

/** Node by node; at the end, where it stays on the screen, the state again and what comes next. `on` completes a command for the cluster. */
export const statusText = (
  standing: Omit<RolloutStatus, 'report'> & { report?: Pick<RolloutStatus['report'], 'findings'> },
  style: RolloutStyle,
  on: (command: string) => string,
): string => {
  const { rollout, progress, blockedBy, lease, carriedOutBy: holder, cameBack, impact } = standing
  if (!rollout) return none
  const isOpen = takesSteps(rollout)
  const { evidence } = rollout
  const word = wordFor(rollout, holder)
  const lines = [
    ...headLines({ ...rollout, word }, style),
    ...(evidence ? afterwards(evidence, cameBack) : []).flatMap((line) => fact('now', plain(line), style)),
    ...(impact === undefined ? [] : fact('impact', plain(impact), style)),
    ...factLines(rollout, style),
    ...(isOpen && holder
      ? fact('by', `${plain(holder)}, seen at ${plain(lease?.renewedAt ?? 'no known time')}`, style)
      : []),
    ...(progress ? progressLines(progress, style) : fact('nodes', 'not known: the cluster could not be read', style)),
    ...(evidence ? seenLines(evidence, style) : []),
    '',
    ...closingLines(word, progress, style),
    ...(isOpen && blockedBy.length > 0
      ? adviceLines(`blocked   ${blockedBy.map(plain).join(', ')}`, on('check'), style.width)
      : []),
    ...(progress ? fact('next', plain(progress.next.text), style) : []),
    ...whatToDo(standing, on, style),
    ...(isOpen && !holder
      ? adviceLines(
          'No process is applying it now. To continue it here',
          on(rollout.state === 'aborting' ? 'rollout abort' : 'sync'),
          style.width,
        )
      : []),
  ]
  return `${lines.join('\n')}\n`
}

/** What no process applies is not running. */
const wordFor = ({ state }: Rollout, holder: string | undefined): string => {
  if (holder !== undefined) return state
  return state === 'running' ? 'unfinished' : state === 'aborting' ? 'abort unfinished' : state
}

/** How to go on after a halt is in its finding; its first line is this command. */
const whatToDo = (
  { rollout, progress, report }: Parameters<typeof statusText>[0],
  on: (command: string) => string,
  style: RolloutStyle,
): string[] => {
  const halt = rollout?.state === 'halted' && report?.findings.find(({ code }) => code === 'ROLLOUT_HALTED')
  if (!halt) return (progress?.next.commands ?? []).flatMap((command) => commandLines(on(command), style))
  const [, ...remedy] = (halt.remedy ?? '').split('\n')
  const indent = indentOf(style)
  const room = style.width === undefined ? undefined : style.width - indent.length
  return pasteLines(remedy.join('\n'), room).map((line) => indent + line)
}

const closingLines = (word: string, progress: RolloutProgress | undefined, style: RolloutStyle): string[] => {
  const far = progress ? `, ${progress.done.length} of ${counted(nodesOf(progress), 'node')} done` : ''
  return stateLines(word, `${plain(style.name)}${far}`, style)
}

/** What has no room beside the state stands below it. */
const stateLines = (state: string, text: string, { bold, width }: RolloutStyle): string[] => {
  const word = state.toUpperCase()
  return columnsOf(`${word}  ${text}`) <= (width ?? Infinity)
    ? [`${bold(word)}  ${text}`]
    : [bold(word), ...hanging(text, '  ', '  ', width)]
}

const nodesOf = ({ done, inFlight, pending, apart }: RolloutProgress): number =>
  done.length + inFlight.length + pending.length + apart.length

/** Lines of a log that a screen has room for; `rollout evidence` has all that are kept. */
const mostLog = 3

const seenLines = (evidence: HaltEvidence, style: RolloutStyle): string[] => {
  const { log = [] } = evidence
  const most = style.width === undefined ? log.length : mostLog
  const shown = evidenceLines({ ...evidence, log: log.slice(-most) }).flatMap((line) =>
    fact('seen', plain(line), style),
  )
  const more = log.length - most
  return more > 0
    ? [...shown, ...fact('', `${counted(more, 'earlier line')} of the log: rollout evidence`, style)]
    : shown
}

const headLines = ({ id, state, word = state }: Rollout & { word?: string }, style: RolloutStyle): string[] =>
  stateLines(word, `${plain(style.name)}  rollout ${plain(id)}`, style)

const factLines = (rollout: Rollout, style: RolloutStyle): string[] => {
  const { target, restart, canary, startedAt, finishedAt, reason, pace } = rollout
  const facts: [string, string | undefined][] = [
    ['why', reason],
    ['ports', target],
    ['restarts', restart.length === 0 ? undefined : counted(restart.length, 'calico-node pod')],
    [
      'pace',
      `${paceText(rollout)}; each stays well for ${pace.settleSeconds} s; halts if one is not Ready after ${pace.nodeDeadlineSeconds} s`,
    ],
    ['first', pace.strategy === 'direct' ? undefined : canary],
    ['began', startedAt],
    ['ended', finishedAt],
  ]
  return facts.flatMap(([label, text]) => (text === undefined || text === '' ? [] : fact(label, plain(text), style)))
}

/** Only the range reaches nodes at once; restarts always go one after the other. */
const paceText = ({ pace: { strategy, maxUnavailable }, target }: Rollout): string => {
  if (target === undefined || strategy === 'staged') return `${strategy}, ${maxUnavailable} at a time`
  return strategy === 'canary' ? 'canary, then all others at once' : 'direct, all nodes at once'
}

const progressLines = (
  { done, inFlight, pending, apart, overrides }: RolloutProgress,
  style: RolloutStyle,
): string[] => {
  const facts: [string, string | false][] = [
    [
      'nodes',
      `${done.length} done, ${inFlight.length} in flight, ${pending.length} pending, ${apart.length} kept apart`,
    ],
    ...inFlight.map(({ node, seconds }): [string, string] => [
      'in flight',
      `${plain(node)}, to stay well for ${seconds} s more`,
    ]),
    ['done', done.length > 0 && names(done)],
    ['pending', pending.length > 0 && names(pending)],
    ...apart.slice(0, 10).map(({ node, why }): [string, string] => ['apart', `${plain(node)}: ${why}`]),
    ['apart', apart.length > 10 && `${apart.length - 10} more`],
    ['overrides', overrides > 0 && `${overrides} of ours`],
  ]
  return facts.flatMap(([label, text]) => (text === false ? [] : fact(label, text, style)))
}

const names = (nodes: string[], most = 6): string =>
  nodes.slice(0, most).map(plain).join(', ') + (nodes.length > most ? ` and ${nodes.length - most} more` : '')

/** The writes; after a halt, what to read next, for the writes alone do not say what a person has to do. */
export const logText = (
  { rollout, journal }: Pick<RolloutStatus, 'rollout' | 'journal'>,
  style: RolloutStyle,
  on: (command: string) => string,
): string => {
  const lines = journalLines(journal, style.width)
  if (rollout?.state !== 'halted') return lines
  const advice = adviceLines('What happened, and what to do', on('rollout status'), style.width)
  return `${lines}\n${[...stateLines('halted', plain(style.name), style), ...advice].join('\n')}\n`
}

/** One line for each write, oldest first. */
export const journalLines = ({ entries, earlier }: RolloutStatus['journal'], width?: number): string => {
  if (entries.length === 0) return 'This tool has not written anything in this cluster.\n'
  const lines = entries.flatMap(({ at, rollout, what, object, from, to, by, why, unnoted }) => {
    const change = from === undefined && to === undefined ? '' : `  ${from ?? 'nothing'} -> ${to ?? 'nothing'}`
    const because = why === undefined ? '' : `  because ${why}`
    const line = `${at}  ${rollout}  ${what.padEnd(10)} ${object}${change}  by ${by}${because}${unnoted ? '  (the object says so; not yet in the journal)' : ''}`
    return hanging(plain(line), '', '  ', width)
  })
  const before = earlier > 0 ? [`${counted(earlier, 'earlier entry', 'earlier entries')} only in the log`] : []
  return `${[...before, ...lines].join('\n')}\n`
}
