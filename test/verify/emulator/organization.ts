import { isDeepStrictEqual } from 'node:util'
import { fieldsOf, listOf, parseFields } from '../../../lab/aws/json.ts'
import type { Moto } from '../../../lab/moto/moto.ts'
import { accountsIn } from '../../../shared/clients/aws/organization.ts'
import type { Selection } from '../../../shared/domain/organization.ts'
import type { Claim } from '../fleet/claim.ts'
import { askMoto } from './ask.ts'

/** More than moto answers in one page of a unit's accounts. */
const inUnit = 22

/** What the sweep finds in an organization of moto: in a unit, in the unit below it, by a tag; not in the root, and nothing that is closed. */
export const organizationClaims = async (moto: Moto): Promise<Claim[]> => {
  const found = async (selection: Selection) =>
    accountsIn({ region: moto.region, endpoint: moto.endpoint, credentials }, selection)
  const none = await found({ units: ['r-ab12'] })
  const { unit, below, inRoot, members, closed, tagged } = await organization(moto)
  const cases: [string, Selection, string[]][] = [
    [
      `${inUnit} accounts of a unit and one of the unit below it, without one that is closed`,
      { units: [unit] },
      members,
    ],
    ['the account of the unit below, alone', { units: [below] }, members.slice(-1)],
    ['the accounts of a unit that have a tag', { units: [unit], tag: { key: 'eks', value: 'yes' } }, [tagged]],
    ['no account with another value of the tag', { tag: { key: 'eks', value: 'no' } }, []],
  ]
  const claims: Claim[] = []
  for (const [what, selection, expected] of cases) {
    const answer = await found(selection)
    claims.push({
      claim: `a sweep finds in an organization: ${what}`,
      holds: 'value' in answer && isDeepStrictEqual(answer.value.accounts, expected.toSorted()),
      detail: JSON.stringify('value' in answer ? answer.value.accounts.length : answer),
    })
  }
  const all = await found({ tag: { key: 'eks' } })
  return [
    {
      claim: 'an account that is in no organization is a failure, not an empty fleet',
      holds: 'failure' in none,
      detail: 'failure' in none ? none.failure.message : JSON.stringify(none),
    },
    ...claims,
    {
      claim:
        'a sweep finds in an organization: every account with the tag, the one in the root too, where no unit is named',
      holds:
        'value' in all &&
        isDeepStrictEqual(all.value.accounts, [tagged, inRoot].toSorted()) &&
        !all.value.accounts.includes(closed),
      detail: JSON.stringify(all),
    },
  ]
}

const credentials = async () => ({ accessKeyId: 'AKIAEMULATED', secretAccessKey: 'emulated' })

/** A new organization, whose management account is that of the emulator. */
export const foundOrganization = async (moto: Moto) => {
  const call = async (operation: string, body: object = {}) =>
    parseFields(
      await askMoto(moto, { service: 'organizations', target: `AWSOrganizationsV20161128.${operation}`, body }),
    ) ?? {}
  await call('CreateOrganization', { FeatureSet: 'ALL' })
  const root = String(fieldsOf(listOf((await call('ListRoots'))['Roots'])[0])['Id'])
  const unitIn = async (ParentId: string, Name: string) =>
    String(fieldsOf((await call('CreateOrganizationalUnit', { ParentId, Name }))['OrganizationalUnit'])['Id'])
  const accountIn = async (parent: string, name: string) => {
    const created = await call('CreateAccount', { AccountName: name, Email: `${name}@example.com` })
    const id = String(fieldsOf(created['CreateAccountStatus'])['AccountId'])
    const move = { AccountId: id, SourceParentId: root, DestinationParentId: parent }
    if (parent !== root) await call('MoveAccount', move)
    return id
  }
  return { root, call, unitIn, accountIn }
}

const organization = async (moto: Moto) => {
  const { root, call, unitIn, accountIn } = await foundOrganization(moto)
  const unit = await unitIn(root, 'prod')
  const below = await unitIn(unit, 'prod-eu')
  const members: string[] = []
  for (let at = 0; at < inUnit; at += 1) members.push(await accountIn(unit, `prod-${at}`))
  members.push(await accountIn(below, 'prod-eu'))
  const [closed, inRoot] = [await accountIn(unit, 'closed'), await accountIn(root, 'test')]
  const [tagged = ''] = members
  for (const ResourceId of [tagged, inRoot, closed])
    await call('TagResource', { ResourceId, Tags: [{ Key: 'eks', Value: 'yes' }] })
  await call('CloseAccount', { AccountId: closed })
  return { unit, below, inRoot, members, closed, tagged }
}
