import { counted } from '../counted.ts'
import type { Severity } from '../report.ts'
import type { HeldNotice } from './gather.ts'
import { byTime, causesOf } from './gather.ts'
import type { NoticeKind, OutgoingNotice } from './outgoing.ts'
import { severityOf } from './slack-form.ts'

/** The maximum number of clusters that one line names; the others are counted. */
const namedAtMost = 30
/** The maximum number of lines of one group. */
const linesAtMost = 40
/** The maximum number of groups; their number is bounded only by that of the notices. */
const groupsAtMost = 15
/**
 * In characters: for the first line of a group, and for the other lines of all groups together. The table stores 400 KB
 * in an item, and SNS accepts 256 KiB with the names of a thousand clusters as an attribute and the text twice.
 */
const charactersAtMost = { head: 400, lines: 8_000 }

const kindOf = ({ notice }: HeldNotice): NoticeKind => notice.attributes.kind ?? 'trouble'
const isProgress = (it: HeldNotice): boolean => kindOf(it) === 'progress'

/**
 * One notice instead of many: the causes, the number of clusters, their accounts and regions, and who acts. Progress is not for everybody, so it is left
 * out where there is anything else; a digest of progress alone is of that kind, and reaches only who wants it. `left`:
 * the number of notices that the next digest has.
 */
export const digestOf = (all: readonly HeldNotice[], at: string, left = 0): OutgoingNotice => {
  const isOnlyProgress = all.every(isProgress)
  const members = isOnlyProgress ? all : all.filter((it) => !isProgress(it))
  const severity = severitiesOf(members)
  const groups = groupsOf(latestOf(members))
  const [greatest] = groups
  const more = groups.length > 1 ? `, ${groups.length - 1} more` : ''
  const first = members.map((it) => it.at).toSorted()[0] ?? at
  const rest = left > 0 ? ` Another one follows, instead of ${left} more.` : ''
  return {
    subject: `[${severity[0] ?? 'info'}] ${headOf(members)}: ${greatest?.members.length ?? 0} ${isOnlyProgress ? 'rollouts proceed' : (greatest?.cause ?? '')}${more}`,
    text: [
      `${countOf(members)}: news from ${first} to ${at}. This is one notice instead of ${members.length}.${rest}`,
      ...groupTexts(groups),
      isOnlyProgress ? 'calico-ipvs-sync proceeds node by node; nobody has to act.' : stepsFor(members),
      `As of ${at}.`,
    ]
      .filter(Boolean)
      .join('\n\n'),
    attributes: { severity, kind: isOnlyProgress ? 'progress' : 'digest', ...valuesOf(members) },
    about: { at, since: first, causes: [...new Set(members.flatMap(({ notice }) => causesOf(notice)))] },
  }
}

/** Only of what is wrong: the first lines of all other notices say that nobody has to act. */
const stepsFor = (members: readonly HeldNotice[]): string | undefined => {
  const kinds = new Set(members.map(kindOf))
  const steps = [
    'Look for a common cause (a network, a role, a release) before you check each of them.',
    ...(kinds.has('trouble') ? ['For each cluster: calico-ipvs-sync check --cluster NAME --region REGION'] : []),
    ...(kinds.has('unlisted')
      ? ['For each account and region: see what the log of list-clusters says (`cannot be listed`).']
      : []),
  ]
  return steps.length > 1
    ? ['What to do:', ...steps.map((step, index) => `${index + 1}. ${step}`)].join('\n')
    : undefined
}

/** The parts of a key: account, region and name of a cluster; account and region; or the whole deployment. */
const partsOf = ({ cluster }: HeldNotice): string[] => cluster.split('/')
const isPlace = (it: HeldNotice): boolean => partsOf(it).length === 2

/** `300 clusters, 2 accounts and regions` */
const countOf = (members: readonly HeldNotice[]): string => {
  const distinct = [...new Map(members.map((it) => [it.cluster, it])).values()]
  const count = (parts: number) => distinct.filter((it) => partsOf(it).length === parts).length
  const [clusters, places] = [count(3), count(2)]
  const texts = [
    ...(clusters > 0 ? [counted(clusters, 'cluster')] : []),
    ...(places > 0 ? [counted(places, 'account and region', 'accounts and regions')] : []),
  ]
  return texts.length > 0 ? texts.join(', ') : 'all clusters'
}

/** The subject has room for either the number of accounts and regions, or for where the clusters are. */
const headOf = (members: readonly HeldNotice[]): string =>
  members.some(isPlace) ? countOf(members) : `${countOf(members)} (${placesText(members)})`

/**
 * The last notice of each cluster: of its state, and of its switch, which says nothing of its state. An earlier trouble that was
 * more severe than a later one is kept, because its causes count as told.
 */
