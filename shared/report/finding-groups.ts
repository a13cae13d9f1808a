import type { Finding } from '../domain/report.ts'
import { severities } from './wording.ts'

/** The same finding about many subjects, told once. */
export interface FindingGroup {
  finding: Finding
  /** In the order found; the first is the finding's own. */
  subjects: string[]
}

/** What a person must decide before anything else comes first, then critical; otherwise the order of the report, which is by importance. */
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

const isHalt = ({ code }: Finding): boolean => code === 'ROLLOUT_HALTED'

/** A message that only differs by the name of its subject says the same. */
const sameness = ({ code, severity, subject, message }: Finding): string => {
  const name = subject.slice(subject.lastIndexOf('/') + 1)
  return JSON.stringify([code, severity, subject.split('/')[0], name === '' ? message : message.replaceAll(name, '')])
}
