import { beforeEach, describe, expect, test } from '@jest/globals'
import type { OutgoingNotice } from '../../shared/domain/notice/outgoing.ts'
import type { FleetTotal, PlaceRecords } from '../../shared/clients/aws/places.ts'
import { type PlaceRow, placeKey } from '../../shared/domain/places.ts'
import { failed, read, type Read, type ReadFailure } from '../../shared/domain/read.ts'
import type { Report } from '../../shared/domain/report.ts'
import type { Log } from '../../shared/log.ts'
import type { ClosingMessage, Evaluation, PlaceMessage } from '../../shared/messages.ts'
import { closeSweep } from '../../shared/workflows/fleet/close-sweep.ts'
import { listPlace } from '../../shared/workflows/fleet/list-place.ts'
import { sweep } from '../../shared/workflows/fleet/sweep.ts'

const account = '111122223333'
const place = { account, region: 'eu-west-1' }
const fleet = { own: account, regions: ['eu-west-1', 'us-east-1'], accounts: [{ account }] }
const at = (hour: number) => `2026-11-29T${String(hour).padStart(2, '0')}:00:00.000Z`

const desk = () => {
  const it = {
    rows: new Map<string, PlaceRow>(),
    total: undefined as FleetTotal | undefined,
    answer: read(['a', 'b']) as Read<string[]> | undefined,
    asked: [] as Evaluation[],
    notices: new Map<string, OutgoingNotice>(),
    logged: [] as string[],
    places: [] as PlaceMessage[],
    closings: [] as (ClosingMessage & { delaySeconds?: number | undefined })[],
    /** Clusters with a report on record. */
    reports: new Set<string>(),
    lists: 0,
    dies: false,
  }
  const places: PlaceRecords = {
    get: async (of) => it.rows.get(placeKey(of)),
    put: async (row) => {
      if (it.dies) throw new Error('killed')
      it.rows.set(placeKey(row), row)
      return true
    },
    all: async () => [...it.rows.values()],
    total: async () => it.total,
    putTotal: async (total) => void (it.total = total),
  }
  const log: Log = (event) => void it.logged.push(event)
  const tools = {
    fleet,
    places,
    list: async () => {
      it.lists += 1
      return it.answer
    },
    records: {
      keepNotice: async ({ hash }: { hash: string }, notice: OutgoingNotice) => void it.notices.set(hash, notice),
      lastReport: async (key: string) => (it.reports.has(key) ? ({} as Report) : undefined),
      endReport: async (key: string) => void it.reports.delete(key),
    },
    queues: {
      sendEvaluations: async (messages: readonly Evaluation[]) => void it.asked.push(...messages),
      sendTelling: async () => undefined,
    },
    queue: {
      sendPlaces: async (messages: readonly PlaceMessage[]) => void it.places.push(...messages),
      sendClosing: async (message: ClosingMessage, delaySeconds?: number) =>
        void it.closings.push({ ...message, delaySeconds }),
    },
    organization: {
      accounts: async () => read({ accounts: [] }),
      record: {
        last: async () => undefined,
        put: async () => undefined,
        tagging: async () => undefined,
        putTagging: async () => undefined,
      },
    },
    now: () => new Date('2026-11-29T10:00:30Z'),
    log,
  }
  const list = (hour: number, receives = 1) =>
    listPlace(tools, { schemaVersion: 1, sweep: at(hour), place }, { receives })
  const close = (hour: number, closing = 0) => closeSweep(tools, { schemaVersion: 1, sweep: at(hour), closing })
  const subjects = () => Array.from(it.notices.values(), ({ subject }) => subject)
  return Object.assign(it, { tools, list, close, subjects })
}

let it: ReturnType<typeof desk>
beforeEach(() => void (it = desk()))

const failure = (kind: ReadFailure['kind'], object = 'eks:ListClusters') =>
  failed<string[]>({ kind, object, message: `${kind}!` })

describe('a sweep', () => {
  test('is one message for each account and region, and one that counts them', async () => {
    await sweep(it.tools, { scheduledTime: '2026-11-29T10:00:00Z' })
    expect(it.places.map(({ place: { region }, sweep: id }) => [region, id])).toEqual([
      ['eu-west-1', at(10)],
      ['us-east-1', at(10)],
    ])
    expect(it.closings).toMatchObject([{ sweep: at(10), closing: 0 }])
  })

  test('invoked twice for one time of the schedule is one sweep; by hand it is that of the minute', async () => {
    await sweep(it.tools, { scheduledTime: '2026-11-29T10:00:00Z' })
    await sweep(it.tools, { scheduledTime: '2026-11-29T12:00:00+02:00' })
    await sweep(it.tools, undefined)
    expect(new Set(it.places.map(({ sweep: id }) => id))).toEqual(new Set([at(10)]))
  })
})

