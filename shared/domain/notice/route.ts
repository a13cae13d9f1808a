import type { Severity } from '../report.ts'
import type { NoticeKind, OutgoingNotice } from './outgoing.ts'

/** The filter of a route: all given conditions must match, each with any of its values. Empty: every notice. */
export interface Route {
  severity?: readonly Severity[] | undefined
  account?: readonly string[] | undefined
  region?: readonly string[] | undefined
  /** Names; one star at the end matches any text. */
  cluster?: readonly string[] | undefined
  /** A tag of the cluster. Clusters whose tags could not be read match no tag. */
  tag?: readonly { key: string; value: string }[] | undefined
}

type Rule = string | { prefix: string } | { 'anything-but': string[] }

/**
 * A filter policy of SNS: names of message attributes. Without `progress`, notices about the progress of a rollout
 * are excluded.
 */
export type FilterPolicy = Record<string, Rule[]>

const patternOf = (text: string): Rule => (text.endsWith('*') ? { prefix: text.slice(0, -1) } : text)

/** Notices about the whole deployment (the brake) have `*` as cluster, and match routes without a cluster. */
export const filterPolicyOf = (
  { severity, account, region, cluster, tag }: Route,
  { progress }: { progress: boolean },
): FilterPolicy => {
  const rules: Record<string, Rule[] | undefined> = {
    severity: severity && [...severity],
    account: account && [...account],
    region: region && [...region],
    cluster: cluster?.map(patternOf),
    tag: tag?.map(tagText),
  }
  const given = Object.entries(rules).flatMap(([name, values]) => (values ? [[name, values] as const] : []))
  // SNS accepts five names at most; a route with all of them receives progress as well.
  const kind: FilterPolicy = progress || given.length > 4 ? {} : { kind: [{ 'anything-but': ['progress'] }] }
  return { ...Object.fromEntries(given), ...kind }
}

export const tagText = ({ key, value }: { key: string; value: string }): string => `${key}=${value}`

/**
 * The same filter as `filterPolicyOf`, for topics that the deployment does not own and to which it publishes itself.
 */
export const takes = (route: Route, { attributes }: OutgoingNotice, progress = false): boolean => {
  const rules = Object.entries(filterPolicyOf(route, { progress }))
  return rules.every(([name, wanted]) => wanted.some((rule) => valuesOf(attributes, name).some((it) => fits(rule, it))))
}

const valuesOf = (attributes: OutgoingNotice['attributes'], name: string): string[] => {
  const value = (attributes as Record<string, string | string[] | undefined>)[name]
  return value === undefined ? [] : typeof value === 'string' ? [value] : value
}

const fits = (rule: Rule, value: string): boolean => {
  if (typeof rule === 'string') return rule === value
  return 'prefix' in rule ? value.startsWith(rule.prefix) : !rule['anything-but'].includes(value)
}

/** The limits of SNS for one filter policy. */
export const policyBounds = { names: 5, combinations: 150 }

export const combinationsOf = (policy: FilterPolicy): number =>
  Object.values(policy).reduce((product, { length }) => product * length, 1)

/** Only tags that a route uses are sent. */
export const withTagsOf = (notice: OutgoingNotice, wanted: ReadonlySet<string>): OutgoingNotice => {
  const { tag = [], ...attributes } = notice.attributes
  const kept = tag.filter((it) => wanted.has(it))
  return { ...notice, attributes: { ...attributes, ...(kept.length > 0 && { tag: kept }) } }
}

export const isUrgent = (kind: NoticeKind | undefined): boolean => kind === 'halted' || kind === 'test'
