import { groups } from '../../shared/domain/grant/groups.ts'
import { type Act, isWrite, type Trouble, whatOf } from './row.ts'

/**
 * The same act, or why it is left: where a part of the guard is missing, nobody is let in who may change the cluster. The
 * guard's objects come first, so `before` has them.
 */
export const unlessUnguarded = (act: Act, before: readonly Act[]): Act => {
  const missing = before.filter(isTrouble).find(({ what }) => what.startsWith('ValidatingAdmissionPolicy'))
  if (missing === undefined || !isWrite(act) || !letsChange(act)) return act
  return {
    on: 'trouble',
    act: 'left',
    what: whatOf(act),
    why: `${missing.what} is not as it must be, and without the guard this would give more access than a rollout needs: run this again when the guard is there`,
  }
}

const isTrouble = (act: Act): act is Trouble => act.on === 'trouble'

/** Binds the operators' group, or puts a role into it. */
const letsChange = (act: Act): boolean =>
  (act.on === 'object' && act.name === groups.operators) ||
  (act.on === 'entry' && 'groups' in act && act.groups.includes(groups.operators))
