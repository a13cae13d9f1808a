import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { matchesPattern } from '../../lab/aws/event-pattern.ts'
import type { GatherRules } from '../../shared/domain/notice/gather.ts'
import { filterPolicyOf, type Route } from '../../shared/domain/notice/route.ts'
import { clusterNotice, type Published, storm, type StormOptions } from './storm-stage.ts'

const digest = { moreThan: 10, settleSeconds: 60, atMostMinutes: 15, dailyAt: '08:00', timezone: 'UTC' }
const rules = { digest }
const nights = { windows: [{ from: '22:00', to: '06:00', timezone: 'UTC' }], holds: ['info', 'warning'] as const }
const names = Array.from({ length: 300 }, (_, index) => `c${String(index).padStart(3, '0')}`)
const keyOf = (name: string) => `111122223333/eu-west-1/${name}`

/** What SNS delivers to a subscriber with this route's filter policy. */
const channel = (published: Published[], route: Route, progress = false): string[] =>
  published
    .filter(({ topic }) => topic === 'notices')
    .filter(({ notice }) => matchesPattern(filterPolicyOf(route, { progress }), notice.attributes))
    .map(({ notice }) => notice.subject)

/** 300 clusters lose the network one after another, 2 s apart, and one rollout halts in the middle; later all is well. */
const networkFault = async (options: StormOptions) => {
  const it = storm(options)
  for (const [index, name] of names.entries()) {
    await it.run(index * 2)
    await it.say(keyOf(name), clusterNotice(name, 'trouble', { tag: [`team=${index % 2 ? 'pay' : 'shop'}`] }))
    if (index === 150) await it.say(keyOf('halts'), clusterNotice('halts', 'halted'))
  }
  await it.run(3_600)
  for (const [index, name] of names.entries()) {
    await it.run(3_600 + index * 2)
    await it.say(keyOf(name), clusterNotice(name, 'in-step'))
  }
  await it.run()
  return it
}

describe('300 clusters out of step and back, a halt among them', () => {
  test('are the halt first, then one digest, then one that all is well: in mail and in Slack', async () => {
    const { published, dead, held } = await networkFault({ rules })
    const all = [
      '[critical] halts (111122223333 eu-west-1): rollout halted on n1',
      '[warning] 300 clusters (111122223333, eu-west-1): 300 UNREACHABLE',
      '[info] 300 clusters (111122223333, eu-west-1): 300 in-step',
    ]
    expect(channel(published, {})).toEqual(all)
    expect(channel(published, {}, true)).toEqual(all)
    expect([dead, [...held]]).toEqual([[], []])
  })

  test('are one page for who is told of critical ones alone', async () => {
    const { published } = await networkFault({ rules })
    expect(channel(published, { severity: ['critical'] })).toEqual([
      '[critical] halts (111122223333 eu-west-1): rollout halted on n1',
    ])
  })

  test('reach a topic of others by its own conditions, once each', async () => {
    const others = [{ topicArn: 'pager', route: { severity: ['critical' as const] }, progress: false }]
    const { published } = await networkFault({ rules, others, tags: ['team=pay'] })
    expect(published.filter(({ topic }) => topic === 'pager').map(({ notice }) => notice.attributes.kind)).toEqual([
      'halted',
    ])
    const [, one] = published.filter(({ topic }) => topic === 'notices')
    expect(one?.notice.attributes.tag).toEqual(['team=pay'])
  })

  test('the halt is sent in the very second, the digest when nothing new has come for a minute', async () => {
    const { published } = await networkFault({ rules })
    const seconds = published.map(({ second }) => second)
    expect(seconds[0]).toBe(300)
    expect(seconds[1]).toBeGreaterThanOrEqual(598 + 60)
    expect(seconds[1]).toBeLessThan(598 + 75)
  })

  test('without a digest each is a message of its own', async () => {
    const { published } = await networkFault({ rules: {} })
    expect(published).toHaveLength(601)
  })
})

