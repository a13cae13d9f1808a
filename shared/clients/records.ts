import type { Report } from '../domain/report.ts'

/** What is remembered between looks: the last assessment per cluster, and what people were told. Keys: `clusterKey`. */
export interface Records {
  last(cluster: string): Promise<Remembered | undefined>
  /** `false`: a later look (by `report.observedAt`) is stored already. */
  put(cluster: string, remembered: Remembered): Promise<boolean>
  /** The cluster is gone: everything about it goes too. */
  remove(cluster: string): Promise<void>
  /**
   * Whoever claims first tells. `claimed`: tell now, then `confirm` · `told`: people know · `busy`: somebody else
   * claimed it in the last five minutes; look again later. Claims expire by TTL.
   */
  claim(notice: NoticeKey, now: string): Promise<'claimed' | 'told' | 'busy'>
  confirm(notice: NoticeKey, now: string): Promise<void>
}

export interface Remembered {
  report: Report
  /** The news people were told last (`newsOf`); empty: all is well. */
  told: string
}

export interface NoticeKey {
  cluster: string
  /** What makes it the same notice: derived from what is said, never from when. */
  hash: string
}
