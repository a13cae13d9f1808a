import { describe, expect, test } from '@jest/globals'
import {
  type JournalEntry,
  identityOf,
  journalKept,
  journalText,
  noted,
  parseJournal,
  written,
} from '../../shared/domain/rollout/journal.ts'
import { rangeAnnotation } from '../../shared/domain/rollout/annotations.ts'
import { control } from '../../shared/workflows/rollout/control.ts'
import { takeStep } from '../../shared/workflows/rollout/step.ts'
import type { StepEvent } from '../../shared/workflows/rollout/tools.ts'
import { felixObject, startRollout, worldOf, type World } from './world.ts'

const target = '20000:32767'
const journalOf = (world: World) => parseJournal(world.lease?.annotations['calico-ipvs-sync/journal']).entries
const step = async (world: World): Promise<boolean> => {
  const outcome = await takeStep(world.tools)
  if (outcome.next === 'wait') world.clock += outcome.seconds * 1000
  return outcome.next !== 'over'
}
const run = async (world: World) => {
  for (let left = 500; left > 0; left -= 1) if (!(await step(world))) return
  throw new Error('the rollout does not come to an end')
}
const story = (world: World) => journalOf(world).map(({ what, object, from, to }) => [what, object, from, to])

describe('the journal of a rollout', () => {
  test('names every object that was written, what stood there and what stands there now', async () => {
    const world = worldOf(['n0', 'n1'], [felixObject('default', { [rangeAnnotation]: '30000:32767' })])
    startRollout(world, { target, why: 'RANGE_DIFFERS' })
    await run(world)
    expect(story(world)).toEqual([
      ['override', 'FelixConfiguration/node.n0', '30000:32767', target],
      ['override', 'FelixConfiguration/node.n1', '30000:32767', target],
      ['promote', 'FelixConfiguration/default', '30000:32767', target],
      ['remove', 'FelixConfiguration/node.*', '2-overrides', undefined],
      ['done', 'Lease/kube-system/calico-ipvs-sync', undefined, undefined],
    ])
    expect(journalOf(world).every(({ by, rollout }) => by === 'test' && rollout === 'r1')).toBe(true)
    expect(journalOf(world).map(({ why }) => why)).toEqual([
      ...Array.from({ length: 3 }, () => 'RANGE_DIFFERS'),
      'default has the value',
      'RANGE_DIFFERS',
    ])
  })

  test('costs two writes of the Lease for each of an object, before it and after it, one before each removal, and one at the end', async () => {
    const world = worldOf(['n0', 'n1', 'n2'])
    startRollout(world, {
      target,
      pace: { strategy: 'staged', maxUnavailable: 3, canarySeconds: 0, settleSeconds: 0, nodeDeadlineSeconds: 60 },
    })
    let leases = 0
    const { putLease } = world.tools.kube
    const counting = (change: Parameters<typeof putLease>[0]) => {
      leases += 1
      return putLease(change)
    }
    world.tools = { ...world.tools, kube: { ...world.tools.kube, putLease: counting } }
    await run(world)
    expect(leases).toBe(2 * (3 + 1) + 3 + 1)
  })

  test('has the intent of a restart before the pod is deleted, once, though the process dies in between', async () => {
    const world = worldOf(['n0'])
    startRollout(world, { restart: world.pods.map(({ name }) => name) })
    const { deletePod } = world.tools.kube
    const dying = { ...world.tools.kube, deletePod: () => Promise.reject(new Error('the process died here')) }
    await expect(takeStep({ ...world.tools, kube: dying })).rejects.toThrow('died')
    expect(world.podRestarts).toHaveLength(0)
    expect(story(world)).toEqual([['restart', 'Pod/calico-system/calico-node-n0', 'uid-n0', undefined]])
    world.tools = { ...world.tools, kube: { ...world.tools.kube, deletePod } }
    await run(world)
    expect(story(world).filter(([what]) => what === 'restart')).toHaveLength(1)
  })

  test('has a write before it is made, and the object says so itself when the process dies right after a write', async () => {
    const world = worldOf(['n0'])
    startRollout(world, { target })
    const dying: typeof world.tools.kube.createFelix = async (...given) => {
      await world.tools.kube.createFelix(...given)
      throw new Error('the process died here')
    }
    const kube = { ...world.tools.kube, createFelix: dying }
    await expect(takeStep({ ...world.tools, kube })).rejects.toThrow('died')
    expect(story(world)).toEqual([['override', 'FelixConfiguration/node.n0', undefined, target]])
    const { annotations } = world.objects.get('node.n0') ?? felixObject('none')
    expect(annotations['calico-ipvs-sync/changed-at']).toBe('2026-02-01T12:00:00.000Z')
    expect(JSON.parse(annotations['calico-ipvs-sync/change'] ?? '')).toEqual({
      by: 'test',
      rollout: 'r1',
      seal: expect.any(String),
    })
  })

  test('says who paused, resumed and aborted', async () => {
    const world = worldOf(['n0', 'n1'])
    startRollout(world, { target })
    await step(world)
    const alice = { by: 'alice@laptop', now: () => new Date(world.clock) }
    await control(world.tools.kube, 'pause', alice)
    await control(world.tools.kube, 'resume', alice)
    await control(world.tools.kube, 'abort', alice)
    expect(journalOf(world).map(({ what, by }) => `${what} by ${by}`)).toEqual([
      'override by test',
      'pause by alice@laptop',
      'resume by alice@laptop',
      'abort by alice@laptop',
    ])
    await run(world)
    const whats = journalOf(world).map(({ what }) => what)
    expect(whats).toEqual(expect.arrayContaining(['take-back', 'aborted']))
  })

  test('is in the log, a line a write, with all the journal has', async () => {
    const world = worldOf(['n0'], [felixObject('default', { [rangeAnnotation]: '30000:32767' })])
    startRollout(world, { target, why: 'RANGE_DIFFERS' })
    const events: StepEvent[] = []
    world.tools = { ...world.tools, tell: (event) => events.push(event) }
    await run(world)
    const about = { rollout: 'r1', by: 'test', cause: 'RANGE_DIFFERS', from: '30000:32767', to: target }
    expect(events.slice(0, 2)).toMatchObject([
      { what: 'override written', object: 'FelixConfiguration/node.n0', ...about },
      { what: 'value written to default', object: 'FelixConfiguration/default', ...about },
    ])
  })
})