describe('a halt while the notice that its cluster is out of step still waits for others', () => {
  const others = names.slice(0, 20)
  /** `last`: the halted cluster's own notice is the newest that waits, whose message works on all. */
  const scene = async (last: boolean, dieAt = 0, count = { effects: 0 }) => {
    const dies = () => {
      count.effects += 1
      if (count.effects === dieAt) throw new Error('killed')
    }
    const it = storm({ rules, dies })
    for (const name of last ? [...others, 'halts'] : ['halts', ...others])
      await it.say(keyOf(name), clusterNotice(name, 'trouble', { causes: ['RANGE_DIFFERS'] }))
    await it.run(30)
    await it.say(keyOf('halts'), clusterNotice('halts', 'halted'))
    await it.run()
    return it
  }

  test.each([true, false])('it is not said any more that nobody has to act there (the newest: %s)', async (last) => {
    const { published, held, dead, queue } = await scene(last)
    expect(channel(published, {})).toEqual([
      '[critical] halts (111122223333 eu-west-1): rollout halted on n1',
      '[warning] 20 clusters (111122223333, eu-west-1): 20 RANGE_DIFFERS',
    ])
    expect([[...held], dead, queue]).toEqual([[], [], []])
  })

  test('wherever the function dies, the others are told and nothing is left', async () => {
    const count = { effects: 0 }
    await scene(true, 0, count)
    for (let at = 1; at <= count.effects; at += 1) {
      const { published, held, dead, queue } = await scene(true, at)
      expect([at, [...held], dead, queue]).toEqual([at, [], [], []])
      const told = published.flatMap(({ notice }) => notice.attributes.cluster)
      expect(new Set(told)).toEqual(new Set(['halts', ...others]))
      expect(published.filter(({ notice }) => notice.attributes.kind === 'halted').length).toBeGreaterThan(0)
    }
  })
})

/** A range that changed everywhere: each cluster is out of step, its rollout is a third, two thirds on, and it is in step; one halts. */
const rangeChange = async () => {
  const it = storm({ rules, tags: ['team=pay', 'team=shop'] })
  let haltedAt = 0
  const team = (index: number) => ({ tag: [`team=${index % 3 === 0 ? 'pay' : 'shop'}`] })
  const each = async (from: number, tell: (name: string, index: number) => ReturnType<typeof clusterNotice>) => {
    for (const [index, name] of names.entries()) {
      await it.run(from + index * 2)
      await it.say(keyOf(name), tell(name, index))
      if (from !== 600 || index !== 20) continue
      haltedAt = it.clock()
      await it.say(keyOf('halts'), clusterNotice('halts', 'halted', team(0)))
    }
    await it.run()
  }
  await each(0, (name, index) => clusterNotice(name, 'trouble', { causes: ['RANGE_DIFFERS'], ...team(index) }))
  await each(600, (name, index) => clusterNotice(name, 'progress', team(index)))
  await each(3_600, (name, index) => clusterNotice(name, 'in-step', team(index)))
  return { ...it, haltedAt }
}

describe('300 clusters out of step, put in step by rollouts of which one halts: what each channel hears, in order', () => {
  const outOfStep = '[warning] 300 clusters (111122223333, eu-west-1): 300 RANGE_DIFFERS'
  const halt = '[critical] halts (111122223333 eu-west-1): rollout halted on n1'
  const again = '[info] 300 clusters (111122223333, eu-west-1): 300 in-step'
  const channels: [string, Route, boolean, string[]][] = [
    ['mail', {}, false, [outOfStep, halt, again]],
    ['Slack by a route of severities', { severity: ['critical', 'warning'] }, true, [outOfStep, halt]],
    ['Slack by a route of one team', { tag: [{ key: 'team', value: 'pay' }] }, false, [outOfStep, halt, again]],
    ['Slack by a route of another account', { account: ['999988887777'] }, true, []],
    ['a pager', { severity: ['critical'] }, false, [halt]],
  ]

  test.each(channels)('%s', async (_, route, progress, expected) => {
    const { published, dead } = await rangeChange()
    expect(channel(published, route, progress)).toEqual(expected)
    expect(dead).toEqual([])
  })

  test('Slack with progress: one message more, after the halt', async () => {
    const { published } = await rangeChange()
    const progress = '[info] 300 clusters (111122223333, eu-west-1): 300 rollouts proceed'
    expect(channel(published, {}, true)).toEqual([outOfStep, halt, progress, again])
    const [text = ''] = published.filter(({ notice }) => notice.subject === progress).map(({ notice }) => notice.text)
    expect(text).toContain('nobody has to act')
    expect(text).not.toContain('What to do')
  })

  test('the halt comes in the very second, between the digests', async () => {
    const { published, haltedAt } = await rangeChange()
    expect(haltedAt).toBeGreaterThan(600)
    expect(published.find(({ notice }) => notice.subject === halt)?.second).toBe(haltedAt)
  })

  test('progress is left out of a digest that has anything else', async () => {
    const it = storm({ rules })
    for (const name of names.slice(0, 40)) await it.say(keyOf(name), clusterNotice(name, 'progress'))
    for (const name of names.slice(40, 60)) await it.say(keyOf(name), clusterNotice(name, 'trouble'))
    await it.run()
    expect(channel(it.published, {})).toEqual(['[warning] 20 clusters (111122223333, eu-west-1): 20 UNREACHABLE'])
    expect(it.published[0]?.notice.text).not.toMatch(/half of the nodes|rollout/)
  })
})

