import { describe, expect, test } from '@jest/globals'
import { type Found, foundIn, type Reading, type Tagging } from '../../shared/domain/organization.ts'
import { failed, read, type Read } from '../../shared/domain/read.ts'
import { whyOutside } from '../../shared/domain/fleet.ts'
import { knownFleet, toldFleet } from '../../shared/known-fleet.ts'
import { withOrganization } from '../../shared/workflows/fleet/read-organization.ts'
import { sweep } from '../../shared/workflows/fleet/sweep.ts'

const [own, named, first, second] = ['111122223333', '222233334444', '333344445555', '444455556666']
const fleet = {
  own,
  regions: ['eu-west-1'],
  accounts: [{ account: own }, { account: named, regions: ['us-east-1'] }],
  organization: { units: ['ou-ab12-prod0000'], leaveOut: ['999988887777'] },
}
const at = (hour: number) => `2026-11-29T${String(hour).padStart(2, '0')}:00:00.000Z`
const denied: Read<Found> = failed({ kind: 'denied', object: 'organizations:ListAccountsForParent', message: 'no' })

const accounts = (...all: string[]): Read<Found> => read({ accounts: all })

const desk = (kept?: Reading) => {
  const tagging = undefined as Tagging | undefined
  const it = { kept, tagging, answer: accounts(first), logged: [] as [string, object][], asked: [] as string[] }
  const organization = {
    accounts: async () => it.answer,
    record: {
      last: async () => it.kept,
      put: async (reading: Reading) => void (it.kept = reading),
      tagging: async () => it.tagging,
      putTagging: async (asked: Tagging) => void (it.tagging = asked),
    },
  }
  const log = (event: string, facts: object) => void it.logged.push([event, facts])
  const tools = {
    fleet,
    organization,
    queue: {
      sendPlaces: async (all: readonly { place: { account: string; region: string } }[]) =>
        void (it.asked = all.map(({ place }) => `${place.account}/${place.region}`)),
      sendClosing: async () => undefined,
    },
    now: () => new Date(at(12)),
    log,
  }
  return Object.assign(it, { sweep: (hour: number) => sweep(tools, { scheduledTime: at(hour) }), organization, log })
}

describe('a sweep over an organization', () => {
  test('lists the accounts of the configuration, with what it says of them, and those that it finds', async () => {
    const it = desk()
    it.answer = accounts(first, named, own, '999988887777', second)
    await it.sweep(9)
    expect(it.asked).toEqual([`${own}/eu-west-1`, `${named}/us-east-1`, `${first}/eu-west-1`, `${second}/eu-west-1`])
    expect(it.kept).toMatchObject({ sweep: at(9), readAt: at(12) })
  })

  test('that cannot read it assumes nothing: the accounts of the last reading stay, and the failure is said and on record', async () => {
    const it = desk()
    await it.sweep(9)
    it.answer = denied
    await it.sweep(10)
    await it.sweep(11)
    expect(it.asked).toContain(`${first}/eu-west-1`)
    expect(it.kept).toMatchObject({
      sweep: at(11),
      accounts: [first],
      readAt: at(12),
      unread: { kind: 'denied', since: at(12) },
    })
    expect(it.logged.filter(([event]) => event === 'the organization cannot be read')).toHaveLength(2)
    it.answer = accounts(first, second)
    await it.sweep(12)
    expect(it.kept).toEqual({ sweep: at(12), readAt: at(12), accounts: [first, second] })
  })

  test('that never could read it lists the accounts of the configuration alone', async () => {
    const it = desk()
    it.answer = denied
    await it.sweep(9)
    expect(it.asked).toEqual([`${own}/eu-west-1`, `${named}/us-east-1`])
    expect(it.kept).toMatchObject({ accounts: [], unread: { kind: 'denied' } })
  })

  test('that had no time to ask all accounts for their tags keeps those that it had, and says how many are left', async () => {
    const it = desk({ sweep: at(8), readAt: at(8), accounts: [first] })
    const tagging = { tag: '["eks"]', answers: [[second, true]] as const }
    it.answer = read({ accounts: [second], tagging, unasked: [first, '555566667777'] })
    await it.sweep(9)
    expect(it.kept?.accounts).toEqual([first, second])
    expect(it.tagging).toEqual(tagging)
    expect(it.logged).toContainEqual(['organization', expect.objectContaining({ accounts: 2, unasked: 2 })])
    it.answer = read({ accounts: [second], tagging, unasked: [] })
    await it.sweep(10)
    expect(it.kept?.accounts).toEqual([second])
  })

  test('does not ask where none is configured', async () => {
    const it = desk()
    const { organization: _none, ...plain } = fleet
    expect(await withOrganization(it.organization, plain, { sweep: at(9), at: at(9), log: it.log })).toBe(plain)
    expect(it.kept).toBeUndefined()
  })
})

describe('a function that is told of an account', () => {
  const known = (accounts: string[]) => {
    const it = { reads: 0, accounts, now: 0, fails: false }
    const { fleet: bounds, know } = knownFleet(
      { ...fleet, accounts: fleet.accounts.map((entry) => ({ ...entry })) },
      async () => {
        it.reads += 1
        if (it.fails) throw new Error('DynamoDB is away')
        return { sweep: at(9), accounts: it.accounts }
      },
      () => it.now,
    )
    const isInside = async (account: string) => {
      await know(account)
      return whyOutside(bounds, { account, region: 'eu-west-1' }) === undefined
    }
    return Object.assign(it, { isInside, know, bounds })
  }

  test('reads nothing for one of the configuration', async () => {
    const it = known([])
    expect(await it.isInside(own)).toBe(true)
    expect(it.reads).toBe(0)
  })

  test('knows one that the last sweep has found, and asks anew when it has not heard of one', async () => {
    const it = known([first])
    expect(await it.isInside(first)).toBe(true)
    expect(await it.isInside(first)).toBe(true)
    expect(it.reads).toBe(1)
    expect(await it.isInside(second)).toBe(false)
    it.accounts = [first, second]
    expect(await it.isInside(second)).toBe(true)
  })

  test('forgets within minutes one that left', async () => {
    const it = known([first])
    await it.isInside(first)
    it.accounts = []
    it.now = 300_001
    expect(await it.isInside(first)).toBe(false)
  })

  test('fails where nobody can say: its message is tried again', async () => {
    const it = known([first])
    it.fails = true
    await expect(it.isInside(first)).rejects.toThrow('DynamoDB is away')
  })

  test('counts all of them at the end of a sweep, however lately it has read', async () => {
    const it = known([first])
    await it.know(first)
    it.accounts = [first, second]
    await it.know()
    expect(it.bounds.accounts).toHaveLength(4)
  })
})

test('who works on messages of a function that has read them takes the account from the message, in an organization alone', () => {
  const configured = { ...fleet, accounts: [{ account: own }] }
  const isInside = ({ fleet: bounds, at: told }: ReturnType<typeof toldFleet>, account: string) => {
    told(account)
    return whyOutside(bounds, { account, region: 'eu-west-1' }) === undefined
  }
  const it = toldFleet(configured)
  expect([first, second, first].map((account) => isInside(it, account))).toEqual([true, true, true])
  expect(whyOutside(it.fleet, { account: second, region: 'eu-west-1' })).toBeDefined()
  const { organization: _none, ...plain } = configured
  expect(isInside(toldFleet(plain), first)).toBe(false)
})

test('the own account is none that is found: without an entry its functions may do nothing there', () => {
  const without = { ...fleet, accounts: [{ account: named }] }
  expect(foundIn(without, { accounts: [own, first] })).toEqual([{ account: first }])
})
