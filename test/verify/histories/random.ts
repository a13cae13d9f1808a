/** Every chance of a history comes from here: the same seed and stream give the same numbers. */
export interface Random {
  /** From 0 up to and without 1. */
  next: () => number
  /** A whole number from `least` to `most`, both included. */
  between: (least: number, most: number) => number
  chance: (of: number) => boolean
  pick: <T>(from: readonly [T, ...T[]]) => T
}

/** mulberry32: 32 bits of state, which is enough for some thousand draws of a history. */
export const randomOf = (seed: number, stream: number): Random => {
  let state = Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(stream + 1, 0xc2b2ae35)
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  const between = (least: number, most: number) => least + Math.floor(next() * (most - least + 1))
  return {
    next,
    between,
    chance: (of) => next() < of,
    pick: (from) => from[between(0, from.length - 1)] ?? from[0],
  }
}