describe('a place of a sweep', () => {
  test('is listed, and each of its clusters is asked for once, with the id of the sweep', async () => {
    await it.list(10)
    expect(it.asked).toMatchObject(
      ['a', 'b'].map((name) => ({ cluster: { ...place, name }, reason: 'sweep', sweep: at(10) })),
    )
    expect(it.rows.get('111122223333/eu-west-1')).toMatchObject({ sweep: at(10), clusters: ['a', 'b'] })
  })

  test('whose message comes twice is listed once', async () => {
    await it.list(10)
    await it.list(10)
    await it.list(9)
    expect(it.lists).toBe(1)
  })

  test('whose function is killed before it is on record is listed again', async () => {
    it.dies = true
    await expect(it.list(10)).rejects.toThrow('killed')
    it.dies = false
    await it.list(10)
    expect(it.rows.get('111122223333/eu-west-1')).toMatchObject({ sweep: at(10) })
    // The messages of both tries have one id: each cluster is looked at for one of them.
    expect(new Set(it.asked.map(({ sweep: id }) => id))).toEqual(new Set([at(10)]))
  })

  test('asks for a look also at clusters that are not listed any more, which ends them', async () => {
    await it.list(9)
    it.answer = read(['b', 'c'])
    it.asked = []
    await it.list(10)
    expect(it.asked.map(({ cluster: { name } }) => name).toSorted()).toEqual(['a', 'b', 'c'])
    expect(it.rows.get('111122223333/eu-west-1')?.clusters).toEqual(['b', 'c'])
  })

  test('asks again in every sweep for a cluster that is not listed, until its record has ended', async () => {
    await it.list(8)
    it.reports.add(`${account}/eu-west-1/a`)
    it.answer = read(['b'])
    const askedIn = async (hour: number): Promise<string[]> => {
      it.asked = []
      await it.list(hour)
      return it.asked.map(({ cluster: { name } }) => name)
    }
    expect(await askedIn(9)).toEqual(['b', 'a'])
    expect(it.rows.get('111122223333/eu-west-1')).toMatchObject({ clusters: ['b'], leaving: ['a'] })
    it.answer = failure('denied')
    expect(await askedIn(10)).toEqual(['b', 'a'])
    it.answer = read(['b'])
    it.reports.clear()
    expect([await askedIn(11), await askedIn(12)]).toEqual([['b', 'a'], ['b']])
    expect(it.rows.get('111122223333/eu-west-1')?.leaving).toBeUndefined()
  })

  test('passes over names that no cluster can have', async () => {
    it.answer = read(['a', '../b', 'c'.repeat(101)])
    await it.list(10)
    expect(it.asked.map(({ cluster: { name } }) => name)).toEqual(['a'])
  })

  test('that is none of the fleet is not listed', async () => {
    await listPlace(
      it.tools,
      { schemaVersion: 1, sweep: at(10), place: { ...place, region: 'ap-south-1' } },
      { receives: 1 },
    )
    expect([it.lists, it.logged]).toEqual([0, ['place is not in the fleet any more']])
  })
})

describe('a place that cannot be listed', () => {
  const row = () => it.rows.get('111122223333/eu-west-1')

  test.each([
    ['sts-denied', failure('denied', 'sts:AssumeRole'), 'STS does not allow the deployment to assume the role'],
    ['unauthenticated', failure('unauthenticated'), '(401)'],
    ['denied', failure('denied'), '(403)'],
    ['no-role', undefined, 'no role for this account'],
  ])(
    'because of %s is a row with that reason at once, and told after two sweeps, once',
    async (cause, answer, said) => {
      await it.list(8)
      it.answer = answer
      await it.list(9)
      expect(row()).toMatchObject({ sweep: at(9), clusters: ['a', 'b'], unlisted: { cause, sweeps: 1, told: false } })
      expect(it.subjects()).toEqual([])
      await it.list(10)
      await it.list(11)
      expect(it.subjects()).toEqual(['[critical] all clusters (111122223333 eu-west-1): they cannot be listed'])
      expect([...it.notices.values()][0]?.text).toContain(said)
    },
  )

  test.each(['unreachable', 'unavailable'] as const)('because it is %s is tried three times, alone', async (kind) => {
    await it.list(8)
    it.answer = failure(kind)
    await expect(it.list(9, 1)).rejects.toMatchObject({ retryAfterSeconds: 30 })
    expect(row()?.unlisted).toMatchObject({ sweeps: 1 })
    await expect(it.list(9, 2)).rejects.toThrow('cannot be listed')
    await it.list(9, 3)
    expect(row()).toMatchObject({ sweep: at(9), unlisted: { sweeps: 1 } })
  })

  test('and then can, within the sweep, was never away', async () => {
    it.answer = failure('unavailable')
    await expect(it.list(9, 1)).rejects.toThrow()
    it.answer = read(['a'])
    await it.list(9, 2)
    expect(row()).toEqual({ ...place, sweep: at(9), clusters: ['a'] })
    expect(it.subjects()).toEqual([])
  })

  test('has the clusters looked at that are known there', async () => {
    await it.list(8)
    it.asked = []
    it.answer = failure('denied')
    await it.list(9)
    expect(it.asked.map(({ cluster: { name } }) => name)).toEqual(['a', 'b'])
  })

  test('is told once more when it can be listed again, if it was told', async () => {
    it.answer = failure('denied')
    await it.list(8)
    await it.list(9)
    it.answer = read(['a'])
    await it.list(10)
    await it.list(11)
    expect(it.subjects()).toEqual([
      '[critical] all clusters (111122223333 eu-west-1): they cannot be listed',
      '[info] all clusters (111122223333 eu-west-1): they can be listed again',
    ])
    expect(row()).not.toHaveProperty('unlisted')
  })

  test('and whose function is killed before that is on record is told by the next try, as the same notice', async () => {
    it.answer = failure('denied')
    await it.list(8)
    it.dies = true
    await expect(it.list(9)).rejects.toThrow('killed')
    it.dies = false
    await it.list(9)
    expect(it.subjects()).toHaveLength(1)
  })
})

