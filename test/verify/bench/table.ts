import type { Run } from './run-measured.ts'

export interface Subject {
  name: string
  runs: Run[]
}

export interface Row {
  name: string
  medianMs: number
  leastMs: number
  mostMs: number
  peakMb?: number
  /** The median in parts of that of the first row. */
  ratio: number
}

export const median = (values: readonly number[]): number => {
  const sorted = values.toSorted((a, b) => a - b)
  const half = sorted.length / 2
  return ((sorted[Math.ceil(half) - 1] ?? Number.NaN) + (sorted[Math.floor(half)] ?? Number.NaN)) / 2
}

/** Beside the first one, which the others are measured by. */
export function rowsOf(subjects: readonly Subject[]): Row[] {
  const first = median(subjects[0]?.runs.map(({ milliseconds }) => milliseconds) ?? [])
  return subjects.map(({ name, runs }) => {
    const times = runs.map(({ milliseconds }) => milliseconds)
    const peaks = runs.flatMap(({ peakMb }) => peakMb ?? [])
    const medianMs = Math.round(median(times))
    return {
      name,
      medianMs,
      leastMs: Math.round(Math.min(...times)),
      mostMs: Math.round(Math.max(...times)),
      ...(peaks.length > 0 && { peakMb: Math.round(median(peaks)) }),
      ratio: Math.round((median(times) / first) * 100) / 100,
    }
  })
}

const heads = ['', 'median', 'least', 'most', 'peak', 'ratio']

export function tableOf(title: string, rows: readonly Row[]): string {
  const cells = rows.map((row) => [
    row.name,
    `${row.medianMs} ms`,
    `${row.leastMs} ms`,
    `${row.mostMs} ms`,
    row.peakMb === undefined ? '' : `${row.peakMb} MB`,
    row.ratio.toFixed(2),
  ])
  const widths = heads.map((head, at) => Math.max(head.length, ...cells.map((row) => row[at]?.length ?? 0)))
  const line = (row: readonly string[]) =>
    row.map((cell, at) => (at === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[at] ?? 0))).join('  ')
  return [title, line(heads), ...cells.map(line)].join('\n')
}