const latestOf = (members: readonly HeldNotice[]): HeldNotice[] => {
  const latest = new Map<string, HeldNotice[]>()
  for (const it of members.toSorted(byTime)) {
    const kind = kindOf(it)
    const about = kind === 'switched' ? `${it.cluster} ${kind}` : it.cluster
    const isWorse = (before: HeldNotice) => rankOf(before) < rankOf(it) && !isSaidBy(it, before)
    const worse = kind === 'trouble' ? (latest.get(about) ?? []).filter(isWorse) : []
    latest.set(about, [...worse, it])
  }
  return [...latest.values()].flat()
}

const isSaidBy = (later: HeldNotice, before: HeldNotice): boolean =>
  causesOf(before.notice).every((cause) => causesOf(later.notice).includes(cause))

const order: Severity[] = ['critical', 'warning', 'info']
const rankOf = ({ notice }: HeldNotice): number => order.indexOf(severityOf(notice))

const severitiesOf = (members: readonly HeldNotice[]): Severity[] => {
  const there = new Set(members.map(({ notice }) => severityOf(notice)))
  return order.filter((it) => there.has(it))
}

interface Group {
  cause: string
  /** Who acts, from the first line of each notice. */
  says: string
  members: HeldNotice[]
}

/** Groups of equal notices. The most severe first, then the largest. */
const groupsOf = (members: readonly HeldNotice[]): Group[] => {
  const groups = new Map<string, Group>()
  for (const it of members) {
    const cause = isProgress(it) ? 'rollout' : causesOf(it.notice).join(', ')
    const says = saysOf(it.notice)
    const key = `${cause}\n${says}`
    groups.set(key, { cause, says, members: [...(groups.get(key)?.members ?? []), it] })
  }
  const rank = ({ members: some }: Group) => Math.min(...some.map(rankOf))
  return [...groups.values()].toSorted((a, b) => rank(a) - rank(b) || b.members.length - a.members.length)
}

/** The first line without the cluster. The duration in a notice about an end differs for each cluster. */
const saysOf = ({ text, attributes: { kind } }: OutgoingNotice): string => {
  if (kind === 'in-step') return 'Calico is in step with kube-proxy again. Nobody has to act.'
  const line = text.split('\n', 1)[0] ?? ''
  return line.includes(': ') ? line.slice(line.indexOf(': ') + 2) : line
}

const groupTexts = (groups: Group[]): string[] => {
  const shown = groups.slice(0, groupsAtMost)
  const room = Math.floor(charactersAtMost.lines / shown.length)
  const rest = groups.slice(groupsAtMost).reduce((sum, { members }) => sum + members.length, 0)
  return [...shown.map((group) => groupText(group, room)), ...(rest > 0 ? [`${rest} × other causes`] : [])]
}

/** Names that do not fit are counted. `room`: characters for the lines with names. */
const groupText = ({ cause, says, members }: Group, room: number): string => {
  const head = `${members.length} × ${cause}: ${says}`
  const lines: string[] = []
  let left = room
  const places = namesByPlace(members)
  for (const [place, names] of places.slice(0, linesAtMost)) {
    const whole = `  ${place}${names.length > 0 ? `: ${listOf(names)}` : ''}`
    const line = whole.length < left ? whole : `  ${place}: ${names.length} of them`
    if ((left -= line.length + 1) < 0) break
    lines.push(line)
  }
  const more = places.length - lines.length
  const rest =
    more > 0
      ? [
          `  and ${more} more ${more === 1 ? 'account' : 'accounts'}${members.every(isPlace) ? '' : more === 1 ? ' and region' : ' and regions'}`,
        ]
      : []
  return [head.slice(0, charactersAtMost.head), ...lines, ...rest].join('\n')
}

/** Clusters by account and region, regions by account. */
const namesByPlace = (members: readonly HeldNotice[]): [string, string[]][] => {
  const places = new Map<string, string[]>()
  for (const it of members) {
    const parts = partsOf(it)
    const place = parts.length === 1 ? 'all clusters' : parts.slice(0, -1).join(' ')
    const names = places.get(place) ?? []
    places.set(place, parts.length === 1 ? names : [...names, parts.at(-1) ?? ''])
  }
  return [...places].toSorted(([a], [b]) => (a < b ? -1 : 1))
}

const listOf = (names: string[]): string => {
  const distinct = [...new Set(names)].toSorted()
  const rest = distinct.length - namedAtMost
  return `${distinct.slice(0, namedAtMost).join(', ')}${rest > 0 ? ` and ${rest} more` : ''}`
}

const placesText = (members: readonly HeldNotice[]): string => {
  const { account, region } = valuesOf(members)
  const of = (values: string[], one: string) => (values.length === 1 ? values[0] : `${values.length} ${one}s`)
  return `${of(account, 'account')}, ${of(region, 'region')}`
}

/** SNS compares each value of a list: a subscriber to any of them receives the digest. */
const valuesOf = (members: readonly HeldNotice[]) => {
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
