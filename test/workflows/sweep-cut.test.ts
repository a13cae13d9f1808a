import { describe, expect, test } from '@jest/globals'
import type { FleetTotal, PlaceRecords } from '../../shared/clients/aws/places.ts'
import { type PlaceRow, placeKey } from '../../shared/domain/places.ts'
import { failed, read, type Read } from '../../shared/domain/read.ts'
import type { ClosingMessage, Evaluation } from '../../shared/messages.ts'
import { closeSweep } from '../../shared/workflows/fleet/close-sweep.ts'
import { listPlace } from '../../shared/workflows/fleet/list-place.ts'

// Lambda may end at any line. Each effect is cut short once before it takes place and once after it, and the message comes again.

const place = { account: '333344445555', region: 'eu-central-1' }
const key = placeKey(place)
const fleet = { own: place.account, regions: [place.region], accounts: [{ account: place.account }] }
const at = (hour: number) => `2026-11-29T${String(hour).padStart(2, '0')}:00:00.000Z`

type Answer = Read<string[]> | undefined
const well: Answer = read(['a', 'b'])
const denied: Answer = failed({ kind: 'denied', object: 'sts:AssumeRole', message: 'no' })
const silent: Answer = failed({ kind: 'unreachable', object: 'eks:ListClusters', message: 'nothing' })

interface Cut {
  /** Of the effects in their order: the one at which the function ends. */
  effect: number
  when: 'before' | 'after'
}

const world = (cut?: Cut) => {
  const state = {
    rows: new Map<string, PlaceRow>(),
    total: undefined as FleetTotal | undefined,
    /** Subjects in the order in which they were first put on record, and what was sent of them. */
    kept: new Map<string, string>(),
    sent: new Set<string>(),
    asked: new Map<string, Set<string>>(),
    closings: [] as ClosingMessage[],
    logged: [] as string[],
    effects: 0,
    armed: false,
  }
  const effect = async <T>(act: () => T): Promise<T> => {
    state.effects += state.armed ? 1 : 0
    const isCut = state.armed && state.effects === cut?.effect
    if (isCut && cut.when === 'before') throw new Error('killed')
    const result = act()
    if (isCut) throw new Error('killed')
    return result
  }
  const places: PlaceRecords = {
    get: async (of) => structuredClone(state.rows.get(placeKey(of))),
    put: (row, { after }) =>
      effect(() => {
        if ((state.rows.get(placeKey(row))?.sweep ?? after) !== after) return false
        state.rows.set(placeKey(row), structuredClone(row))
        return true
      }),
    all: async () => [...state.rows.values()],
    total: async () => state.total,
    putTotal: (total) => effect(() => void (state.total = total)),
  }
  const tools = {
    fleet,
    places,
    records: {
      keepNotice: ({ hash }: { hash: string }, { subject }: { subject: string }) =>
        effect(() => void (state.kept.has(hash) || state.kept.set(hash, subject))),
      lastReport: async () => undefined,
      endReport: async () => undefined,
    },
    queues: {
      sendTelling: ({ tell }: { tell: { hash: string } }) => effect(() => void state.sent.add(tell.hash)),
      sendEvaluations: (messages: readonly Evaluation[]) =>
        effect(() => {
          for (const { sweep = '', cluster } of messages)
            state.asked.set(sweep, (state.asked.get(sweep) ?? new Set()).add(cluster.name))
        }),
    },
    queue: {
      sendClosing: (message: ClosingMessage) => effect(() => void state.closings.push(message)),
    },
    now: () => new Date(at(12)),
    log: (event: string) => void state.logged.push(event),
  }
  /** As SQS does: until the message is done. `answers`: of each try, the last one of all that follow. */
  const list = async (hour: number, ...answers: Answer[]) => {
    for (let receives = 1; receives <= 5; receives += 1) {
      const answer = answers[Math.min(receives, answers.length) - 1]
      const tried = listPlace(
        { ...tools, list: async () => answer },
        { schemaVersion: 1, sweep: at(hour), place },
        { receives },
      )
      if (await tried.then(() => true).catch(() => false)) return
    }
    throw new Error('a dead letter')
  }
  const close = async (hour: number, closing: number) => {
    const message = { schemaVersion: 1, sweep: at(hour), closing } as const
    await closeSweep(tools, message).catch(() => closeSweep(tools, message))
  }
  const heard = () =>
    [...state.kept].filter(([hash]) => state.sent.has(hash)).map(([, subject]) => subject.split(':')[1]?.trim())
  return Object.assign(state, { list, close, heard })
}

const [gone, back] = ['they cannot be listed', 'they can be listed again']

interface Story {
  what: string
  before: (it: ReturnType<typeof world>) => Promise<void>
  /** Of the sweep at ten, try by try. */
  answers: Answer[]
}

