/** Ours beside another, in one run: the medians, and all single figures. Nothing is compared with another machine's. */
export interface Result {
  name: string
  unit: Unit
  ours: number
  other: number
  otherName: string
  ratio: number
  /** The most that the ratio may be; absent: only told. */
  bound?: number
  holds?: boolean
  runs: { ours: number[]; other: number[] }
}

export type Unit = 'ms' | 'MB' | 'bytes' | 'requests' | 'messages' | 'times'

export interface Measured {
  name: string
  unit: Unit
  ours: readonly number[]
  other: readonly number[]
  otherName: string
  bound?: number
  /** Instead of the medians: of both the figure below which this part of all lies. */
  part?: number
}

export const median = (values: readonly number[]): number => {
  const sorted = values.toSorted((a, b) => a - b)
  const half = sorted.length / 2
  return ((sorted[Math.ceil(half) - 1] ?? Number.NaN) + (sorted[Math.floor(half)] ?? Number.NaN)) / 2
}

/** Of a few figures it is one of them: `part` of all are not greater. */
const quantile = (values: readonly number[], part: number): number =>
  values.toSorted((a, b) => a - b)[Math.max(0, Math.ceil(values.length * part) - 1)] ?? Number.NaN

const rounded = (value: number): number => Math.round(value * 10) / 10

export function compared({ name, unit, ours, other, otherName, bound, part }: Measured): Result {
  const figure = (values: readonly number[]): number => (part === undefined ? median(values) : quantile(values, part))
  const ratio = Math.round((figure(ours) / figure(other)) * 100) / 100
  return {
    name,
    unit,
    ours: rounded(figure(ours)),
    other: rounded(figure(other)),
    otherName,
    ratio,
    ...(bound !== undefined && { bound, holds: ratio <= bound }),
    runs: { ours: ours.map(rounded), other: other.map(rounded) },
  }
}

export const lineOf = ({ name, unit, ours, other, otherName, ratio, bound, holds }: Result): string =>
  `${holds === undefined ? ' ' : holds ? '✓' : '✗'} ${name}: ${ours} ${unit}, ${otherName} ${other} ${unit}: ${ratio}${bound === undefined ? '' : ` (at most ${bound})`}`

/**
 * Round after round, each subject once in every round, so that what else the machine does falls on all of them alike. One
 * round that does not count fills caches, those of compiled code among them.
 */
export async function interleaved<T>(
  rounds: number,
  subjects: Readonly<Record<string, () => Promise<T>>>,
): Promise<Record<string, T[]>> {
  const runs = Object.fromEntries(Object.keys(subjects).map((name) => [name, [] as T[]]))
  for (let round = -1; round < rounds; round += 1)
    for (const [name, run] of Object.entries(subjects)) {
      const measured = await run()
      if (round >= 0) runs[name]?.push(measured)
    }
  return runs
}
