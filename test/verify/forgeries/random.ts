/** Chance that can be repeated: the same seed and number give the same throws. */
export interface Random {
  /** From 0 up to but not including `below`. */
  int: (below: number) => number
  chance: (share: number) => boolean
  pick: <T>(from: readonly T[]) => T
  /** Some of them, at least one, in any order. */
  some: <T>(from: readonly T[]) => T[]
}

/** mulberry32 */
export const randomOf = (seed: number, nth: number): Random => {
  let state = (Math.imul(seed, 0x9e3779b1) ^ Math.imul(nth + 1, 0x85ebca6b)) >>> 0
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let it = Math.imul(state ^ (state >>> 15), state | 1)
    it ^= it + Math.imul(it ^ (it >>> 7), it | 61)
    return ((it ^ (it >>> 14)) >>> 0) / 2 ** 32
  }
  const int = (below: number): number => Math.floor(next() * below)
  const pick = <T>(from: readonly T[]): T => {
    const at = int(from.length)
    if (at >= from.length) throw new Error('there is nothing to pick from')
    return from[at] as T
  }
  return {
    int,
    chance: (share) => next() < share,
    pick,
    some: (from) => {
      const first = pick(from)
      return from.filter((it) => it === first || next() < 0.4)
    },
  }
}
