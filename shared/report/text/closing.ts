import { leavesUnknown } from '../../domain/finding-codes.ts'
import type { Finding, Report } from '../../domain/report.ts'
import { ours } from '../../domain/rollout/annotations.ts'
import { groupFindings } from '../finding-groups.ts'
import { brokenCommand } from '../../domain/remedy-parts.ts'
import { hanging, wrapped } from './columns.ts'
import { columnsOf } from './letters.ts'
import type { Paint } from './paint.ts'
import { nodesConcerned, plain, verdictWords } from '../wording.ts'

/** Makes a command of this tool complete for the cluster; absent where nothing can be run, as for a captured state. */
export type CommandOn = (words: string) => string

/** The last line, which stays on the screen: the verdict, of how many nodes, and what to do next. */
export const closingLines = (report: Report, brush: Paint, style: { width?: number; on?: CommandOn }): string[] => {
  const { verdict } = report
  const concerned = nodesConcerned(report)
  const of = concerned === '' ? '' : `, ${concerned}`
  const words = brush.verdict(verdict, verdictWords[verdict].toUpperCase())
  const { text, command, alone = text } = nextOf(report, style.on)
  const advice = command !== undefined && style.on ? style.on(command) : undefined
  const said = advice === undefined ? alone : text
  const name = plain(report.cluster.name)
  const isWide = columnsOf(`${verdictWords[verdict]}  ${name}${of}`) > (style.width ?? Infinity)
  return [
    ...(isWide ? [words, ...wrapped(`${name}${of}`, '  ', style.width)] : [`${words}  ${brush.bold(name)}${of}`]),
    ...adviceLines(said, advice, style.width),
  ]
}

/** A command that has no room behind its words stands below them. */
export const adviceLines = (text: string, command: string | undefined, width: number | undefined): string[] => {
  if (command === undefined) return wrapped(text, '  ', width)
  const line = `  ${text}: ${command}`
  if (width === undefined || line.length <= width) return [line]
  return [...hanging(`${text}:`, '  ', '  ', width), ...brokenCommand(command, width - 4).map((part) => `    ${part}`)]
}

const needsSomebody = ({ severity }: Finding): boolean => severity !== 'info'

interface Next {
  text: string
  command?: string
  /** Said where no command can be run, as where a captured state does not say where its cluster is. */
  alone?: string
}

const waiting = 'a change is under way; look again in a few minutes'

const nextOf = ({ verdict, plan, findings }: Report, on: CommandOn = String): Next => {
  const first = groupFindings(findings.filter(needsSomebody))[0]?.finding.code
  const see = (code: string): string => `${plain(code)} above says what to do`
  const blocker = plan?.blockedBy[0]
  if (blocker === 'ROLLOUT_HALTED' || first === 'ROLLOUT_HALTED') {
    const state = stateIn(findings)
    return {
      text: `the rollout is ${state}; what happened and how to go on`,
      command: 'rollout status',
      alone: `the rollout is ${state}; ${see('ROLLOUT_HALTED')}`,
    }
  }
  if (blocker === 'CLUSTER_UPDATING') return { text: waiting, command: 'check' }
  if (blocker !== undefined) return { text: see(blocker) }
  if (plan && plan.changes.length > 0) return { text: 'the plan above puts it right', command: 'sync' }
  switch (verdict) {
    case 'out-of-step':
      // A plan would only say that nothing is written here.
      if (findings.some(({ code }) => code === 'OWNED_BY_GITOPS')) return { text: see('OWNED_BY_GITOPS') }
      if (first !== undefined && (plan !== undefined || byHand.has(first))) return { text: see(first) }
      return { text: 'what would put it right', command: 'plan', alone: 'the findings above say what to do' }
    case 'changing':
      return { text: waiting, command: 'check' }
    case 'unknown':
      return first === undefined
        ? { text: 'where it ends', command: 'doctor', alone: 'what was read does not say' }
        : // A finding above it may be about something else.
          { text: see(findings.find(({ code }) => leavesUnknown(code))?.code ?? first) }
    case 'in-step':
      if (findings.some(({ code }) => code === 'RANGE_ASSUMED')) {
        const assumed = 'in step if the API server has its usual range, which was not read'
        // Where the command probed already, in vain, the finding says what that needs.
        return on('check').endsWith(' --probe')
          ? { text: `${assumed}; ${see('RANGE_ASSUMED')}` }
          : { text: `${assumed}; to read it`, command: 'check --probe', alone: `${assumed}; ${see('RANGE_ASSUMED')}` }
      }
      return { text: first === undefined ? 'nothing to do' : `nothing to do for node ports; ${see(first)}` }
    case 'not-applicable':
      return { text: first === undefined ? 'nothing to do' : `nothing to do for node ports; ${see(first)}` }
  }
}

/** As its evidence says; reports of others may have none. */
const stateIn = (findings: Finding[]): string => {
  const { evidence = [] } = findings.find(({ code }) => code === 'ROLLOUT_HALTED') ?? {}
  const state = ['halted', 'paused'].find((it) =>
    evidence.some(({ field, value }) => field === stateField && value === it),
  )
  return state ?? 'halted or paused'
}

const stateField = `metadata.annotations[${ours}state]`

/** What no plan of ours can put right. */
const byHand: ReadonlySet<string> = new Set(['MARK_CAPACITY', 'MARK_INVALID', 'MARK_OVERLAP'])
