import type { Severity, Verdict } from '../report.ts'

/** The kind of a notice: subscribers can filter by it, and it decides what a digest may contain. */
export type NoticeKind =
  | 'trouble'
  | 'halted'
  | 'progress'
  | 'in-step'
  | 'switched'
  /** The clusters of an account and region cannot be listed. */
  | 'unlisted'
  | 'listed-again'
  /** A cluster was deleted. */
  | 'gone'
  | 'digest'
  | 'test'

/** A message to people as it is stored and sent. */
export interface OutgoingNotice {
  /** Shortened to 100 ASCII characters for SNS, which rejects more. */
  subject: string
  text: string
  /** For subscribers' filter policies. A digest has several values. */
  attributes: {
    severity: Severity | Severity[]
    cluster: string | string[]
    account?: string | string[]
    region?: string | string[]
    verdict?: Verdict
    kind?: NoticeKind
    /** `KEY=VALUE` of the cluster's tags that a route uses. */
    tag?: string[]
    /**
     * The id of a notice: if the sender died before it recorded the sending, the notice is sent again with the same
     * id.
     */
    notice?: string
  }
  about?: NoticeAbout
}

export interface NoticeAbout {
  /** The id of an incident: all notices of one problem of one cluster, from the first to "in step again". */
  incident?: string
  /** RFC 3339: when the problem was first seen. */
  since?: string
  /** RFC 3339: the time of the described state. */
  at?: string
  /** Codes of findings, or the verdict: a digest groups by them. */
  causes?: string[]
}
