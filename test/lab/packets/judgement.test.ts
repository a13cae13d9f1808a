import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import type { Chapter, Claim } from '../../verify/packets/claim.ts'
import { all, answerOf } from '../../verify/packets/grounds.ts'
import { type Attempt, countAttempts, notTried, untilOutcomes, watchConnections } from '../../verify/packets/probe.ts'
import type { Heard } from '../../verify/packets/proxy-start.ts'
import { judged, ranAll } from '../../verify/packets/proxy-words.ts'
import { brokenAt, countStreams, holdStreams, isOnlyFirst } from '../../verify/packets/streams.ts'
import { chapters, isSabotageSeen, sabotaged } from '../../verify/packets/run.ts'

const start = (it: Partial<Heard>): Heard => ({
  version: 'v1.24.17',
  mode: 'ipvs',
  kernel: 'no ip_vs',
  link: false,
  lines: [],
  ...it,
})
const held = (heard: Heard[]) => judged(heard).map(({ holds }) => holds)
const old = start({ answered: 'iptables' })

describe('What is claimed of starts of kube-proxy', () => {
  test('does not hold of none', () => {
    expect(held([])).toEqual([false, false, false])
  })

  test('one that neither served nor ended is not one that ended', () => {
    const late = (it: Partial<Heard>) => start({ version: 'v1.33.5', ...it })
    expect(held([old, late({ exit: 1 })])[2]).toBe(true)
    expect(held([old, late({})])[2]).toBe(false)
    expect(held([old, late({ answered: 'ipvs' })])[2]).toBe(false)
    expect(held([old])[2]).toBe(false)
  })

  test('one in another mode than it was asked for is not one that is understood, but for one that falls back', () => {
    const lines = (mode: string) => [`I0101 00:00:00.000000 1 server_others.go:208] "Using ${mode} Proxier"`]
    const fell = start({ answered: 'iptables', lines: lines('iptables') })
    expect(held([fell])[0]).toBe(true)
    expect(held([{ ...fell, kernel: 'ip_vs' }])[0]).toBe(false)
    expect(held([{ ...fell, mode: 'nftables' }])[0]).toBe(false)
    expect(held([start({ mode: 'iptables', kernel: 'ip_vs', answered: 'ipvs', lines: lines('ipvs') })])[0]).toBe(false)
    expect(held([start({ kernel: 'ip_vs', answered: 'ipvs', lines: lines('ipvs') })])[0]).toBe(true)
  })
})

test('A version ran where its own log says that it is that version', () => {
  const early = start({
    version: 'v1.21.14',
    lines: ['I1130 08:00:29.011491     209 server.go:647] Version: v1.21.14'],
  })
  const late = start({
    version: 'v1.33.5',
    lines: ['I1130 08:00:29.011491 8 server.go:516] "Version info" version="v1.33.5"'],
  })
  expect(ranAll(['v1.21.14', 'v1.33.5'], [early, late]).holds).toBe(true)
  expect(ranAll(['v1.21.14', 'v1.33.5'], [early, { ...late, version: 'v1.36.3' }]).holds).toBe(false)
  expect(ranAll(['v1.21.14', 'v1.33.5'], [early]).after).toBe('v1.21.14')
  expect(ranAll([], []).holds).toBe(false)
})

test('A watch of connections that ended by itself is not one that saw none fail', async () => {
  const machine = { follow: () => ({ exit: Promise.resolve(1), end: () => undefined }) }
  const watched = watchConnections({ machine } as never, ['tcp/10.1.0.1:30080'])
  await expect(watched.end()).rejects.toThrow('ended by itself')
})

const tried = (it: Partial<Attempt>): Attempt => ({ at: 0, target: 'tcp/10.1.0.1:30080', millis: 5, ...it })

test('A watch counts the connections that failed and those that were late, and is none where it tried too few', () => {
  const attempts = [
    tried({ answered: 'web-1' }),
    tried({ failed: 'timeout', millis: 3000 }),
    tried({ answered: 'web-1', millis: 1200 }),
  ]
  const seen = { tried: 3, failed: 1, which: ' (tcp/10.1.0.1:30080 timeout)', late: 1, seconds: 1 }
  expect(countAttempts(attempts, 1, 1)).toEqual(seen)
  expect(() => countAttempts(attempts, 1, 2)).toThrow('Only 3 connections were tried in 2 s, of at least 4')
  const late = tried({ at: 6000, answered: 'web-1' })
  expect(() => countAttempts([...attempts, late], 1, 1)).toThrow('No connection was tried for 6 s.')
})

