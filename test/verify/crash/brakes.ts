import type { BrakePosition } from '../../../shared/domain/policy/policy.ts'
import type { Clock } from './clock.ts'
import type { Verdict } from './judge.ts'
import type { Effect } from './life.ts'
import type { Outcome } from './run.ts'

/** A brake that somebody sets while an effect takes place, and releases twelve minutes after it was first heeded. */
export interface TimedBrake {
  read: (effects: Effect[]) => BrakePosition
  position: BrakePosition
  /** The effect at which it was set. */
  at: number
  /** How many effects there had been when it was seen released. */
  released: () => number | undefined
}

/** Longer than a Lease that nobody renews is waited for. */
const held = 720_000

export const brakeAt = (at: number, position: BrakePosition, clock: Clock): TimedBrake => {
  let [since, released]: [number | undefined, number | undefined] = [undefined, undefined]
  return {
    at,
    position,
    released: () => released,
    read: (effects) => {
      if (effects.length <= at) return { most: 'sync' }
      since ??= clock.now().getTime()
      if (clock.now().getTime() - since < held) return position
      released ??= effects.length
      return { most: 'sync' }
    },
  }
}

/** Beyond what any rollout must do: nothing is written while the brake is set, and people hear of it once. */
export const judgeBrake = (usual: Verdict, { crashing, published }: Outcome, brake: TimedBrake): Verdict => {
  const { at, position, released } = brake
  const { effects } = crashing
  const meanwhile = effects.slice(at + 1, released())
  const isNote = effects[at]?.what === 'kube putLease' && meanwhile[0]?.what === 'kube putLease'
  // The step in flight takes back the note of a write that it does not make.
  const written = meanwhile.slice(isNote ? 1 : 0).filter(({ what }) => what.startsWith('kube '))
  const failures = written.map(({ what }) => `written while the brake was set: ${what}`)
  const told = published.filter(({ subject }) => subject.includes(`to ${position.most} by the brake`)).length
  if (told > 1) failures.push(`people heard ${told} times that the brake stopped the rollout`)
  return { ...usual, failures: [...usual.failures, ...failures] }
}