describe('a digest', () => {
  test('says how many, where, and who acts, and names clusters up to a bound', async () => {
    const { published } = await networkFault({ rules })
    const text = published[1]?.notice.text ?? ''
    expect(text).toContain('300 × UNREACHABLE: cannot tell whether Calico is in step. A person must act.')
    expect(text).toContain('  111122223333 eu-west-1: c000, c001, c002')
    expect(text).toContain('c029 and 270 more')
    expect(text).toContain('What to do:\n1. Look for a common cause')
  })

  test('is not sent for so few clusters that each can be read: they come one by one, in order', async () => {
    const it = storm({ rules })
    for (const [second, name] of names.slice(0, 10).entries()) {
      await it.run(second)
      await it.say(keyOf(name), clusterNotice(name, 'trouble'))
    }
    await it.run()
    expect(it.published.map(({ notice }) => notice.attributes.cluster)).toEqual(names.slice(0, 10))
    expect(it.published.every(({ second }) => second >= 69 && second <= 71)).toBe(true)
  })

  test('waits no longer than its bound, however long it goes on', async () => {
    const it = storm({ rules })
    for (const [index, name] of names.entries()) {
      await it.run(index * 30)
      await it.say(keyOf(name), clusterNotice(name, 'trouble', { causes: [`CAUSE_${index}`] }))
    }
    await it.run()
    expect(it.published[0]?.second).toBeLessThanOrEqual(15 * 60 + 30)
  })

  test('of what was told within a day comes once, at its hour; what is new comes at once', async () => {
    const it = storm({ rules })
    const all = async (kind: 'trouble' | 'in-step', at: number, causes?: string[]) => {
      await it.run(at)
      for (const name of names.slice(0, 20))
        await it.say(keyOf(name), clusterNotice(name, kind, causes ? { causes } : {}))
    }
    for (const hour of [0, 2, 4]) {
      await all('trouble', hour * 3_600)
      await all('in-step', (hour + 1) * 3_600)
    }
    await all('trouble', 6 * 3_600, ['RANGE_DIFFERS'])
    await it.run()
    // Begun at 10:00: 08:00 of the next day is 22 hours later.
    const hours = it.published.map(({ second, notice }) => [Math.floor(second / 3_600), notice.about?.causes])
    expect(hours).toEqual([
      [0, ['UNREACHABLE']],
      [1, ['in-step']],
      [6, ['RANGE_DIFFERS']],
      [22, ['UNREACHABLE', 'in-step']],
    ])
  })
})

describe('two notices of one incident within a minute, because nobody knew at first that the cluster cannot be changed', () => {
  const trouble = (causes: string[], severity: 'warning' | 'critical', incident = 'one') =>
    clusterNotice('c', 'trouble', { causes, severity, incident })
  const told = async (notices: ReturnType<typeof trouble>[], gather: GatherRules = rules) => {
    const it = storm({ rules: gather })
    for (const [index, notice] of notices.entries()) {
      await it.run(index * 5)
      await it.say(keyOf('c'), notice)
    }
    await it.run()
    expect([it.held.size, it.dead, it.queue]).toEqual([0, [], []])
    return it.published.map(({ notice }) => notice.about?.causes)
  }
  const [first, both] = [['RANGE_DIFFERS'], ['RANGE_DIFFERS', 'ACCESS_DENIED']]

  test('are one, the later', async () => {
    expect(await told([trouble(first, 'critical'), trouble(both, 'critical')])).toEqual([both])
  })

  test('are two where no notice waits, and one where notices wait for seconds, however many come separately', async () => {
    const notices = [trouble(first, 'critical'), trouble(both, 'critical')]
    expect(await told(notices, {})).toEqual([first, both])
    expect(await told(notices, { digest: { ...digest, moreThan: 100, settleSeconds: 20 } })).toEqual([both])
  })

  test.each([
    [
      'where the earlier is more severe: who is told of critical ones alone must hear it',
      trouble(first, 'critical'),
      trouble(both, 'warning'),
    ],
    ['of two incidents', trouble(first, 'critical'), trouble(both, 'critical', 'another')],
  ])('are two %s', async (_, one, other) => {
    expect(await told([one, other])).toEqual([first, both])
  })
})

