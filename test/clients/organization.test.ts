import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { serve } from '../../lab/aws/endpoint.ts'
import { createKeyring } from '../../lab/aws/keyring.ts'
import { type Organizations, startOrganizations } from '../../lab/aws/organizations.ts'
import { accountsIn } from '../../shared/clients/aws/organization.ts'
import type { Selection } from '../../shared/domain/organization.ts'

const keyring = createKeyring()
const credentials = async () => keyring.forUser('arn:aws:iam::111122223333:user/operator')
const [root, prod, eu, test2] = ['r-ab12', 'ou-ab12-prod0000', 'ou-ab12-prodeu00', 'ou-ab12-test0000']
const id = (number: number) => String(200_000_000_000 + number)

let organization: Organizations
beforeAll(async () => {
  organization = await startOrganizations(keyring)
})
afterAll(() => organization.stop())
beforeEach(() => {
  organization.refuse({ code: '', status: 200, times: 0 })
  Object.assign(organization.units, { [root]: undefined, [prod]: root, [eu]: prod, [test2]: root })
  organization.accounts.splice(0, Infinity, ...accounts())
})

const accounts = () => [
  { id: id(1), parent: root },
  { id: id(2), parent: prod, tags: { eks: 'yes', team: 'a' } },
  { id: id(3), parent: prod, tags: { eks: 'no' } },
  { id: id(4), parent: prod },
  { id: id(5), parent: eu, tags: { team: 'b', more: '1', eks: 'yes' } },
  { id: id(6), parent: eu, state: 'SUSPENDED' as const, tags: { eks: 'yes' } },
  { id: id(7), parent: test2, state: 'PENDING_CLOSURE' as const },
  { id: id(8), parent: test2, tags: { eks: 'yes' } },
]

const asked = (selection: Selection, endpoint = organization.url) =>
  accountsIn({ region: 'eu-west-1', credentials, endpoint }, selection)

describe('accounts of an organization', () => {
  test.each<[string, Selection, number[]]>([
    ['of a unit and of the units below it', { units: [prod] }, [2, 3, 4, 5]],
    ['of the root: all', { units: [root] }, [1, 2, 3, 4, 5, 8]],
    ['of two units, one of which is below the other', { units: [prod, eu] }, [2, 3, 4, 5]],
    ['of a unit without any that is active', { units: [test2], tag: { key: 'none' } }, []],
    ['with a tag, whatever it is', { tag: { key: 'eks' } }, [2, 3, 5, 8]],
    ['with a tag of one value', { tag: { key: 'eks', value: 'yes' } }, [2, 5, 8]],
    ['of a unit and with a tag: both', { units: [prod], tag: { key: 'eks', value: 'yes' } }, [2, 5]],
  ])('%s', async (_, selection, wanted) => {
    expect(await asked(selection)).toEqual({ value: wanted.map(id) })
  })

  test('are those that are active, by the old word for it too, and of those that left none', async () => {
    organization.accounts.splice(0, 4)
    expect(await asked({ units: [root] })).toEqual({ value: [5, 8].map(id) })
    const old = await serve(async () => ({
      status: 200,
      body: JSON.stringify({
        Accounts: [1, 2].map((number) => ({ Id: id(number), Status: number === 1 ? 'ACTIVE' : 'SUSPENDED' })),
      }),
    }))
    const tags = await asked({ units: undefined }, old.url)
    await old.close()
    expect(tags).toEqual({ value: [id(1)] })
  })

  test('are read in spite of throttling and of a service that fails, at a lower rate', async () => {
    organization.refuse({ code: 'TooManyRequestsException', status: 400, times: 2 })
    expect(await asked({ units: [eu] })).toEqual({ value: [id(5)] })
    organization.refuse({ code: 'ServiceException', status: 500, times: 2 })
    expect(await asked({ units: [eu] })).toEqual({ value: [id(5)] })
  }, 60_000)
})

describe('nobody knows the accounts', () => {
  test.each([
    ['where it is not allowed', 'AccessDeniedException', 400, 'denied'],
    ['where the caller is no administrator of it', 'AWSOrganizationsNotInUseException', 400, 'malformed'],
    ['where credentials are none', 'UnrecognizedClientException', 400, 'unauthenticated'],
  ])('%s: it is said which call it was, after one try', async (_, code, status, kind) => {
    organization.refuse({ code, status, times: 1 })
    const before = organization.calls().length
    const answer = await asked({ units: [prod] })
    expect(answer).toMatchObject({
      failure: { kind, object: 'organizations:ListAccountsForParent', message: expect.stringContaining(code) },
    })
    expect(organization.calls().length - before).toBe(1)
  })

  test('of which too many tags would have to be read, before the first is asked for', async () => {
    const many = Array.from({ length: 601 }, (_, index) => ({
      id: id(100 + index),
      parent: prod,
      tags: { eks: 'yes' },
    }))
    organization.accounts.splice(0, Infinity, ...many)
    const answer = await asked({ units: [prod], tag: { key: 'eks' } })
    expect(answer).toMatchObject({
      failure: { message: expect.stringContaining('more than 600 active accounts whose tags') },
    })
    expect(await asked({ units: [prod] })).toMatchObject({ value: { length: 601 } })
  })

  test('where one unit of several is not there: a part is nothing', async () => {
    expect(await asked({ units: [prod, 'ou-ab12-nowhere0'] })).toMatchObject({
      failure: { message: expect.stringContaining('ParentNotFoundException') },
    })
  })

  test.each([
    ['is no JSON', 'oops'],
    ['has an id that is none', JSON.stringify({ Accounts: [{ Id: '../evil', State: 'ACTIVE' }] })],
    ['has no accounts', '{}'],
    ['has no end', JSON.stringify({ Accounts: [], NextToken: 'again' })],
    [
      'has more than a fleet can have',
      JSON.stringify({
        Accounts: Array.from({ length: 2_001 }, (_, number) => ({ Id: id(number), State: 'ACTIVE' })),
      }),
    ],
  ])(
    'where an answer %s',
    async (_, body) => {
      const server = await serve(async () => ({ status: 200, body }))
      const answer = await asked({ tag: { key: 'eks' } }, server.url)
      await server.close()
      expect(answer).toMatchObject({
        failure: { kind: 'unavailable', object: expect.stringMatching(/^organizations:/) },
      })
    },
    60_000,
  )

  test('where nothing answers, after some tries', async () => {
    const server = await serve(async () => ({ status: 200, body: '' }))
    await server.close()
    expect(await asked({ units: [prod] }, server.url)).toMatchObject({ failure: { kind: 'unreachable' } })
  }, 60_000)
})
