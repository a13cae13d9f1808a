import { describe, expect, test } from '@jest/globals'
import { absences, disturbance } from '../../verify/proof/disturbance.ts'

const life = (startedAt: number, endedAt?: number) => ({ pid: 1, startedAt, ...(endedAt !== undefined && { endedAt }) })
const node = (name: string, lives: ReturnType<typeof life>[], health: [number, boolean][]) => ({
  name,
  lives,
  health: health.map(([at, ready]) => ({ at, ready })),
})

/** Restarts at `at`, ready again 500 ms later. */
const restarting = (name: string, at: number) =>
  node(
    name,
    [life(0, at), life(at + 50)],
    [
      [100, true],
      [at + 80, false],
      [at + 500, true],
    ],
  )

describe('What the nodes showed of a change', () => {
  test('a restart is one absence, from the end of the old life to the readiness of the new', () => {
    expect(absences(restarting('a', 5000), 1000)).toEqual([{ node: 'a', from: 5000, to: 5500 }])
  })

  test('a Felix that never comes back is away for good', () => {
    const gone = node(
      'a',
      [life(0, 5000)],
      [
        [100, true],
        [5080, false],
      ],
    )
    expect(absences(gone, 1000)).toEqual([{ node: 'a', from: 5000, to: Number.POSITIVE_INFINITY }])
  })

  test('a crash loop is one absence, however many lives it takes', () => {
    const looping = node(
      'a',
      [life(0, 5000), life(5050, 5200), life(6050, 6200), life(7050)],
      [
        [100, true],
        [5080, false],
        [7500, true],
      ],
    )
    expect(disturbance([looping], 1000)).toEqual({ starts: [3], atOnce: 1, seconds: 2.5 })
  })

  test('a Felix that is unready without ending is away too', () => {
    const sick = node(
      'a',
      [life(0)],
      [
        [100, true],
        [5000, false],
        [6000, true],
      ],
    )
    expect(disturbance([sick], 1000)).toEqual({ starts: [0], atOnce: 1, seconds: 1 })
  })

  test('nodes one after the other are never two at once', () => {
    const { starts, atOnce } = disturbance([restarting('a', 5000), restarting('b', 6000)], 1000)
    expect({ starts, atOnce }).toEqual({ starts: [1, 1], atOnce: 1 })
  })

  test('nodes at the same time are counted together', () => {
    const all = [restarting('a', 5000), restarting('b', 5200), restarting('c', 5400), restarting('d', 9000)]
    expect(disturbance(all, 1000).atOnce).toBe(3)
  })

  test('what was before does not count', () => {
    expect(disturbance([restarting('a', 5000)], 5600)).toEqual({ starts: [0], atOnce: 0, seconds: 0 })
  })
})
