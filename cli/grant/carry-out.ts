import { isDeepStrictEqual } from 'node:util'
import type { EntryAct } from '../../shared/domain/grant/entries.ts'
import { madeKey } from '../../shared/domain/grant/groups.ts'
import { idOf, type ObjectAct } from '../../shared/domain/grant/objects.ts'
import type { ReadFailure } from '../../shared/domain/read.ts'
import { entryAct, entryRemoval, type Opened, type Wish } from './plan.ts'
import { objectAct } from './objects.ts'
import { type Act, isWrite, type Row, whatOf } from './row.ts'
import { otherCluster, troubleOf } from './trouble.ts'
import { unlessUnguarded } from './unguarded.ts'

/**
 * Writes one object after the other; a failure does not stop the others, and a second run does the rest. Without the guard,
 * whose objects come first, nobody may change the cluster.
 */
export const carryOut = async (opened: Opened, { place, acts }: Row, wish: Wish, doing: (act: Act) => void) => {
  if (!acts.some(isWrite)) return { place, acts }
  const moved = await movedOn(opened)
  if (moved) return { place, acts: [moved] }
  const done: Act[] = []
  for (const shown of acts) {
    const act = wish.remove ? shown : unlessUnguarded(shown, done, wish.manifests)
    if (isWrite(act)) doing(act)
    done.push(isWrite(act) ? await carriedOut(opened, act, wish) : act)
  }
  return { place, acts: done }
}

/** The user may have taken an hour to answer: the cluster must still be the same one. */
const movedOn = async ({ access, eks, name, place }: Opened): Promise<Act | undefined> => {
  const now = await access.eks.describe(name)
  if ('failure' in now) return troubleOf(now.failure, { place, what: name })
  const isSame =
    now.value?.state.arn === eks.state.arn &&
    now.value.state.createdAt === eks.state.createdAt &&
    now.value.endpoint?.server === eks.endpoint?.server &&
    now.value.authenticationMode === eks.authenticationMode
  return isSame ? undefined : otherCluster(place, now.value?.state.arn ?? 'none')
}

const carriedOut = async (opened: Opened, act: Act, wish: Wish): Promise<Act> => {
  switch (act.on) {
    case 'entry':
      return carriedOutEntry(opened, act, wish)
    case 'object':
      return carriedOutObject(opened, act, wish)
    case 'trouble':
      return act
  }
}

const carriedOutEntry = async (opened: Opened, act: EntryAct, { remove }: Wish): Promise<Act> => {
  const { wanted, place } = opened
  const one = wanted.find(({ principalArn }) => principalArn === act.principalArn)
  // EKS has no conditional delete or update: the entry is read again immediately before the write.
  const now = await (remove ? entryRemoval(opened, act.principalArn) : one && entryAct(opened, one))
  if (now?.act === 'failed') return now
  if (!isDeepStrictEqual(now, act)) return changedMeanwhile(act)
  const failure = await firstFailure(writesFor(opened, act))
  return failure ? troubleOf(failure, { place, what: whatOf(act) }) : act
}

type Write = () => Promise<ReadFailure | undefined>

const firstFailure = async (writes: readonly Write[]): Promise<ReadFailure | undefined> => {
  for (const write of writes) {
    const failure = await write()
    if (failure) return failure
  }
  return undefined
}

/** The tag comes first: after an interruption, no entry exists that is not recognizable as ours. */
const writesFor = ({ entries, name }: Opened, act: EntryAct): Write[] => {
  const { principalArn } = act
  switch (act.act) {
    case 'create':
      return [() => entries.create(name, { principalArn, groups: act.groups, tags: { [madeKey]: 'created' } })]
    case 'change': {
      const { mark } = act
      const marking = mark === undefined ? [] : [() => entries.tag(act.arn, { [madeKey]: mark })]
      return [...marking, () => entries.setGroups(name, { principalArn, groups: act.groups })]
    }
    case 'delete':
      return [() => entries.remove(name, principalArn)]
    case 'keep':
    case 'leave':
      return []
  }
}

const changedMeanwhile = (act: Act): Act => ({
  on: 'trouble',
  act: 'left',
  what: whatOf(act),
  why: 'it has changed since it was shown, and was not touched: run this again',
})

const carriedOutObject = async ({ kube, place }: Opened, act: ObjectAct, wish: Wish): Promise<Act> => {
  const manifest = wish.manifests.find((it) => whatOf({ ...idOf(it), act: 'keep' }) === whatOf(act))
  if (!kube || !manifest) return changedMeanwhile(act)
  if (act.act === 'delete') {
    const failure = await kube.remove(manifest, act)
    if (failure?.status === 409) return changedMeanwhile(act)
    return failure ? troubleOf(failure, { place, what: whatOf(act) }) : act
  }
  const now = await objectAct(kube, manifest, place, wish)
  if (now.act !== act.act) return now.on === 'trouble' ? now : changedMeanwhile(act)
  const applied = await kube.apply(manifest, { dryRun: false })
  if ('failure' in applied) return troubleOf(applied.failure, { place, what: whatOf(act), ...wish })
  return 'stored' in applied ? act : changedMeanwhile(act)
}
