import { givesContext } from '../domain/findings/remedy.ts'
import type { Finding, FindingCode } from '../domain/report.ts'
import { severities } from './wording.ts'

/** The same finding about many subjects, shown once. */
export interface FindingGroup {
  finding: Finding
  /** In the order found; the first is the finding's own. */
  subjects: string[]
}

/**
 * Findings that a person must decide first come first, then critical ones; otherwise the order of the report, which
 * is by importance.
 */
export const groupFindings = (findings: readonly Finding[]): FindingGroup[] => {
  const groups = new Map<string, FindingGroup>()
  for (const finding of findings) {
    const key = sameness(finding)
    const group = groups.get(key)
    if (group) group.subjects.push(finding.subject)
    else groups.set(key, { finding, subjects: [finding.subject] })
  }
  return [...groups.values()].sort(
    (a, b) =>
      Number(isHalt(b.finding)) - Number(isHalt(a.finding)) ||
      severities.indexOf(a.finding.severity) - severities.indexOf(b.finding.severity),
  )
}

/** A reader learns no more from further groups of the same code; documents for programs have all. */
const mostOfOneCode = 8

/** `leftOut`: how many groups of a code are not shown. */
export const shownGroups = (
  groups: readonly FindingGroup[],
): { shown: FindingGroup[]; leftOut: { code: FindingCode; count: number }[] } => {
  const byCode = [...Map.groupBy(groups, ({ finding }) => finding.code)]
  const hidden = new Set(byCode.flatMap(([, all]) => all.slice(mostOfOneCode)))
  return {
    shown: groups.filter((group) => !hidden.has(group)),
    leftOut: byCode
      .map(([code, all]) => ({ code, count: all.length - mostOfOneCode }))
      .filter(({ count }) => count > 0),
  }
}

/** What a finding says to do: as an earlier one, or the text. */
export type ShownRemedy = { sameAs: FindingCode } | { text: string }

/**
 * For findings that are shown one below the other: a remedy is not repeated, nor is the command that gives kubectl its
 * context. A finding without a remedy has none here.
 */
export const shownRemedies = (findings: readonly Finding[]): ReadonlyMap<Finding, ShownRemedy> => {
  const [first, shown] = [new Map<string, FindingCode>(), new Map<Finding, ShownRemedy>()]
  let hasContext = false
  for (const finding of findings) {
    const { code, remedy = '' } = finding
    if (remedy === '') continue
    const sameAs = first.get(remedy)
    if (sameAs === undefined) first.set(remedy, code)
    const lines = remedy.split('\n')
    shown.set(
      finding,
      sameAs ? { sameAs } : { text: hasContext ? lines.filter((it) => !givesContext(it)).join('\n') : remedy },
    )
    hasContext ||= lines.some(givesContext)
  }
  return shown
}

/** In one line of text, or the remedy's own lines. */
export const remedyText = (shown: ShownRemedy): string =>
  'text' in shown ? shown.text : `as for ${shown.sameAs}, above`

const isHalt = ({ code }: Finding): boolean => code === 'ROLLOUT_HALTED'

/** Messages that differ only in the name of their subject are equal. */
const sameness = ({ code, severity, subject, message }: Finding): string => {
  const name = subject.slice(subject.lastIndexOf('/') + 1)
  return JSON.stringify([code, severity, subject.split('/')[0], name === '' ? message : message.replaceAll(name, '')])
}
