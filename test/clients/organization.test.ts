import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { serve } from '../../lab/aws/endpoint.ts'
import { createKeyring } from '../../lab/aws/keyring.ts'
import { type Organizations, startOrganizations } from '../../lab/aws/organizations.ts'
import { accountsIn } from '../../shared/clients/aws/organization.ts'
import type { Selection, Tagging } from '../../shared/domain/organization.ts'

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

interface Asking {
  endpoint?: string
  known?: Tagging
  /** For so many accounts there is time to ask for tags. */
  most?: number
}

const asked = (selection: Selection, { endpoint = organization.url, known, most = Infinity }: Asking = {}) => {
  let left = most
  return accountsIn({ region: 'eu-west-1', credentials, endpoint }, selection, { known, mayAsk: () => left-- > 0 })
}

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
    expect(await asked(selection)).toMatchObject({ value: { accounts: wanted.map(id) } })
  })

  test('are those that are active, by the old word for it too, and of those that left none', async () => {
    organization.accounts.splice(0, 4)
    expect(await asked({ units: [root] })).toEqual({ value: { accounts: [5, 8].map(id) } })
    const old = await serve(async () => ({
      status: 200,
      body: JSON.stringify({
        Accounts: [1, 2].map((number) => ({ Id: id(number), Status: number === 1 ? 'ACTIVE' : 'SUSPENDED' })),
      }),
    }))
    const tags = await asked({ units: undefined }, { endpoint: old.url })
    await old.close()
    expect(tags).toEqual({ value: { accounts: [id(1)] } })
  })

  test('are read in spite of throttling and of a service that fails, at a lower rate', async () => {
    organization.refuse({ code: 'TooManyRequestsException', status: 400, times: 2 })
    expect(await asked({ units: [eu] })).toEqual({ value: { accounts: [id(5)] } })
    organization.refuse({ code: 'ServiceException', status: 500, times: 2 })
    expect(await asked({ units: [eu] })).toEqual({ value: { accounts: [id(5)] } })
  }, 60_000)
})

describe('of more accounts than there is time to ask for tags', () => {
  const eks = { units: [root], tag: { key: 'eks', value: 'yes' } }
  const sweep = async (known: Tagging | undefined, most = 2) => {
    const answer = await asked(eks, { most, ...(known && { known }) })
    if ('failure' in answer) throw new Error(answer.failure.message)
    const { accounts, tagging, unasked } = answer.value
    return { accounts, tagging, unasked }
  }

  test('the next sweeps ask for the rest, then for those that were asked for longest ago', async () => {
    const first = await sweep(undefined)
    expect(first).toMatchObject({ accounts: [id(2)], unasked: [3, 4, 5, 8].map(id) })
    const second = await sweep(first.tagging)
    expect(second).toMatchObject({ accounts: [id(2)], unasked: [5, 8].map(id) })
    const third = await sweep(second.tagging)
    expect(third).toMatchObject({ accounts: [2, 5, 8].map(id), unasked: [] })
    // Account 2 loses the tag, and 4 gets it: the first is asked for now, the second in the sweep after it.
    for (const it of organization.accounts) if (it.id === id(2)) delete it.tags
    for (const it of organization.accounts) if (it.id === id(4)) it.tags = { eks: 'yes' }
    const fourth = await sweep(third.tagging)
    expect(fourth.accounts).toEqual([5, 8].map(id))
    expect((await sweep(fourth.tagging)).accounts).toEqual([4, 5, 8].map(id))
  })

  test('one that is new comes before all that are known, and one that left is forgotten', async () => {
    const all = await sweep(undefined, Infinity)
    organization.accounts.splice(1, 1)
    organization.accounts.push({ id: id(9), parent: prod, tags: { eks: 'yes' } })
    const next = await sweep(all.tagging, 1)
    expect(next).toMatchObject({ accounts: [5, 8, 9].map(id), unasked: [] })
    expect(next.tagging?.answers.map(([account]) => account)).not.toContain(id(2))
  })

  test('where AWS gives no answer for one, those for the others count, and the next sweep asks for it', async () => {
    organization.refuse({ code: 'ServiceException', status: 500, times: Infinity, of: id(4) })
    const first = await sweep(undefined, Infinity)
    expect(first).toMatchObject({ accounts: [2, 5, 8].map(id), unasked: [id(4)] })
    organization.refuse({ code: '', status: 200, times: 0 })
    const next = await sweep(first.tagging, 1)
    expect(next.unasked).toEqual([])
  }, 60_000)

  test('where one may not be asked for, nobody else is', async () => {
    organization.accounts.splice(0, Infinity, ...Array.from({ length: 50 }, (_, at) => ({ id: id(at), parent: prod })))
    const tagCalls = () => organization.calls().filter((it) => it === 'ListTagsForResource').length
    const before = tagCalls()
    organization.refuse({ code: 'AccessDeniedException', status: 400, times: Infinity, of: 'ListTagsForResource' })
    expect(await asked(eks)).toMatchObject({ failure: { kind: 'denied' } })
    // Whatever goes on in the background would be seen by then.
    await delay(200)
    expect(tagCalls() - before).toBeLessThan(10)
  })

  test('answers about another tag are no answers', async () => {
    const all = await sweep(undefined, Infinity)
    const other = await asked({ ...eks, tag: { key: 'team' } }, { known: all.tagging ?? never(), most: 1 })
    expect(other).toMatchObject({ value: { accounts: [], unasked: [2, 3, 4, 5, 8].map(id) } })
  })
})

const never = (): never => {
  throw new Error('nothing was asked for')
}

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

  test('where listing the accounts takes all the time, so that no tag can be asked for', async () => {
    expect(await asked({ units: [prod], tag: { key: 'eks' } }, { most: 0 })).toMatchObject({
      failure: { message: expect.stringContaining('no time left to ask for the tags') },
    })
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
      const answer = await asked({ tag: { key: 'eks' } }, { endpoint: server.url })
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
    expect(await asked({ units: [prod] }, { endpoint: server.url })).toMatchObject({ failure: { kind: 'unreachable' } })
  }, 60_000)
})
