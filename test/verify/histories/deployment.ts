import type { Action, Policy } from '../../../shared/domain/policy/policy.ts'
import type { Stage } from './stage.ts'

/** The settings, the brake and the alarm of the deployment, which people change in the middle. */
export interface Deployment {
  /** As a function reads them when it starts. */
  policy: () => Policy
  change: (to: Partial<Policy>) => void
  /** The settings that held at any time of the last so many milliseconds: who began then still goes by them. */
  within: (ms: number) => Policy[]
  /** Where the brake stands, and since when. */
  brake: { most: Action; since: number }
  /** Whether the alarm of `pauseOnAlarms` rings, and since when. */
  alarm: { rings: boolean; since: number }
}

export const deploymentOf = ({ schedule }: Stage, first: Policy): Deployment => {
  const settings = [{ policy: first, until: Infinity }]
  const last = () => settings.at(-1) ?? { policy: first, until: Infinity }
  return {
    policy: () => last().policy,
    change: (to) => {
      const policy = { ...last().policy, ...to }
      last().until = schedule.now()
      settings.push({ policy, until: Infinity })
    },
    within: (ms) => settings.filter(({ until }) => until > schedule.now() - ms).map(({ policy }) => policy),
    brake: { most: 'sync', since: schedule.now() },
    alarm: { rings: false, since: schedule.now() },
  }
}
