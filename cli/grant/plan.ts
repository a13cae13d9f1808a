import { type AccessEntries, accessEntries } from '../../shared/clients/aws/access-entries.ts'
import type { EksCluster } from '../../shared/clients/aws/eks.ts'
import { kubeHttp } from '../../shared/clients/kube/http.ts'
import { type Manifests, manifests } from '../../shared/clients/kube/manifests.ts'
import { takingTurns } from '../../shared/clients/concurrency.ts'
import { partsOf } from '../../shared/domain/identity.ts'
import type { ClusterAddress } from '../../shared/domain/findings/remedy.ts'
import { type EntryAct, entryFor, entryWithout, type WantedEntry } from '../../shared/domain/grant/entries.ts'
import { groups, usualRoles } from '../../shared/domain/grant/groups.ts'
import type { Manifest } from '../../shared/domain/grant/objects.ts'
import { valueOf } from '../../shared/domain/read.ts'
import type { GrantOptions } from './grant.ts'
import { objectAct, objectRemoval } from './objects.ts'
import { type Act, entryName, type Row } from './row.ts'
import type { GrantTarget } from './targets.ts'
import { inOldMode, noEndpoint, otherCluster, troubleOf, unknownCluster } from './trouble.ts'
import { requestLimits } from '../target/request-limits.ts'
import { unlessUnguarded } from './unguarded.ts'

/** A cluster that EKS described, and its clients for access entries and RBAC. */
export interface Opened extends Pick<GrantTarget, 'access' | 'name'> {
  place: ClusterAddress
  eks: EksCluster
  entries: AccessEntries
  /** Absent: its API server cannot be reached. */
  kube?: Manifests
  wanted: WantedEntry[]
  close: () => void
}

export type Wish = Pick<GrantOptions, 'viewerRole' | 'operatorRole' | 'changes' | 'remove'> & {
  manifests: readonly Manifest[]
}

/** Calls EKS; the described cluster must be the named one, and the connection is made to it. */
export const open = async ({ name, region, role, access }: GrantTarget, wish: Wish): Promise<Opened | Row> => {
  const place: ClusterAddress = { cluster: { name, region }, ...(role !== undefined && { reachedBy: { role } }) }
  const described = await access.eks.describe(name)
  if ('failure' in described) return { place, acts: [troubleOf(described.failure, { place, what: name })] }
  if (!described.value) return { place, acts: [unknownCluster(place)] }
  const eks = described.value
  const parts = partsOf(eks.state.arn)
  const ofRole = role?.split(':')[4]
  if (parts?.name !== name || parts.region !== region || (ofRole !== undefined && parts.account !== ofRole))
    return { place, acts: [otherCluster(place, eks.state.arn)] }
  const known: ClusterAddress = { ...place, cluster: { name, region, account: parts.account, arn: eks.state.arn } }
  const http = eks.endpoint && kubeHttp(access.connection(eks.endpoint), requestLimits)
  return {
    name,
    access,
    place: known,
    eks,
    entries: accessEntries(access.sdk),
    wanted: wantedIn(eks.state.arn, wish),
    ...(http && { kube: manifests(http) }),
    close: () => http?.close(),
  }
}

/** Roles of the cluster's own account and partition, if none are given. */
const wantedIn = (arn: string, { viewerRole, operatorRole, changes, remove }: Wish): WantedEntry[] => {
  const [, partition = 'aws', , , account = ''] = arn.split(':')
  const usual = (name: string) => `arn:${partition}:iam::${account}:role/${name}`
  const viewer = { principalArn: viewerRole ?? usual(usualRoles.viewer), group: groups.viewers }
  const operator = { principalArn: operatorRole ?? usual(usualRoles.operator), group: groups.operators }
  return changes || remove ? [viewer, operator] : [viewer]
}

/** The changes, in order: first the guard, then RBAC, then the access entries. */
export const rowFor = async (opened: Opened, wish: Wish): Promise<Row> => {
  const { place, eks, wanted } = opened
  if (eks.authenticationMode === 'CONFIG_MAP') return { place, acts: [inOldMode(place, wanted, wish)] }
  const [objects, entries] = await Promise.all([objectActs(opened, wish), entryActs(opened, wish)])
  if (wish.remove) return { place, acts: [...entries, ...objects] }
  const acts = [...objects, ...entries]
  return { place, acts: acts.map((act, at) => unlessUnguarded(act, acts.slice(0, at), wish.manifests)) }
}

const entryActs = async (opened: Opened, { remove }: Wish): Promise<Act[]> =>
  remove ? entriesMade(opened) : Promise.all(opened.wanted.map((it) => entryAct(opened, it)))

export const entryAct = async ({ entries, name, place }: Opened, wanted: WantedEntry): Promise<Act> => {
  const there = await entries.describe(name, wanted.principalArn)
  if ('failure' in there) return troubleOf(there.failure, { place, what: entryName(wanted.principalArn) })
  return entryFor(wanted, there.value)
}

const atOnce = 8

/** Reads every access entry of the cluster: entries for the roles of an earlier deployment are ours as well. */
const entriesMade = async (opened: Opened): Promise<Act[]> => {
  const listed = await opened.entries.list(opened.name)
  if ('failure' in listed) return [troubleOf(listed.failure, { place: opened.place, what: 'access entries' })]
  const turns = takingTurns(atOnce)
  const acts = await Promise.all(listed.value.map((principal) => turns(() => entryRemoval(opened, principal))))
  return acts.filter((act) => act !== undefined)
}

export const entryRemoval = async (
  { entries, name, place }: Opened,
  principalArn: string,
): Promise<Act | undefined> => {
  const there = await entries.describe(name, principalArn)
  if ('failure' in there) return troubleOf(there.failure, { place, what: entryName(principalArn) })
  if (!there.value) return undefined
  const kept: EntryAct | undefined = entryWithout(there.value, { policies: undefined })
  // Other groups and policies of the entry matter only if it would be deleted.
  if (kept?.act !== 'change' || kept.groups.length > 0) return kept
  return entryWithout(there.value, { policies: valueOf(await entries.policies(name, principalArn)) })
}

const objectActs = async ({ kube, place, eks }: Opened, wish: Wish): Promise<Act[]> => {
  if (!kube) return [noEndpoint(place, eks.state.status)]
  const { manifests: all, remove } = wish
  const [first, ...rest] = all
  if (!first) return []
  const act = (manifest: Manifest) => (remove ? objectRemoval : objectAct)(kube, manifest, place, wish)
  // If the first request is not answered, the others are not either: one message is enough.
  const one = await act(first)
  if (one?.act === 'failed' && one.isOfAll) return [{ ...one, what: 'RBAC and guard' }]
  const turns = takingTurns(atOnce)
  const others = await Promise.all(rest.map((manifest) => turns(() => act(manifest))))
  return [one, ...others].filter((it) => it !== undefined)
}
