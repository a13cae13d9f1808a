import { describe, expect, test } from '@jest/globals'
import {
  entrance,
  type FleetBounds,
  placesOf,
  sessionName,
  whyOnlyReported,
  whyOutside,
} from '../../shared/domain/fleet.ts'
import { deploymentName } from '../../shared/domain/fleet-names.ts'

const own = '111122223333'
const role = (account: string, name: string) => `arn:aws:iam::${account}:role/${name}`
const fleet: FleetBounds = {
  own,
  regions: ['eu-west-1', 'us-east-1'],
  accounts: [
    { account: own },
    { account: '444455556666', viewerRoleArn: role('444455556666', 'looks') },
    {
      account: '555566667777',
      viewerRoleArn: role('555566667777', 'looks'),
      operatorRoleArn: role('555566667777', 'changes'),
      externalId: 'of-five',
    },
    { account: '777788889999', regions: ['eu-north-1'] },
  ],
}
const fixed = (kind: string) => ({
  roleArn: role('777788889999', `calico-ipvs-sync-${kind}`),
  externalId: 'calico-ipvs-sync-111122223333',
})

test.each([
  ['its own account', own, {}, {}],
  [
    'an account that names who looks alone',
    '444455556666',
    { roleArn: role('444455556666', 'looks'), externalId: 'calico-ipvs-sync-111122223333' },
    undefined,
  ],
  [
    'an account that names both, and its own external id',
    '555566667777',
    { roleArn: role('555566667777', 'looks'), externalId: 'of-five' },
    { roleArn: role('555566667777', 'changes'), externalId: 'of-five' },
  ],
  ['an account that names no role', '777788889999', fixed('viewer'), fixed('operator')],
  // Our own credentials would be used, and they are of another account.
  ['an account outside the fleet', '999999999999', undefined, undefined],
])('%s is entered by one role to look and by another to change', (_, account, viewer, operator) => {
  expect(entrance(fleet, account, 'viewer')).toEqual(viewer)
  expect(entrance(fleet, account, 'operator')).toEqual(operator)
})

test('nothing is changed in an account without an operator role, and the reason names the knob', () => {
  expect(whyOnlyReported(fleet, '444455556666')).toMatch(/444455556666 is only reported: .*no operatorRoleArn/)
  expect([own, '555566667777', '777788889999'].map((it) => whyOnlyReported(fleet, it))).toEqual([
    undefined,
    undefined,
    undefined,
  ])
})

describe('the fixed names', () => {
  test('are of the deployment, of the partition of the region, and ask for its external id', () => {
    const china = { ...fleet, own: '111122223333', deployment: 'calico-ipvs-sync-Trial', externalId: 'x1' }
    expect(entrance({ ...china, regions: ['cn-north-1'], accounts: [{ account: '1' }] }, '1', 'viewer')).toEqual({
      roleArn: 'arn:aws-cn:iam::1:role/calico-ipvs-sync-Trial-viewer',
      externalId: 'x1',
    })
  })

  test('a second deployment in one account has others', () => {
    expect(deploymentName('CalicoIpvsSync')).toBe('calico-ipvs-sync')
    expect(deploymentName('Trial')).toBe('calico-ipvs-sync-Trial')
  })

  test('a session says which function of which deployment it is of', () =>
    expect(sessionName(fleet, 'rollout-step')).toBe('rollout-step@calico-ipvs-sync'))
})

test('every account has its own regions, or those of the fleet', () =>
  expect(placesOf({ ...fleet, accounts: fleet.accounts.slice(2) })).toEqual([
    { account: '555566667777', region: 'eu-west-1' },
    { account: '555566667777', region: 'us-east-1' },
    { account: '777788889999', region: 'eu-north-1' },
  ]))

test.each([
  [own, 'eu-west-1', undefined],
  ['444455556666', 'us-east-1', undefined],
  ['444455556666', 'eu-north-1', 'region eu-north-1 is not in the fleet'],
  ['777788889999', 'eu-north-1', undefined],
  ['777788889999', 'eu-west-1', 'region eu-west-1 is not in the fleet for account 777788889999'],
  ['999999999999', 'eu-west-1', 'account 999999999999 is not in the fleet'],
])('a cluster of %s in %s: %s', (account, region, why) => expect(whyOutside(fleet, { account, region })).toBe(why))

test('a hub that looks after other accounts only is outside its own fleet', () =>
  expect(whyOutside({ ...fleet, accounts: [] }, { account: fleet.own, region: 'eu-west-1' })).toMatch(
    /not in the fleet/,
  ))