const lasting = async (it: ReturnType<typeof world>) => {
  await it.list(8, well)
  await it.list(9, denied)
}
const told = async (it: ReturnType<typeof world>) => {
  await it.list(7, well)
  await it.list(8, denied)
  await it.list(9, denied)
}

const stories: Story[] = [
  { what: 'is listed', before: (it) => it.list(9, well), answers: [well] },
  { what: 'is refused for the first time', before: (it) => it.list(9, well), answers: [denied] },
  { what: 'is refused for the second time', before: lasting, answers: [denied] },
  { what: 'is refused and then listed by the next try', before: lasting, answers: [denied, well] },
  { what: 'is listed again', before: told, answers: [well] },
  { what: 'is listed again and then refused to the next try', before: told, answers: [well, denied] },
  { what: 'does not answer', before: lasting, answers: [silent] },
  { what: 'does not answer and is then listed', before: lasting, answers: [silent, well] },
]

const cuts = Array.from({ length: 8 }, (_, index) => index + 1).flatMap((effect): Cut[] => [
  { effect, when: 'before' },
  { effect, when: 'after' },
])

describe.each(stories)('a place that $what', ({ before, answers }) => {
  test.each(cuts)('with its function ended $when effect $effect', async (cut) => {
    const it = world(cut)
    await before(it)
    it.armed = true
    await it.list(10, ...answers)
    it.armed = false
    const row = it.rows.get(key)
    // It is done with this sweep, every known cluster is looked at, and the row says what one of the tries found.
    expect(row).toMatchObject({ sweep: at(10), clusters: ['a', 'b'] })
    expect([...(it.asked.get(at(10)) ?? [])].toSorted()).toEqual(['a', 'b'])
    // What people heard last is what is on record, and nothing was said twice.
    const heard = it.heard()
    expect(heard.at(-1)).toBe(row?.unlisted?.told ? gone : heard.length > 0 ? back : undefined)
    expect(heard).toEqual(heard.map((_, index) => (index % 2 === 0 ? gone : back)))
    expect(row?.unlisted === undefined || row.unlisted.told || row.unlisted.sweeps < 2).toBe(true)
    // And so it remains: a later sweep that lists it says so where people believe that it cannot be.
    await it.list(11, well)
    expect(it.heard().length % 2).toBe(0)
    expect(it.rows.get(key)).toEqual({ ...place, sweep: at(11), clusters: ['a', 'b'] })
  })
})

test('each story has as many effects as are cut, or fewer', async () => {
  for (const { before, answers } of stories) {
    const it = world()
    await before(it)
    it.armed = true
    await it.list(10, ...answers)
    expect(it.effects).toBeLessThanOrEqual(cuts.length / 2)
  }
})

test.each([
  ['denied', denied, well],
  ['listed', well, denied],
])(
  'two messages of one sweep at one time: the first that is done (%s) is the one that counts',
  async (_, first, late) => {
    const it = world()
    await told(it)
    // The second message has read the row before the first was done with it.
    const stale = structuredClone(it.rows.get(key))
    await it.list(10, first)
    const done = structuredClone(it.rows.get(key))
    const heard = it.heard()
    const current = it.rows
    it.rows = new Map(stale && [[key, stale]])
    const reading = it.list(10, late)
    it.rows = current
    await reading
    expect(it.rows.get(key)).toEqual(done)
    expect(it.heard()).toEqual(heard)
  },
)

describe('the end of a sweep', () => {
  test.each(cuts.slice(0, 4))('with its function ended $when effect $effect counts the fleet once', async (cut) => {
    const it = world(cut)
    await it.list(10, well)
    it.armed = true
    await it.close(10, 0)
    expect(it.total).toEqual({ sweep: at(10), clusters: 2 })
  })

  test.each(cuts.slice(0, 4))('that waits for a place, ended $when effect $effect, goes on waiting', async (cut) => {
    const it = world(cut)
    await it.list(9, well)
    it.armed = true
    await it.close(10, 0)
    expect(it.closings.at(-1)).toMatchObject({ sweep: at(10), closing: 1 })
    expect(it.total).toBeUndefined()
  })

  test.each(cuts.slice(0, 4))(
    'of which a place was never done, ended $when effect $effect, has that place as unknown, with its clusters',
    async (cut) => {
      const it = world(cut)
      await it.list(9, well)
      it.armed = true
      await it.close(10, 8)
      expect(it.rows.get(key)).toMatchObject({
        sweep: at(9),
        clusters: ['a', 'b'],
        unlisted: { cause: 'not-done', sweeps: 1 },
      })
      expect(it.total).toEqual({ sweep: at(10), clusters: 2 })
      // Late is not never.
      it.armed = false
      await it.list(10, well)
      expect(it.rows.get(key)).toEqual({ ...place, sweep: at(10), clusters: ['a', 'b'] })
    },
  )
})
