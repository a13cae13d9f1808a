import { describe, expect, test } from '@jest/globals'
import { withRequest, type Looks, noLooks, pendingMs } from '../../shared/domain/pending-look.ts'

const now = Date.parse('2026-11-29T10:00:00Z')
const gapMs = 60_000
const ask = (known: Partial<Looks> = {}, by = 'second') =>
  withRequest({ ...noLooks, askedBy: 'first', ...known }, { by, now, gapMs })

describe('an event', () => {
  test.each<[what: string, known: Partial<Looks>, delaySeconds: number | undefined]>([
    ['of a cluster that was never looked at asks for a look at once', {}, 0],
    ['long after the last look asks for one at once', { lookedAt: now - gapMs }, 0],
    ['soon after a look asks for one when the gap is over', { lookedAt: now - 20_000 }, 40],
    ['in the moment of a look waits for the whole gap', { lookedAt: now }, 60],
    ['asks for none while one is pending', { pendingUntil: now + 1 }, undefined],
    [
      'asks for none while one is pending that is due later',
      { lookedAt: now, pendingUntil: now + gapMs + pendingMs },
      undefined,
    ],
    ['asks again where a pending look was not begun for two minutes', { pendingUntil: now }, 0],
    ['is put off by no look of the future, which a wrong clock has written', { lookedAt: now + 86_400_000 }, 60],
    ['believes in no pending look of the far future', { pendingUntil: now + 86_400_000 }, 0],
  ])('%s', (_, known, delaySeconds) => expect(ask(known)?.delaySeconds).toBe(delaySeconds))

  test('tried again after its function died asks again, for nobody knows whether the look was sent', () => {
    expect(ask({ pendingUntil: now + pendingMs }, 'first')).toMatchObject({ delaySeconds: 0 })
  })

  test('that asks leaves the mark for two minutes after the look is due', () => {
    expect(ask({ lookedAt: now - 20_000 })?.store).toEqual({
      lookedAt: now - 20_000,
      lookedBy: '',
      pendingUntil: now + 40_000 + pendingMs,
      askedBy: 'second',
    })
  })
})
