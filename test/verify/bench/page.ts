import type { Result } from './comparison.ts'

export interface Bench {
  at: string
  machine: { cpus: number; model: string; platform: string; arch: string }
  versions: Record<string, string>
  /** What could not be measured on that machine, and why. */
  notMeasured: string[]
  results: Result[]
}

const heads = ['', 'ours', 'beside', '', 'ratio', 'at most', '']

/** `docs/performance.md`: every figure with its spread. */
export function performancePage({ at, machine, versions, notMeasured, results }: Bench): string {
  const rows = results.map((it) => [
    it.name,
    spread(it.ours, it.runs.ours, it.unit),
    it.otherName,
    spread(it.other, it.runs.other, it.unit),
    String(it.ratio),
    it.bound === undefined ? '' : String(it.bound),
    it.holds === undefined ? '' : it.holds ? '✓' : '✗',
  ])
  const held = results.filter(({ holds }) => holds).length
  const bound = results.filter(({ holds }) => holds !== undefined).length
  return `# Performance

Written by \`npm run bench\` on ${at.slice(0, 10)}: ${machine.cpus} CPUs (${machine.model}, ${machine.platform} ${machine.arch}), ${Object.entries(
    versions,
  )
    .map(([name, version]) => `${name} ${version}`)
    .join(', ')}.

Every figure stands beside another of the same run, taken by turns: medians, with the least and the most. The ratios can be compared between
machines, the figures cannot. ${held} of ${bound} bounds hold.${notMeasured.length > 0 ? `\nNot measured on this machine: ${notMeasured.join('; ')}.` : ''}

| ${heads.join(' | ')} |
| ${heads.map(() => '---').join(' | ')} |
${rows.map((row) => `| ${row.join(' | ')} |`).join('\n')}
`
}

const spread = (value: number, runs: readonly number[], unit: Result['unit']): string => {
  const least = Math.min(...runs)
  const most = Math.max(...runs)
  const text = (it: number): string => (it >= 100 ? Math.round(it) : it).toLocaleString('en')
  return `${text(value)} ${unit}${least === most ? '' : ` (${text(least)} to ${text(most)})`}`
}
