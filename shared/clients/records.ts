import type { Report } from '../domain/report.ts'

/** What is remembered between looks: the last assessment per cluster, and what people were told. Keys: `clusterKey`. */
export interface Records {
  lastReport: (cluster: string) => Promise<Report | undefined>
  /** `false`: a later look (by `observedAt`) is stored already. */
  putReport: (cluster: string, report: Report) => Promise<boolean>
  /**
   * Whoever claims first tells. `claimed`: tell now, then `confirm` · `told`: people know · `busy`: somebody else
   * claimed it in the last five minutes; look again later.
   */
  claim: (notice: NoticeKey, now: string) => Promise<'claimed' | 'told' | 'busy'>
  confirm: (notice: NoticeKey, now: string) => Promise<void>
  /** Forgets that it was told, so that the same thing is told again when it comes back. */
  forget: (notice: NoticeKey) => Promise<void>
}

export interface NoticeKey {
  cluster: string
  /** What makes it the same notice: derived from what is said, never from when. */
  hash: string
}
