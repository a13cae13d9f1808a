import type { Severity } from '../report.ts'
import type { Held } from './gather.ts'
import { byTime, causesOf } from './gather.ts'
import type { OutgoingNotice } from './outgoing.ts'
import { severityOf } from './slack-form.ts'

/** The maximum number of clusters that one line names; the others are counted. */
const namedAtMost = 30
/** The maximum number of lines for accounts and regions in one group. */
const placesAtMost = 40

const isProgress = ({ notice }: Held): boolean => notice.attributes.kind === 'progress'

/**
 * One notice instead of many: the causes, the number of clusters, their accounts and regions, and who acts. Progress is not for everybody, so it is left
 * out where there is anything else; a digest of progress alone is of that kind, and reaches only who wants it.
 */
export const digestOf = (all: readonly Held[], at: string): OutgoingNotice => {
  const isOnlyProgress = all.every(isProgress)
  const members = isOnlyProgress ? all : all.filter((it) => !isProgress(it))
  const clusters = new Set(members.map(({ cluster }) => cluster))
  const severity = severitiesOf(members)
  const groups = groupsOf(latestOf(members))
  const [greatest] = groups
  const more = groups.length > 1 ? `, ${groups.length - 1} more` : ''
  const first = members.map((it) => it.at).toSorted()[0] ?? at
  return {
    subject: `[${severity[0] ?? 'info'}] ${clusters.size} clusters (${placesText(members)}): ${greatest?.members.length ?? 0} ${isOnlyProgress ? 'rollouts proceed' : (greatest?.cause ?? '')}${more}`,
    text: [
      `${clusters.size} clusters changed between ${first} and ${at}; this is one notice instead of ${members.length}.`,
      ...groups.map(groupText),
      isOnlyProgress
        ? 'calico-ipvs-sync proceeds node by node; nobody has to act.'
        : 'What to do:\n1. Look for a common cause (a network, a role, a release) before you check each cluster.\n2. For each cluster: calico-ipvs-sync check --cluster NAME --region REGION',
      `As of ${at}.`,
    ].join('\n\n'),
    attributes: { severity, kind: isOnlyProgress ? 'progress' : 'digest', ...valuesOf(members) },
    about: { at, since: first, causes: [...new Set(members.flatMap(({ notice }) => causesOf(notice)))] },
  }
}

/** The last notice of each cluster. */
const latestOf = (members: readonly Held[]): Held[] => {
  const latest = new Map<string, Held>()
  for (const it of members.toSorted(byTime)) latest.set(it.cluster, it)
  return [...latest.values()]
}

const order: Severity[] = ['critical', 'warning', 'info']

const severitiesOf = (members: readonly Held[]): Severity[] => {
  const there = new Set(members.map(({ notice }) => severityOf(notice)))
  return order.filter((it) => there.has(it))
}

interface Group {
  cause: string
  /** Who acts, from the first line of each notice. */
  says: string
  members: Held[]
}

/** Groups of equal notices. The most severe first, then the largest. */
const groupsOf = (members: readonly Held[]): Group[] => {
  const groups = new Map<string, Group>()
  for (const it of members) {
    const cause = isProgress(it) ? 'rollout' : causesOf(it.notice).join(', ')
    const says = saysOf(it.notice)
    const key = `${cause}\n${says}`
    groups.set(key, { cause, says, members: [...(groups.get(key)?.members ?? []), it] })
  }
  const rank = ({ members: [first] }: Group) => (first ? order.indexOf(severityOf(first.notice)) : order.length)
  return [...groups.values()].toSorted((a, b) => rank(a) - rank(b) || b.members.length - a.members.length)
}

/** The first line without the cluster. The duration in a notice about an end differs for each cluster. */
const saysOf = ({ text, attributes: { kind } }: OutgoingNotice): string => {
  if (kind === 'in-step') return 'Calico is in step with kube-proxy again. Nobody has to act.'
  const line = text.split('\n', 1)[0] ?? ''
  return line.includes(': ') ? line.slice(line.indexOf(': ') + 2) : line
}

const groupText = ({ cause, says, members }: Group): string => {
  const places = new Map<string, string[]>()
  for (const { cluster } of members) {
    const [account = '', region = '', name = cluster] = cluster.split('/')
    const place = `${account} ${region}`.trim()
    places.set(place, [...(places.get(place) ?? []), name])
  }
  const lines = [...places]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([place, names]) => `  ${place}: ${listOf(names)}`)
  const rest = lines.length > placesAtMost ? [`  and ${lines.length - placesAtMost} more accounts and regions`] : []
  return [`${members.length} × ${cause}: ${says}`, ...lines.slice(0, placesAtMost), ...rest].join('\n')
}

const listOf = (names: string[]): string => {
  const distinct = [...new Set(names)].toSorted()
  const rest = distinct.length - namedAtMost
  return `${distinct.slice(0, namedAtMost).join(', ')}${rest > 0 ? ` and ${rest} more` : ''}`
}

const placesText = (members: readonly Held[]): string => {
  const { account, region } = valuesOf(members)
  const of = (values: string[], one: string) => (values.length === 1 ? values[0] : `${values.length} ${one}s`)
  return `${of(account, 'account')}, ${of(region, 'region')}`
}

/** SNS compares each value of a list: a subscriber to any of them receives the digest. */
const valuesOf = (members: readonly Held[]) => {
  const all = (values: (string | string[] | undefined)[]): string[] => [...new Set(values.flatMap((it) => it ?? []))]
  const attributes = members.map(({ notice }) => notice.attributes)
  const tag = all(attributes.map((it) => it.tag))
  return {
    cluster: all(attributes.map((it) => it.cluster)),
    account: all(attributes.map((it) => it.account)),
    region: all(attributes.map((it) => it.region)),
    ...(tag.length > 0 && { tag }),
  }
}
