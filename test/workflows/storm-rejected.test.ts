import { describe, expect, test } from '@jest/globals'
import type { OutgoingNotice } from '../../shared/domain/notice/outgoing.ts'
import { clusterNotice, storm, type StormOptions } from './storm-stage.ts'

const digest = { moreThan: 10, settleSeconds: 60, atMostMinutes: 15, dailyAt: '08:00', timezone: 'UTC' }
const keyOf = (name: string) => `111122223333/eu-west-1/${name}`
const others = ['broken', 'pager'].map((topicArn) => ({ topicArn, route: {}, progress: false }))
const names = (count: number, of = 'c') => Array.from({ length: count }, (_, index) => `${of}${index}`)

/** Of the topics, `broken` was deleted, or its policy or key denies the deployment; `until` then, in seconds. */
const scene = (
  count: number,
  { until = Number.POSITIVE_INFINITY, ...more }: Partial<StormOptions> & { until?: number } = {},
) => {
  const it = storm({
    rules: { digest },
    others,
    rejects: (topic) => {
      if (topic === 'broken' && it.clock() < until) throw new Error('AuthorizationError')
    },
    ...more,
  })
  const sayAll = async (wave: string) => {
    for (const name of names(count, wave)) await it.say(keyOf(name), clusterNotice(name, 'trouble'))
  }
  const told = (topic: string) =>
    it.published.filter((one) => one.topic === topic).flatMap(({ notice }) => notice.attributes.cluster)
  return { ...it, sayAll, told }
}
const reason = expect.stringContaining('SNS did not accept the notice') as unknown

describe('a topic of others that accepts nothing', () => {
  test.each([
    ['each notice by itself', 3],
    ['digests', 12],
  ])('keeps nobody else from hearing: %s', async (_, count) => {
    const it = scene(count)
    for (const [hour, wave] of ['a', 'b', 'c'].entries()) {
      await it.run(hour * 7_200)
      await it.sayAll(wave)
    }
    await it.run()
    const all = ['a', 'b', 'c'].flatMap((wave) => names(count, wave)).toSorted()
    expect(it.told('notices').toSorted()).toEqual(all)
    expect(it.told('pager').toSorted()).toEqual(all)
    expect(it.told('broken')).toEqual([])
    expect([it.held.size, it.state.batch, it.queue]).toEqual([0, undefined, []])
  })

  test('has a dead letter for each notice, with the reason; moved back, it reaches that topic alone', async () => {
    const it = scene(3, { until: 10_000 })
    await it.sayAll('a')
    await it.run()
    expect(it.dead.map(({ message, reason: why }) => [Object.keys(message), why])).toEqual(
      names(3).map(() => [['schemaVersion', 'retell'], reason]),
    )
    expect(it.dead[0]?.reason).toContain('AuthorizationError')
    await it.run(20_000)
    for (const { message } of it.dead) it.send(message)
    await it.run()
    for (const topic of ['notices', 'pager', 'broken']) expect(it.told(topic).toSorted()).toEqual(names(3, 'a'))
  })

  test('that accepts again within its tries has no dead letter and misses nothing', async () => {
    const it = scene(12, { until: 80 })
    await it.sayAll('a')
    await it.run()
    expect(it.told('broken').toSorted()).toEqual(names(12, 'a').toSorted())
    expect(it.dead).toEqual([])
  })

  test('is tried once for each batch: it may take ten seconds to answer', async () => {
    let tries = 0
    const it = scene(10, {
      rejects: (topic) => {
        if (topic !== 'broken') return
        tries += 1
        throw new Error('TimeoutError')
      },
    })
    await it.sayAll('a')
    await it.run(75)
    expect([it.told('notices').length, tries]).toEqual([10, 1])
  })

  test('and hears of no halt does not let the notice go out after it that nobody has to act', async () => {
    const it = scene(3)
    await it.sayAll('a')
    await it.run(30)
    await it.say(keyOf('a1'), clusterNotice('a1', 'halted'))
    await it.run()
    const kinds = (topic: string) =>
      it.published
        .filter((one) => one.topic === topic && one.notice.attributes.cluster === 'a1')
        .map(({ notice }) => notice.attributes.kind)
    expect([kinds('notices'), kinds('pager')]).toEqual([['halted'], ['halted']])
    expect(it.dead.map(({ message }) => Object.keys(message)[1])).toContain('tell')
  })
})

test('one notice that SNS does not accept, and one that is not recorded any more, are dead letters; the others are told', async () => {
  const rejects = (topic: string, { attributes }: OutgoingNotice) => {
    if (topic === 'notices' && attributes.cluster === 'c0') throw new Error('InvalidParameter')
  }
  const it = storm({ rules: { digest }, rejects })
  for (const name of names(4)) await it.say(keyOf(name), clusterNotice(name, 'trouble'))
  await it.run(30)
  const gone = [...it.kept.keys()].find((key) => key.startsWith(keyOf('c1')))
  it.kept.delete(gone ?? '')
  await it.run()
  expect(it.published.map(({ notice }) => notice.attributes.cluster)).toEqual(['c2', 'c3'])
  expect(it.dead.map(({ reason: why }) => why).toSorted()).toEqual([
    expect.stringMatching(/^PermanentError: .* is not recorded/),
    expect.stringMatching(/^RetryLaterError: .*InvalidParameter/),
  ])
  expect([it.held.size, it.state.batch]).toEqual([0, undefined])
})

test('wherever the function dies while a topic accepts nothing, the others hear all, and that topic has dead letters', async () => {
  const run = async (dieAt: number, count = { effects: 0 }) => {
    const it = scene(3, {
      dies: () => {
        count.effects += 1
        if (count.effects === dieAt) throw new Error('killed')
      },
    })
    await it.sayAll('a')
    await it.run()
    return { it, effects: count.effects }
  }
  const { effects } = await run(0)
  for (let at = 1; at <= effects; at += 1) {
    const { it } = await run(at)
    expect([at, it.held.size, it.state.batch, it.queue]).toEqual([at, 0, undefined, []])
    for (const topic of ['notices', 'pager'])
      expect([at, new Set(it.told(topic))]).toEqual([at, new Set(names(3, 'a'))])
    const dead = new Set(it.dead.map(({ message }) => JSON.stringify(message)))
    expect([at, dead.size]).toEqual([at, 3])
  }
})
