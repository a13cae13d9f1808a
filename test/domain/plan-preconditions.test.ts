import { expect, test } from '@jest/globals'
import { assess } from '../../shared/domain/assess/assess.ts'
import { plan } from '../../shared/domain/plan/plan.ts'
import { whatMoved } from '../../shared/domain/plan/preconditions.ts'
import { policyWith } from '../../shared/domain/policy/policy.ts'
import type { ClusterIdentity } from '../../shared/domain/report.ts'
import { cluster } from './ingredients.ts'

const planned = (identity: ClusterIdentity) => {
  const state = { ...cluster('no eks, given range 20000-22767'), cluster: identity }
  const assessment = assess(state, policyWith({}))
  return { ...assessment.report, plan: plan(assessment, state, policyWith({})) }
}
const place = { account: '111122223333', region: 'eu-west-1' }
const arn = 'arn:aws:eks:eu-west-1:111122223333:cluster/prod'

test.each<[string, ClusterIdentity, ClusterIdentity]>([
  ['account', { name: 'prod', arn, ...place }, { name: 'prod', ...place, account: '444455556666' }],
  ['region', { name: 'prod', ...place }, { name: 'prod', region: 'eu-north-1' }],
])(
  'a plan for a cluster of that name in another %s is refused, also where one of the two has no ARN',
  (_, then, now) => {
    expect(whatMoved(planned(then), planned(now))).toEqual([expect.stringMatching(/^the plan is for cluster /)])
  },
)

test('what one of the two does not know makes no other cluster of it', () => {
  expect(whatMoved(planned({ name: 'prod', arn, ...place }), planned({ name: 'prod', region: place.region }))).toEqual(
    [],
  )
})