describe('quiet hours', () => {
  const start = '2026-11-20T23:00:00.000Z'

  test('hold back what is not urgent until they end; never a halt, nor what is critical', async () => {
    const it = storm({ rules: { digest, quietHours: nights }, start })
    await it.say(keyOf('a'), clusterNotice('a', 'trouble'))
    await it.say(keyOf('b'), clusterNotice('b', 'trouble', { severity: 'critical' }))
    await it.say(keyOf('c'), clusterNotice('c', 'halted'))
    await it.run()
    expect(it.published.map(({ second, notice }) => [notice.attributes.cluster, second])).toEqual([
      ['c', 0],
      ['b', expect.any(Number)],
      ['a', expect.any(Number)],
    ])
    expect(it.published[1]?.second).toBeLessThan(70)
    expect(it.published[2]?.second).toBeGreaterThanOrEqual(7 * 3_600)
    expect(it.published[2]?.second).toBeLessThan(7 * 3_600 + 900)
    expect([it.queue, it.dead]).toEqual([[], []])
  })

  test('hold nothing of a halt whatever they are told to hold', async () => {
    const quietHours = { ...nights, holds: ['info', 'warning', 'critical'] as const }
    const it = storm({ rules: { quietHours }, start })
    await it.say(keyOf('c'), clusterNotice('c', 'halted'))
    await it.run(1)
    expect(it.published).toHaveLength(1)
  })
})

describe('where the function dies', () => {
  const few = names.slice(0, 14)
  const scene = async (dieAt: number) => {
    const count = { effects: 0, at: '' }
    const dies = (effect: string) => {
      count.effects += 1
      if (count.effects !== dieAt) return
      count.at = effect
      throw new Error('killed')
    }
    const it = storm({ rules, dies })
    for (const name of few) await it.say(keyOf(name), clusterNotice(name, 'trouble'))
    await it.say(keyOf('halts'), clusterNotice('halts', 'halted'))
    await it.run(7_200)
    for (const name of few.slice(0, 4)) await it.say(keyOf(name), clusterNotice(name, 'in-step'))
    await it.run()
    return { it, ...count }
  }

  test('before any one effect, nothing is lost, nothing is left lying, and nothing is told twice but by one who died telling', async () => {
    const { effects, it: whole } = await scene(0)
    const wanted = new Set(whole.published.flatMap(({ notice }) => notice.attributes.cluster))
    expect(wanted.size).toBe(15)
    for (let at = 1; at <= effects; at += 1) {
      const { it, at: effect } = await scene(at)
      const told = it.published.flatMap(({ notice }) =>
        [notice.attributes.cluster].flat().map((name) => `${notice.attributes.kind === 'in-step'} ${name}`),
      )
      expect([at, it.dead, [...it.held.keys()], it.queue]).toEqual([at, [], [], []])
      expect(new Set(told).size).toBe(15 + 4)
      // SNS has taken it, and nobody has noted that: the same notice, with the same id, goes out again.
      expect([effect, told.length]).toEqual([effect, effect === 'confirm' ? expect.any(Number) : 15 + 4])
      expect(told.length).toBeLessThanOrEqual(2 * (15 + 4))
    }
  }, 60_000)
})

test('any storm: every notice is told, by itself or in a digest', async () => {
  const event = fc.record({
    cluster: fc.integer({ min: 0, max: 40 }),
    gap: fc.integer({ min: 0, max: 400 }),
    kind: fc.constantFrom('trouble', 'in-step', 'halted', 'progress'),
  })
  await fc.assert(
    fc.asyncProperty(fc.array(event, { maxLength: 60 }), fc.boolean(), async (events, quiet) => {
      const it = storm({ rules: { digest, ...(quiet && { quietHours: nights }) }, start: '2026-11-20T20:00:00.000Z' })
      const said = new Set<string>()
      let at = 0
      for (const { cluster, gap, kind } of events) {
        await it.run((at += gap))
        const name = `c${cluster}`
        said.add(name)
        await it.say(keyOf(name), clusterNotice(name, kind))
      }
      await it.run()
      const told = new Set(it.published.flatMap(({ notice }) => notice.attributes.cluster))
      expect([...said].filter((name) => !told.has(name))).toEqual([])
      expect([it.held.size, it.dead.length, it.queue.length]).toEqual([0, 0, 0])
    }),
    { numRuns: 15 },
  )
})