test('A stream is broken where its last question was not answered, and counts for the node that it goes through', () => {
  const targets = ['tcp/10.1.0.1:30080', 'tcp/10.1.0.11:30080', 'tcp/10.1.0.1:30080']
  const on = (stream: number, it: Partial<Attempt>) => ({ ...tried(it), stream, target: targets[stream] ?? '' })
  const heard = [
    on(0, { answered: 'web-1' }),
    on(1, { answered: 'web-1', millis: 800 }),
    on(0, { failed: 'reset by peer' }),
  ]
  const { broken, ...rest } = countStreams(targets, heard)
  // The third was never heard of.
  expect(broken).toEqual([true, false, true])
  expect(rest).toEqual({ which: ' (tcp/10.1.0.1:30080 reset by peer)', slowest: 800 })
  expect(brokenAt('10.1.0.1', targets, broken)).toEqual({ wrong: 2, tried: 2 })
  expect(brokenAt('10.1.0.11', targets, broken)).toEqual({ wrong: 0, tried: 1 })
})

test('Streams that the watch no longer holds are not streams that stay', async () => {
  let end = (_code: number): void => undefined
  const follow = (_: string, onLine: (line: string) => void) => {
    onLine(JSON.stringify({ ...tried({ answered: 'web-1' }), stream: 0 }))
    return { exit: new Promise<number>((resolve) => (end = resolve)), end: () => undefined }
  }
  const held = await holdStreams({ machine: { follow } } as never, ['tcp/10.1.0.1:30080'])
  end(1)
  await expect(held.end()).rejects.toThrow('the watch ended by itself')
})

test('Only streams through the first node broke: all of them, and no other', () => {
  const [all, none] = [
    { wrong: 2, tried: 2 },
    { wrong: 0, tried: 2 },
  ]
  expect(isOnlyFirst([all, none])).toBe(true)
  expect(isOnlyFirst([none, none])).toBe(false)
  expect(isOnlyFirst([{ wrong: 1, tried: 2 }, none])).toBe(false)
  expect(isOnlyFirst([all, all])).toBe(false)
  expect(isOnlyFirst([all])).toBe(false)
  expect(isOnlyFirst([all, { wrong: 0, tried: 0 }])).toBe(false)
})

test('Where no try comes to its end, no target has an outcome', async () => {
  const machine = { run: () => Promise.reject(new Error('The machine is gone.')) }
  expect(await untilOutcomes({ machine } as never, ['tcp/10.1.0.1:30080'], () => true, 0)).toEqual([notTried])
})

test('What is computed by Calico’s own code is the answer that the claim rests on', () => {
  const computed = all.flatMap(({ computed: name, answer }) => (name === undefined ? [] : [{ name, answer }]))
  expect(computed).toEqual(computed.map(({ name }) => ({ name, answer: answerOf(name) })))
})

test('Sabotage is seen where every chapter has claims that rest on the annotation, and packets brought all of them down', () => {
  const chapter = (...claims: Partial<Claim>[]) => ({ title: '', tables: [], claims: claims as Claim[] })
  const wrong = { wrong: 4, tried: 4 }
  const fallen: Partial<Claim> = {
    byAnnotation: true,
    succeeded: true,
    holds: false,
    figures: { before: wrong, after: wrong },
  }
  const someRight = { ...fallen, figures: { before: wrong, after: { wrong: 2, tried: 4 } } }
  const halted = { ...fallen, succeeded: false }
  const allRight = { ...fallen, figures: { before: wrong, after: { wrong: 0, tried: 4 } } }
  const standing: Partial<Claim> = { ...fallen, holds: true }
  const { figures: _figures, ...uncounted } = fallen
  const broken: Partial<Claim> = { holds: false }
  expect(isSabotageSeen([chapter(fallen), chapter(fallen, { holds: true })], 2)).toBe(true)
  expect(isSabotageSeen([chapter(fallen), chapter(fallen, standing)], 2)).toBe(false)
  expect(isSabotageSeen([chapter(fallen), chapter(broken)], 2)).toBe(false)
  expect(isSabotageSeen([chapter(fallen), chapter(allRight)], 2)).toBe(false)
  expect(isSabotageSeen([chapter(fallen), chapter(someRight)], 2)).toBe(false)
  // Its own failure is not what packets say, nor is a claim that counts none.
  expect(isSabotageSeen([chapter(fallen), chapter(halted)], 2)).toBe(false)
  expect(isSabotageSeen([chapter(fallen), chapter(fallen, uncounted)], 2)).toBe(false)
  expect(isSabotageSeen([], 0)).toBe(false)
})

describe('A chapter with a claim that rests on the annotation', () => {
  const folder = join(import.meta.dirname, '../../verify/packets')

  test('is sabotaged, and no other', () => {
    const resting = chapters.filter(({ name }) =>
      /byAnnotation: true,\n\s+succeeded:/.test(readFileSync(join(folder, `${name}.ts`), 'utf8')),
    )
    expect(resting.length).toBeGreaterThan(0)
    expect(sabotaged).toEqual(resting.map(({ name }) => name))
  })

  test('says so: another cannot make such a claim', async () => {
    const claim: Claim = { claim: '', command: '', before: '', after: '', holds: true, byAnnotation: true }
    const plain: Chapter = {
      name: 'plain',
      title: 'Plain',
      // @ts-expect-error -- it would be left out of the sabotage
      prove: (_, say) => Promise.resolve(say(claim)),
    }
    expect(plain.byAnnotation).toBeUndefined()
  })
})
