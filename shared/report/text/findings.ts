import { isUnread } from '../../domain/finding-codes.ts'
import type { Evidence, Finding, Report } from '../../domain/report.ts'
import { hanging, wrapped } from './columns.ts'
import { clipped, clippedAtWord, columnsOf } from './letters.ts'
import { groupFindings, remedyText, shownGroups, shownRemedies } from '../finding-groups.ts'
import type { FindingGroup } from '../finding-groups.ts'
import type { Paint } from './paint.ts'
import { brokenCommand, type RemedyPart, remedyParts } from '../../domain/remedy-parts.ts'
import { paragraphs, plain } from '../wording.ts'

export interface FindingStyle {
  width?: number | undefined
  /** What is only good to know stands in full, too. */
  verbose?: boolean | undefined
}

/** What needs somebody stands in full, one block each; what is only good to know is one line each in a last block. */
export const findingLines = (
  { findings, plan, verdict }: Pick<Report, 'findings' | 'plan' | 'verdict'>,
  brush: Paint,
  { width, verbose = false }: FindingStyle = {},
): string[][] => {
  const groups = groupFindings(findings)
  // Where something could not be read, nothing is known to be wrong.
  const hasRemedy = ({ code }: Finding) => isUnread(code) || plan?.blockedBy.includes(code)
  const isBrief = ({ finding }: FindingGroup) => finding.severity === 'info' && !verbose
  const { shown: whole, leftOut } = shownGroups(groups.filter((group) => !isBrief(group)))
  const remedies = shownRemedies(whole.map(({ finding }) => finding))
  const withRemedy = ({ finding, subjects }: FindingGroup): FindingGroup => {
    const remedy = remedies.get(finding)
    return { subjects, finding: remedy === undefined ? finding : { ...finding, remedy: remedyText(remedy) } }
  }
  return [
    ...whole.map((group) => findingBlock(withRemedy(group), brush, width)),
    leftOut.flatMap(({ code, count }) => wrapped(`… and ${count} more ${code}: -o json has all`, '', width)),
    groups
      .filter(isBrief)
      .flatMap((group) =>
        hasRemedy(group.finding)
          ? [...briefLines(group, brush, width, true), ...remedyLines(group.finding.remedy ?? '', brush, width)]
          : briefLines(group, brush, width, verdict === 'changing' && group.finding.code === 'CLUSTER_UPDATING'),
      ),
  ]
}

/** `isWhole`: the reason of the verdict, or what forbids a change, is not cut. */
const briefLines = ({ finding, subjects }: FindingGroup, brush: Paint, width?: number, isWhole = false): string[] => {
  const about = subjects.length > 1 ? `${subjectsText(subjects)}: ` : ''
  const text = `${plain(finding.code)}  ${about}${plain(finding.message)}`
  const [first = '', ...others] = isWhole ? hanging(text, 'info  ', '      ', width) : []
  if (isWhole) return [brush.severity('info', 'info') + first.slice('info'.length), ...others]
  return [
    `${brush.severity('info', 'info')}  ${width === undefined ? text : clippedAtWord(text, width - 'info  '.length)}`,
  ]
}

const mostEvidence = 4
const indent = '          '

const findingBlock = ({ finding, subjects }: FindingGroup, brush: Paint, width?: number): string[] => {
  const { severity, code, message, evidence, remedy } = finding
  const more = evidence.length - mostEvidence
  const subject = subjectsText(subjects)
  const head = `${brush.severity(severity, severity)}  ${brush.bold(plain(code))}`
  const room = width === undefined ? Infinity : width - severity.length - code.length - 4
  return [
    ...(columnsOf(subject) > room ? [head, ...wrapped(subject, '  ', width)] : [`${head}  ${subject}`]),
    ...(width === undefined ? [plain(message)] : paragraphs(plain(message))).flatMap((it) => wrapped(it, '  ', width)),
    ...evidence.slice(0, mostEvidence).flatMap((it) => {
      const [first = '', ...others] = wrapped(evidenceText(it), '', width && width - indent.length)
      return [`    ${brush.dim('seen')}  ${first}`, ...others.map((line) => indent + line)]
    }),
    ...(more > 0 ? wrapped(`and ${more} more: -o json has all evidence`, '    ', width).map(brush.dim) : []),
    ...(remedy === undefined ? [] : remedyLines(remedy, brush, width)),
  ]
}

/** Commands and manifests are there to be pasted: a long command is broken as a shell takes it, a manifest not at all. */
export const pasteLines = (remedy: string, width?: number): string[] =>
  remedyParts(remedy).flatMap((part) => partLines(part, width))

const remedyLines = (remedy: string, brush: Paint, width?: number): string[] =>
  pasteLines(remedy, width === undefined ? undefined : width - indent.length).map((line, at) =>
    at === 0 ? `    ${brush.bold('do')}    ${line}` : `${indent}${line}`,
  )

const partLines = (part: RemedyPart, width?: number): string[] => {
  switch (part.kind) {
    case 'prose':
      return hanging(part.text, '', '', width)
    case 'verbatim':
      return [part.text]
    case 'command': {
      const { text, comment } = part
      if (width === undefined) return [comment === undefined ? text : `${text}   ${comment}`]
      return [...(comment === undefined ? [] : hanging(comment, '', '# ', width)), ...brokenCommand(text, width)]
    }
  }
}

export const subjectsText = (subjects: readonly string[]): string => {
  const shown = subjects.slice(0, 2).map(plain).join(', ')
  return subjects.length > 2 ? `${shown} and ${subjects.length - 2} more` : shown
}

const longest = 160

export const evidenceText = ({ object, field, value, at }: Evidence): string => {
  const what = plain([object, field].filter((part) => part !== undefined).join(' '))
  const said = value === undefined ? '' : ` = ${clipped(plain(value), longest)}`
  return `${what}${said}${at === undefined ? '' : ` (${plain(at)})`}`
}
