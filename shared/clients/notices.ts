import type { Severity, Verdict } from '../domain/report.ts'

export interface Notices {
  publish: (notice: OutgoingNotice) => Promise<void>
}

/** A message to people as the topic takes it. */
export interface OutgoingNotice {
  /** Cut to 100 characters, ASCII: SNS refuses more. */
  subject: string
  text: string
  /** For subscribers' filter policies. */
  attributes: { severity: Severity; cluster: string; account?: string; region?: string; verdict?: Verdict }
}
