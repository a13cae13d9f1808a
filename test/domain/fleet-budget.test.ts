import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import {
  emptyBudget,
  type FleetBudget,
  isSound,
  leave,
  permitSeconds,
  take,
} from '../../shared/domain/policy/fleet-budget.ts'

const asking = (cluster: string, now = 0, limit = 1) => ({ cluster, now, limit })

describe('the fleet budget', () => {
  test('is given to as many clusters as may be changed at one time; the others wait in line and are woken', () => {
    const first = take(emptyBudget, asking('a'))
    expect(first.permit).toEqual({ token: 1, until: '1970-01-01T00:05:00.000Z' })
    const second = take(first.store ?? emptyBudget, asking('b'))
    expect(second.permit).toBeUndefined()
    const left = leave(second.store ?? emptyBudget, asking('a'))
    expect(left.wake).toEqual(['b'])
    expect(take(left.store ?? emptyBudget, asking('b')).permit?.token).toBeGreaterThan(1)
  })

  test('asked for again it is the same permit, renewed each time', () => {
    const { store = emptyBudget, permit } = take(emptyBudget, asking('a'))
    const renewed = take(store, asking('a', 60_000))
    expect(renewed.permit).toEqual({ token: permit?.token, until: '1970-01-01T00:06:00.000Z' })
    expect(renewed.store?.holders).toMatchObject([{ cluster: 'a', until: '1970-01-01T00:31:00.000Z' }])
  })

  test('is not given back by who looked before another asked for it: a message that carries it may be under way', () => {
    const { store = emptyBudget } = take(emptyBudget, asking('a', 60_000))
    expect(leave(store, { ...asking('a', 70_000), idleSince: 50_000 })).toEqual({ wake: [] })
    expect(leave(store, { ...asking('a', 70_000), idleSince: 60_000 }).store?.holders).toEqual([])
  })

  test('is free again when its holder has not been heard of, and the old permit is not sound any more by then', () => {
    const { store = emptyBudget, permit } = take(emptyBudget, asking('a'))
    const later = permitSeconds * 1000
    expect(permit && isSound(permit, later - 60_000)).toBe(false)
    expect(take(store, asking('b', later - 1)).permit).toBeUndefined()
    const taken = take(store, asking('b', later))
    expect(taken.permit?.token).toBeGreaterThan(permit?.token ?? Infinity)
    expect(take(taken.store ?? emptyBudget, asking('a', later)).permit).toBeUndefined()
  })

  test("is not held by a cluster made again under the name of its holder, and not given back by that one's late messages", () => {
    const of = (incarnation: string) => ({ ...asking('a'), incarnation })
    const [earlier, later] = [of('2026-01-01T00:00:00.000Z'), of('2026-02-01T00:00:00.000Z')]
    const first = take(emptyBudget, earlier)
    const second = take(first.store ?? emptyBudget, later)
    expect(second.permit?.token).toBeGreaterThan(first.permit?.token ?? Infinity)
    const { store = emptyBudget } = second
    expect(store.holders).toHaveLength(1)
    expect(leave(store, earlier)).toEqual({ wake: [] })
    expect(leave(store, later).store?.holders).toEqual([])
    expect(leave(store, asking('a')).store?.holders).toEqual([])
  })

  test('nothing is written for a cluster that holds nothing while nobody waits', () => {
    expect(leave(emptyBudget, asking('a'))).toEqual({ wake: [] })
  })

  test('whatever happens in whatever order: never more sound permits than clusters may be changed, tokens only grow', () => {
    const event = fc.record({
      cluster: fc.constantFrom('a', 'b', 'c', 'd', 'e'),
      what: fc.constantFrom('take', 'take', 'leave'),
      after: fc.nat(1_200_000),
    })
    fc.assert(
      fc.property(fc.array(event, { maxLength: 60 }), fc.integer({ min: 1, max: 3 }), (events, limit) => {
        let budget: FleetBudget = emptyBudget
        let now = 0
        const given = new Map<string, { token: number; until: string }>()
        const tokens: number[] = []
        for (const { cluster, what, after } of events) {
          now += after
          if (what === 'take') {
            const { store, permit } = take(budget, asking(cluster, now, limit))
            if (permit && !tokens.includes(permit.token)) tokens.push(permit.token)
            if (permit) given.set(cluster, permit)
            budget = store ?? budget
          } else {
            given.delete(cluster)
            budget = leave(budget, asking(cluster, now, limit)).store ?? budget
          }
          expect([...given.values()].filter((permit) => isSound(permit, now)).length).toBeLessThanOrEqual(limit)
        }
        expect(tokens).toEqual(tokens.toSorted((a, b) => a - b))
      }),
    )
  })
})
