import { consoleHost } from '../partitions.ts'
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

/**
 * Links of a notice: the runbook's section, and the cluster in the AWS console. They contain no foreign text except
 * names that AWS accepts. `runbook`: the page's URL, without an anchor.
 */
export const linksOf = ({ attributes }: OutgoingNotice, runbook: string | undefined): Link[] => {
  const { kind = 'trouble', verdict, cluster, region } = attributes
  const section = sectionOf(kind, verdict === 'unknown')
  const isThere = kind !== 'gone'
  const console =
    isThere && typeof cluster === 'string' && typeof region === 'string' ? consoleOf(cluster, region) : undefined
  return [
    ...(section && runbook ? [{ label: 'Runbook', url: `${runbook}#${section}` }] : []),
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

/** The text with its links at the end, one on each line. */
export const withLinks = (text: string, links: readonly Link[]): string =>
  links.length === 0 ? text : `${text}\n\n${links.map(({ label, url }) => `${label}: ${url}`).join('\n')}`
