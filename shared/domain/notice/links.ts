import { consoleHost } from '../partitions.ts'
import { latestReport } from '../report-pages.ts'
import type { NoticeKind, OutgoingNotice } from './outgoing.ts'

export interface Link {
  label: string
  url: string
}

/** Sections of docs/runbook.md that a notice links to; a test verifies that they exist. */
export const noticeSections = {
  trouble: 'cluster-out-of-step',
  unknown: 'clusters-unknown',
  halted: 'rollout-halted',
  unlisted: 'clusters-not-listed',
  digest: 'many-clusters-at-once',
} as const

/** Pages that notices link to. Absent: not linked to. */
export interface Pages {
  /** The runbook's URL, without an anchor. */
  runbook?: string | undefined
  /** The report of the fleet. */
  report?: string | undefined
}

/**
 * Links of a notice: the runbook's section, the report of the fleet, and the cluster in the AWS console. They contain no foreign
 * text except names that AWS accepts.
 */
export const linksOf = ({ attributes }: OutgoingNotice, { runbook, report }: Pages): Link[] => {
  const { kind = 'trouble', verdict, cluster, region } = attributes
  const section = sectionOf(kind, verdict === 'unknown')
  const isThere = kind !== 'gone'
  const console =
    isThere && typeof cluster === 'string' && typeof region === 'string' ? consoleOf(cluster, region) : undefined
  return [
    ...(section && runbook ? [{ label: 'Runbook', url: `${runbook}#${section}` }] : []),
    ...(section && report ? [{ label: 'Report of the fleet, daily', url: report }] : []),
    ...(console ? [{ label: 'Console', url: console }] : []),
  ]
}

const sectionOf = (kind: NoticeKind, isUnknown: boolean): string | undefined => {
  switch (kind) {
    case 'trouble':
      return isUnknown ? noticeSections.unknown : noticeSections.trouble
    case 'halted':
    case 'unlisted':
    case 'digest':
      return noticeSections[kind]
    case 'progress':
    case 'in-step':
    case 'switched':
    case 'listed-again':
    case 'gone':
    case 'test':
      return undefined
  }
}

/** `undefined`: not a valid AWS name, or no console is known there. */
const consoleOf = (cluster: string, region: string): string | undefined => {
  const host = consoleHost(region)
  if (host === undefined || !/^[0-9A-Za-z][\w-]{0,99}$/.test(cluster)) return undefined
  return `https://${host}/eks/clusters/${cluster}?region=${region}`
}

/** The daily report as the AWS console shows it to those who may read it. `undefined`: no console is known there. */
export const reportPage = (bucket: string, region: string): string | undefined => {
  const host = consoleHost(region)
  return host && `https://${host}/s3/object/${bucket}?region=${region}&prefix=${latestReport}`
}

/** The text with its links at the end, one on each line. */
export const withLinks = (text: string, links: readonly Link[]): string =>
  links.length === 0 ? text : `${text}\n\n${links.map(({ label, url }) => `${label}: ${url}`).join('\n')}`
