import type { Evidence, FindingCode, Report } from '../../domain/report.ts'
import { clipped, wrapped } from './columns.ts'
import { groupFindings } from '../finding-groups.ts'
import type { FindingGroup } from '../finding-groups.ts'
import type { Paint } from './paint.ts'
import { plain, plainLines } from '../wording.ts'

/** What needs somebody stands in full, one block each; what is only good to know is one line each in a last block. */
export const findingLines = (
  { findings, plan }: Pick<Report, 'findings' | 'plan'>,
  brush: Paint,
  width?: number,
): string[][] => {
  const groups = groupFindings(findings)
  const lasting: readonly string[] = [...notKnown, ...(plan?.blockedBy ?? [])]
  const full = groups.filter(({ finding }) => finding.severity !== 'info')
  const brief = groups.filter(({ finding }) => finding.severity === 'info')
  return [
    ...full.map((group) => findingBlock(group, brush, width)),
    brief.flatMap((group) => [
      ...briefLines(group, brush, width),
      ...(lasting.includes(group.finding.code) ? remedyLines(group.finding.remedy ?? '', brush) : []),
    ]),
  ]
}

/** Nothing is wrong, but somebody may want to know for sure. Of these, and of what forbids the plan, it is said how. */
const notKnown: readonly FindingCode[] = ['RANGE_ASSUMED', 'ACCESS_DENIED', 'UNREACHABLE']

const briefLines = ({ finding, subjects }: FindingGroup, brush: Paint, width?: number): string[] => {
  const head = `${brush.severity('info', 'info')}  ${plain(finding.code)}  ${subjectsText(subjects)}`
  return [head, ...wrapped(plain(finding.message), '      ', width)]
}

const mostEvidence = 4

const findingBlock = ({ finding, subjects }: FindingGroup, brush: Paint, width?: number): string[] => {
  const { severity, code, message, evidence, remedy } = finding
  const more = evidence.length - mostEvidence
  return [
    `${brush.severity(severity, severity)}  ${brush.bold(plain(code))}  ${subjectsText(subjects)}`,
    ...wrapped(plain(message), '  ', width),
    ...evidence.slice(0, mostEvidence).map((it) => `    ${brush.dim('seen')}  ${evidenceText(it)}`),
    ...(more > 0 ? [`    ${brush.dim(`and ${more} more: -o json has all evidence`)}`] : []),
    ...(remedy === undefined ? [] : remedyLines(remedy, brush)),
  ]
}

/** Never wrapped: it is there to be pasted. */
const remedyLines = (remedy: string, brush: Paint): string[] =>
  (remedy === '' ? [] : plainLines(remedy)).map((line, at) =>
    at === 0 ? `    ${brush.bold('do')}    ${line}` : `          ${line}`,
  )

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
