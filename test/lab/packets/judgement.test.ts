import { describe, expect, test } from '@jest/globals'
import type { Claim } from '../../verify/packets/claim.ts'
import { watchConnections } from '../../verify/packets/probe.ts'
import type { Heard } from '../../verify/packets/proxy-start.ts'
import { judged } from '../../verify/packets/proxy-words.ts'
import { isSabotageSeen } from '../../verify/packets/run.ts'

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
})

test('A watch of connections that ended by itself is not one that saw none fail', async () => {
  const machine = { follow: () => ({ exit: Promise.resolve(1), end: () => undefined }) }
  const watched = watchConnections({ machine } as never, ['tcp/10.1.0.1:30080'])
  await expect(watched.end()).rejects.toThrow('ended by itself')
})

test('Sabotage is seen where every chapter has claims that rest on the annotation, and all of them fell', () => {
  const chapter = (...claims: Partial<Claim>[]) => ({ title: '', tables: [], claims: claims as Claim[] })
  const fallen: Partial<Claim> = { byAnnotation: true, holds: false }
  const standing: Partial<Claim> = { byAnnotation: true, holds: true }
  const broken: Partial<Claim> = { holds: false }
  expect(isSabotageSeen([chapter(fallen), chapter(fallen, { holds: true })], 2)).toBe(true)
  expect(isSabotageSeen([chapter(fallen), chapter(fallen, standing)], 2)).toBe(false)
  expect(isSabotageSeen([chapter(fallen), chapter(broken)], 2)).toBe(false)
  expect(isSabotageSeen([], 0)).toBe(false)
})
