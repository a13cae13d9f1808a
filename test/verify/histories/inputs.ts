import type { GatherRules } from '../../../shared/domain/notice/gather.ts'
import type { Route } from '../../../shared/domain/notice/route.ts'
import type { Place } from '../../../shared/domain/places.ts'
import { type Policy, policyWith } from '../../../shared/domain/policy/policy.ts'
import { beginning, type Stage } from './stage.ts'

/** The deployment's own place, and a spoke. */
export const places: [Place, Place] = [
  { account: '111122223333', region: 'eu-central-1' },
  { account: '444455556666', region: 'eu-central-1' },
]

export const queueNames: [string, ...string[]] = ['evaluations', 'steps.fifo', 'tellings', 'places']

const timezone = 'UTC'
const digest = { moreThan: 2, settleSeconds: 60, atMostMinutes: 15, dailyAt: '08:00', timezone }

export const rulesOf = ({ random }: Stage): GatherRules => (random.chance(0.5) ? { digest } : {})

/** What a topic outside the deployment receives. */
export const routesOf = ({ random }: Stage): { route: Route; progress: boolean }[] =>
  random.pick<{ route: Route; progress: boolean }[]>([
    [],
    [{ route: { tag: [{ key: 'team', value: 'shop' }] }, progress: true }],
    [{ route: { severity: ['critical'], cluster: ['c*'] }, progress: false }],
  ])

/** Open when the history begins, and closed for an hour or two at times. */
const windows = [
  { from: '09:00', to: '10:50', timezone },
  { from: '11:20', to: '13:30', timezone },
  { from: '15:00', to: '08:00', timezone },
]

const minute = 60_000

/** The settings with which the deployment begins. */
export const policyOf = ({ random }: Stage): Policy =>
  policyWith({
    // Now and then the deployment only reports, and people run `sync`.
    action: random.chance(0.12) ? 'report' : 'sync',
    strategy: random.pick(['staged', 'staged', 'staged', 'canary', 'direct']),
    maxUnavailable: random.pick<Policy['maxUnavailable']>([1, 1, 2, '50%']),
    clustersAtOnce: random.pick([1, 1, 2]),
    restarts: random.pick(['auto', 'auto', 'always']),
    windows: random.chance(0.1) ? windows : [],
    pauseOnAlarms: random.chance(0.3) ? ['checkout-errors'] : [],
    exceptions: random.chance(0.1)
      ? [
          {
            cluster: '*/c0',
            ...(random.chance(0.5) && { code: random.pick(['RANGE_DIFFERS', 'FELIX_MISSED_MODE'] as const) }),
            until: new Date(beginning + random.between(20, 100) * minute).toISOString(),
            reason: 'a test',
          },
        ]
      : [],
    ...random.pick([
      { canarySeconds: 45, settleSeconds: 40, nodeDeadlineSeconds: 300 },
      { canarySeconds: 120, settleSeconds: 100, nodeDeadlineSeconds: 300 },
    ]),
  })