describe('the end of a sweep', () => {
  const rows = (clusters: number, of = at(10)) => {
    const names = Array.from({ length: clusters }, (_, index) => `c${index}`)
    for (const [index, region] of fleet.regions.entries())
      it.rows.set(`${account}/${region}`, { account, region, sweep: of, clusters: index === 0 ? names : [] })
  }

  test('waits for the places that are not done, ever longer, and then counts what is known', async () => {
    rows(20, at(9))
    await it.close(10, 0)
    await it.close(10, 3)
    expect(it.closings).toMatchObject([
      { closing: 1, delaySeconds: 5 },
      { closing: 4, delaySeconds: 40 },
    ])
    await it.close(10, 8)
    expect(it.total).toEqual({ sweep: at(10), clusters: 20 })
  })

  test.each([
    [0, undefined, 'the fleet is empty'],
    [0, 20, 'the fleet is empty'],
    [17, 20, 'the fleet has shrunk'],
    [18, 20, undefined],
    [17, undefined, undefined],
  ])('with %d clusters after %s: %s', async (now, before, line) => {
    rows(now)
    it.total = before === undefined ? undefined : { sweep: at(9), clusters: before }
    await it.close(10)
    expect(it.logged).toEqual(['sweep ended', ...(line === undefined ? [] : [line])])
  })

  test('counts a place that cannot be listed with the clusters that it had', async () => {
    rows(20)
    it.total = { sweep: at(9), clusters: 20 }
    const unlisted = { since: at(9), sweep: at(10), sweeps: 2, cause: 'denied', message: '', told: true } as const
    for (const [key, row] of it.rows) it.rows.set(key, { ...row, unlisted })
    await it.close(10)
    expect(it.logged).toEqual(['sweep ended'])
  })

  const unheard = fleet.regions.map((region) => `[critical] all clusters (${account} ${region}): they cannot be listed`)

  test('with places that no function finished tells that after two sweeps, once, and then that it is over', async () => {
    rows(2, at(9))
    for (const [hour, subjects] of [
      [10, []],
      [11, unheard],
      [12, unheard],
    ] as const) {
      await it.close(hour, 8)
      expect(it.subjects()).toEqual(subjects)
    }
    expect([...it.notices.values()][0]?.text).toContain('did not finish during a whole sweep')
    await it.list(13)
    expect(it.subjects().at(-1)).toContain('they can be listed again')
  })

  test('tells it also of a place whose temporary failure was to be tried again, and never was', async () => {
    rows(2, at(9))
    it.answer = failure('unavailable')
    for (const hour of [10, 11]) {
      await expect(it.list(hour)).rejects.toThrow()
      expect(it.subjects()).toEqual([])
      it.rows.set(`${account}/us-east-1`, { account, region: 'us-east-1', sweep: at(hour), clusters: [] })
      await it.close(hour, 8)
    }
    expect(it.subjects()).toEqual(unheard.slice(0, 1))
  })

  test('whose message comes twice is counted once', async () => {
    rows(0)
    await it.close(10)
    await it.close(10)
    expect(it.logged).toEqual(['sweep ended', 'the fleet is empty', 'sweep ended already'])
  })
})

describe('an account that has left the fleet', () => {
  const left = { account: '999999999999', region: 'eu-west-1' }
  const keys = ['x', 'y'].map((name) => `${placeKey(left)}/${name}`)
  const leave = () => {
    it.rows.set(placeKey(left), { ...left, sweep: at(8), clusters: ['x'], leaving: ['y'] })
    it.reports = new Set([...keys, `${account}/eu-west-1/a`])
  }

  test('ends its verdicts, which nobody renews, and those of no other', async () => {
    leave()
    await it.list(10)
    await it.close(10, 8)
    expect([...it.reports]).toEqual([`${account}/eu-west-1/a`])
    expect(it.rows.get(placeKey(left))).toEqual({ ...left, sweep: at(8), clusters: [] })
    expect(it.logged).toContain('place has left the fleet')
    it.logged = []
    await it.list(11)
    await it.close(11, 8)
    expect(it.logged).not.toContain('place has left the fleet')
  })

  test('together with many others may be a mistake: it ends a sweep later', async () => {
    leave()
    it.total = { sweep: at(9), clusters: 100 }
    await it.list(10)
    await it.close(10, 8)
    expect([it.reports.size, it.logged.includes('the fleet has shrunk')]).toEqual([3, true])
    await it.list(11)
    await it.close(11, 8)
    expect(it.reports.size).toBe(1)
  })
})
