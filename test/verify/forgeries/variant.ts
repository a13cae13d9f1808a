import { answerKinds } from './forged-answers.ts'
import { type Forgery, type Kind, leaseKinds } from './forged-leases.ts'
import { markKinds } from './forged-marks.ts'
import { randomOf, type Random } from './random.ts'

/** `mid-rollout`: the deployed tool itself has begun, and its first override is written. */
export type Setting = 'in-step' | 'out-of-step' | 'mid-rollout'

export interface Variant {
  seed: number
  nth: number
  setting: Setting
  /** What the deployment may do in this cluster, by its tag. */
  action: 'sync' | 'report'
  /** Whether the admission policies are there too; the embedded server knows none. */
  guarded: boolean
  forgeries: Forgery[]
  what: string
}

/** All that can be forged where the cluster is a real one, and what only an embedded server can be made to answer. */
const kinds = {
  embedded: [leaseKinds, leaseKinds, markKinds, answerKinds],
  real: [leaseKinds, markKinds],
}

export const variantOf = (seed: number, nth: number, kind: keyof typeof kinds = 'embedded'): Variant => {
  const random = randomOf(seed, nth)
  const share = random.int(100)
  const setting: Setting = share < 55 ? 'in-step' : share < 80 ? 'out-of-step' : 'mid-rollout'
  const action = setting !== 'mid-rollout' && random.chance(0.15) ? 'report' : 'sync'
  const guarded = kind === 'real' && nth % 2 === 1
  const one = () => throwOf(random.pick(kinds[kind]), random)
  const forgeries = [one(), ...(random.chance(0.3) ? [one()] : [])].toSorted(
    (a, b) => Number(a.outside ?? false) - Number(b.outside ?? false),
  )
  return {
    seed,
    nth,
    setting,
    action,
    guarded,
    forgeries,
    what: `${setting}, ${action}${guarded ? ', guarded' : ''}: ${forgeries.map((it) => it.what).join(' + ')}`,
  }
}

const throwOf = (of: Kind[], random: Random): Forgery => random.pick(of)(random)
