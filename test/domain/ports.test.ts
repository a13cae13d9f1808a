import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import {
  annotationValue,
  covers,
  formatRanges,
  normalise,
  type PortRange,
  parsePortList,
  sameRanges,
  subtract,
  validRangesForWrite,
} from '../../shared/domain/ports.ts'

const range = (min: number, max = min): PortRange => ({ min, max })
const ranges = fc.array(
  fc
    .tuple(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 0, max: 9 }))
    .map(([min, more]) => range(min, min + more)),
  { maxLength: 8 },
)
const portsOf = (list: PortRange[]): Set<number> =>
  new Set(list.flatMap(({ min, max }) => Array.from({ length: max - min + 1 }, (_, at) => min + at)))
const sorted = (set: Set<number>): number[] => [...set].sort((a, b) => a - b)

describe('normalised ranges', () => {
  test('are ascending, disjoint, and merged where they touch', () => {
    expect(normalise([range(40000), range(30000, 30010), range(30011, 32767), range(31000, 33000)])).toEqual([
      range(30000, 33000),
      range(40000),
    ])
  })

  test('hold the same ports, with at least one free port between any two', () => {
    fc.assert(
      fc.property(ranges, (list) => {
        const normal = normalise(list)
        expect(sorted(portsOf(normal))).toEqual(sorted(portsOf(list)))
        for (const [at, it] of normal.entries())
          if (at > 0) expect(it.min).toBeGreaterThan((normal[at - 1]?.max ?? 0) + 1)
      }),
    )
  })

  test('leave what they were given as it was', () => {
    const given = [range(5, 9), range(1, 6)]
    normalise(given)
    expect(given).toEqual([range(5, 9), range(1, 6)])
  })
})

describe('as sets of ports', () => {
  test('order, splits and duplicates never matter', () => {
    expect(sameRanges([range(30000, 32767)], [range(31000, 32767), range(30000, 30999), range(30500)])).toBe(true)
    expect(sameRanges([range(30000, 32767)], [range(30000, 32766)])).toBe(false)
    expect(sameRanges([], [])).toBe(true)
  })

  test('subtracting and covering agree with the ports themselves', () => {
    fc.assert(
      fc.property(ranges, ranges, (a, b) => {
        const left = sorted(portsOf(a)).filter((port) => !portsOf(b).has(port))
        expect(sorted(portsOf(subtract(a, b)))).toEqual(left)
        expect(covers(b, a)).toBe(left.length === 0)
      }),
    )
  })
})

describe('the written form', () => {
  test('is one spelling for one set, without spaces', () => {
    expect(annotationValue([range(31000), range(30000, 30999), range(40000)])).toBe('30000:31000,40000')
    expect(formatRanges([range(31000), range(30000, 30100)])).toEqual(['30000:30100', '31000'])
  })

  test('of no port at all is what Felix takes for none, because it ignores an empty text', () => {
    expect(annotationValue([])).toBe('none')
  })

  test('is read by Felix as the same set', () => {
    fc.assert(
      fc.property(ranges, (list) => {
        const read = parsePortList(annotationValue(list))
        expect(list.length === 0 || (read.ok && sameRanges(read.ranges, list))).toBe(true)
      }),
    )
  })
})

describe("Felix's reading of a list", () => {
  test.each([
    ['30000:32767', [range(30000, 32767)]],
    ['30000:32767,40000', [range(30000, 32767), range(40000)]],
    ['030000:032767', [range(30000, 32767)]],
    ['0', [range(0)]],
    ['1:65535', [range(1, 65535)]],
    ['30080,30080', [range(30080), range(30080)]],
  ])('takes %s', (text, list) => {
    expect(parsePortList(text)).toEqual({ ok: true, ranges: list })
  })

  test.each([
    ['', ' is not a valid port range'],
    ['30000:32767, 40000', ' 40000 is not a valid port range'],
    ['30000:39999,', ' is not a valid port range'],
    ['30000-32767', '30000-32767 has port name set'],
    ['none', 'none has port name set'],
    ['32767:30000', '32767:30000 is not a valid port range'],
    ['65536', '65536 is not a valid port range'],
    ['[30000:39999]', '[30000:39999] is not a valid port range'],
    ['30000:32767\n', '30000:32767\n is not a valid port range'],
    ['+30000', '+30000 is not a valid port range'],
  ])('refuses %j', (text, reason) => {
    expect(parsePortList(text)).toEqual({ ok: false, reason })
  })
})

describe('before a write', () => {
  test('up to seven items go into annotation and spec', () => {
    expect(validRangesForWrite([range(31000), range(30000, 30100)])).toEqual({
      ok: true,
      ranges: [range(30000, 30100), range(31000)],
      annotation: '30000:30100,31000',
      spec: ['30000:30100', 31000],
    })
  })

  test('more than seven go into the annotation whole, and the spec is left out', () => {
    const eight = Array.from({ length: 8 }, (_, at) => range(30000 + 10 * at))
    const check = validRangesForWrite(eight)
    expect(check).toMatchObject({ ok: true, annotation: '30000,30010,30020,30030,30040,30050,30060,30070' })
    expect(check).not.toHaveProperty('spec')
  })

  test.each([[[range(0, 10)]], [[range(1, 65536)]], [[range(20, 10)]], [[range(1.5, 3)]], [[range(Number.NaN)]], [[]]])(
    'refuses %j',
    (list) => {
      expect(validRangesForWrite(list)).toMatchObject({ ok: false })
    },
  )
})
