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

/** By finding: the code of an earlier one with the same remedy, which is not said twice. `findings`: as they are shown, one below the other. */
export const remedySharedWith = (findings: readonly Finding[]): ReadonlyMap<Finding, FindingCode> => {
  const [first, shared] = [new Map<string, FindingCode>(), new Map<Finding, FindingCode>()]
  for (const finding of findings) {
    const { code, remedy = '' } = finding
    const earlier = first.get(remedy)
    if (earlier !== undefined) shared.set(finding, earlier)
    else if (remedy !== '') first.set(remedy, code)
  }
  return shared
}

const isHalt = ({ code }: Finding): boolean => code === 'ROLLOUT_HALTED'

/** Messages that differ only in the name of their subject are equal. */
const sameness = ({ code, severity, subject, message }: Finding): string => {
  const name = subject.slice(subject.lastIndexOf('/') + 1)
  return JSON.stringify([code, severity, subject.split('/')[0], name === '' ? message : message.replaceAll(name, '')])
}
