import type { Severity, Verdict } from '../report.ts'

/** What sort of news a notice is: what a subscriber may filter by, and what may be gathered. */
export type NoticeKind = 'trouble' | 'halted' | 'progress' | 'in-step' | 'switched' | 'digest' | 'test'

/** A message to people as it is kept and sent. */
export interface OutgoingNotice {
  /** Cut to 100 characters of ASCII on its way to SNS, which refuses more. */
  subject: string
  text: string
  /** For subscribers' filter policies. Several values: of a digest. */
  attributes: {
    severity: Severity | Severity[]
    cluster: string | string[]
    account?: string | string[]
    region?: string | string[]
    verdict?: Verdict
    kind?: NoticeKind
    /** `KEY=VALUE` of the cluster's tags: those that a route asks for. */
    tag?: string[]
    /** The same for the same notice: where its sender died before it knew that it had gone out, it comes again. */
    notice?: string
  }
  about?: NoticeAbout
}

export interface NoticeAbout {
  /** The same for all notices of one trouble of one cluster, from the first to "in step again". */
  incident?: string
  /** RFC 3339: when the trouble was first seen. */
  since?: string
  /** RFC 3339: what it says was so at that time. */
  at?: string
  /** Codes of findings, or the verdict: what a digest counts by. */
  causes?: string[]
}