describe('the record of a rollout that writes more than the Lease has room for', () => {
  /** What an observation of the cluster could put on record, look by look: one comes wherever the rollout waits, and at its end. */
  const recordOf = async (world: World) => {
    const record = new Map<string, JournalEntry>()
    const lookNow = () => {
      const journal = parseJournal(world.lease?.annotations['calico-ipvs-sync/journal'])
      for (const entry of written(journal, [...world.objects.values()])) record.set(identityOf(entry), entry)
    }
    for (let left = 5_000; left > 0; left -= 1) {
      const outcome = await takeStep(world.tools)
      if (outcome.next !== 'now') lookNow()
      if (outcome.next === 'over') return [...record.values()]
      if (outcome.next === 'wait') world.clock += outcome.seconds * 1000
      world.clock += 1
    }
    throw new Error('the rollout does not come to an end')
  }
  const names = Array.from({ length: 85 }, (_, index) => `ip-10-0-${index}.eu-central-1.compute.internal`)
  const pace = { maxUnavailable: names.length, canarySeconds: 0, settleSeconds: 0, nodeDeadlineSeconds: 60 }
  /** So long that the Lease has room for 75 writes. */
  const by = `calico-ipvs-sync (AWS Lambda) ${'of the platform team '.repeat(10).trim()}`

  test('has every override, though nobody had to wait for a node', async () => {
    const world = worldOf(names)
    world.tools = { ...world.tools, holder: by }
    startRollout(world, { target, pace: { strategy: 'staged', ...pace } })
    world.lease = { ...world.lease!, holder: by }
    const record = await recordOf(world)
    expect(record.filter(({ what }) => what === 'override')).toHaveLength(names.length)
    expect(journalOf(world).length).toBeLessThan(80)
  })

  test('has every restart', async () => {
    const world = worldOf(names)
    world.tools = { ...world.tools, holder: by }
    startRollout(world, {
      restart: world.pods.map(({ name }) => name),
      pace: { strategy: 'staged', ...pace },
    })
    world.lease = { ...world.lease!, holder: by }
    const record = await recordOf(world)
    expect(record.filter(({ what }) => what === 'restart')).toHaveLength(names.length)
    expect(journalOf(world).length).toBeLessThan(80)
  })
})

describe('a journal of many entries', () => {
  const entry = (index: number): JournalEntry => ({
    at: new Date(index * 1000).toISOString(),
    rollout: 'r1',
    what: 'override',
    object: `FelixConfiguration/node.ip-10-0-${index}.eu-west-1.compute.internal`,
    from: '30000:32767, 31000',
    to: '20000:32767',
    by: 'calico-ipvs-sync (AWS Lambda)',
    why: 'RANGE_DIFFERS STRAY_NODE_PORT',
  })
  const many = Array.from({ length: 1_000 }, (_, index) => entry(index))

  test('keeps the newest and says how many went', () => {
    const kept = many.reduce((journal, it) => noted(journal, it), noted({ entries: [], earlier: 0 }))
    expect(journalText(kept).length).toBeLessThan(journalKept.characters + 100)
    expect(kept.entries.length + kept.earlier).toBe(1_000)
    expect(kept.entries.at(-1)).toEqual(entry(999))
  })

  test('reads back as it was written, whatever stands in the values', () => {
    const journal = noted({ entries: [], earlier: 3 }, entry(1), { ...entry(2), by: 'a b\nc' })
    const back = parseJournal(journalText(journal))
    expect(back).toEqual({ earlier: 3, entries: [entry(1), { ...entry(2), by: 'a b c' }] })
    expect(parseJournal('nonsense\n# x').entries).toEqual([])
  })
})
