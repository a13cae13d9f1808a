import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { Claim } from '../verify/fleet/claim.ts'
import { emulate } from '../verify/emulator/emulate.ts'

/** The short form of `npm run emulator`: the deployment that has every type of resource, and the spoke. Without Python all of it fails. */
const folder = mkdtempSync(join(tmpdir(), 'calico-ipvs-sync-emulator-'))
let claims: Claim[] = []

beforeAll(async () => {
  claims = await emulate(folder, ['the hub with everything switched on'])
}, 600_000)
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe('on moto, an emulator of AWS that knows nothing of this project,', () => {
  test.each([
    'cdk bootstrap makes what a deployment needs',
    'the hub with everything switched on is created',
    'the hub with everything switched on is deleted, and nothing is left but what is kept',
    'the spoke is created',
    'the spoke is deleted, and nothing is left but what is kept',
    'the spoke without changes is created',
    'the spoke without changes is deleted, and nothing is left but what is kept',
    'the types of resources that moto passes over are those that are listed',
    'an account that is in no organization is a failure, not an empty fleet',
    'a sweep finds in an organization: 22 accounts of a unit and one of the unit below it, without one that is closed',
    'a sweep finds in an organization: the account of the unit below, alone',
    'a sweep finds in an organization: the accounts of a unit that have a tag',
    'a sweep finds in an organization: no account with another value of the tag',
    'a sweep finds in an organization: every account with the tag, the one in the root too, where no unit is named',
  ])('%s', (start) => {
    expect(claims.filter(({ claim }) => claim.startsWith(start))).toMatchObject([{ holds: true }])
  })

  test('what moto does otherwise than CloudFormation is what is listed, each seen to be so', () => {
    const shortfalls = claims.filter(({ claim }) => claim.startsWith('moto: '))
    expect(shortfalls).toHaveLength(4)
    expect(shortfalls.filter(({ holds }) => !holds)).toEqual([])
  })
})
