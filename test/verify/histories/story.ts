import type { History } from './history.ts'

/** A history for people: who did what when, up to the first invariant that fell and a little more. */
export const storyOf = ({ seed, story, falls, faults, hash }: History): string => {
  const [first] = falls
  const until = first ? first.at + 60_000 : Infinity
  const lines = story
    .filter(({ at }) => at <= until)
    .map(({ at, who, what }) => `${clock(at)}  ${who.padEnd(16)} ${what}`)
  const happened = Object.entries(faults).map(([what, count]) => `${count} x ${what}`)
  return [
    `Seed ${seed}`,
    `Faults: ${happened.join(', ') || 'none'}`,
    '',
    ...lines,
    '',
    ...(first
      ? falls.map(({ invariant, at, what }) => `${clock(at)}  ${invariant} fell: ${what}`)
      : ['All invariants held.']),
    `Hash ${hash}`,
  ].join('\n')
}

const clock = (at: number): string => new Date(at).toISOString().slice(5, 23).replace('T', ' ')
