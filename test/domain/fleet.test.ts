import { expect, test } from '@jest/globals'
import { entrance, whyOutside } from '../../shared/domain/fleet.ts'

const roleArn = 'arn:aws:iam::444455556666:role/sync'
const fleet = {
  own: '111122223333',
  regions: ['eu-west-1', 'us-east-1'],
  accounts: [{ account: '111122223333' }, { account: '444455556666', roleArn }, { account: '777788889999' }],
}

test.each([
  ['111122223333', { account: '111122223333' }],
  ['444455556666', { account: '444455556666', roleArn }],
  // Without a role our own credentials would be used, and they are of another account.
  ['777788889999', undefined],
  ['999999999999', undefined],
])('account %s is entered by %j', (account, way) => expect(entrance(fleet, account)).toEqual(way))

test.each([
  ['111122223333', 'eu-west-1', undefined],
  ['444455556666', 'us-east-1', undefined],
  ['444455556666', 'eu-north-1', 'region eu-north-1 is not in the fleet'],
  ['777788889999', 'eu-west-1', 'account 777788889999 is not in the fleet'],
  ['999999999999', 'eu-west-1', 'account 999999999999 is not in the fleet'],
])('a cluster of %s in %s: %s', (account, region, why) => expect(whyOutside(fleet, { account, region })).toBe(why))

test('a hub that looks after other accounts only is outside its own fleet', () =>
  expect(whyOutside({ ...fleet, accounts: [] }, { account: fleet.own, region: 'eu-west-1' })).toMatch(
    /not in the fleet/,
  ))
