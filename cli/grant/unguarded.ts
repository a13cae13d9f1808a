import { groups } from '../../shared/domain/grant/groups.ts'
import { idOf, type Manifest } from '../../shared/domain/grant/objects.ts'
import { type Act, isWrite, objectName, whatOf } from './row.ts'

/**
 * The same act, or why it is left: where a part of the guard is missing, nobody gets access who may change the cluster.
 * The guard's objects come first, so `before` has those that are there.
 */
export const unlessUnguarded = (act: Act, before: readonly Act[], manifests: readonly Manifest[]): Act => {
  if (!isWrite(act) || !letsChange(act)) return act
  const there = new Set(before.flatMap((it) => (it.on === 'object' ? objectName(it) : [])))
  const missing = manifests.filter(isOfGuard).find((it) => !there.has(objectName(idOf(it))))
  if (missing === undefined) return act
  return {
    on: 'trouble',
    act: 'left',
    what: whatOf(act),
    why: `${objectName(idOf(missing))} is not as it must be, and without the guard this would give more access than a rollout needs: run this again when the guard is there`,
  }
}

const isOfGuard = ({ kind }: Manifest): boolean => kind.startsWith('ValidatingAdmissionPolicy')

/** Binds the operators' group, or puts a role into it. */
const letsChange = (act: Act): boolean =>
  (act.on === 'object' && act.name === groups.operators) ||
  (act.on === 'entry' && 'groups' in act && act.groups.includes(groups.operators))
