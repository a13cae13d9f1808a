import type { Verdict } from './report.ts'

/** The fleet in numbers, each a metric of that name. */
export type FleetCount = Record<`Clusters${string}` | 'OldestVerdictSeconds', number>

const names: Record<Verdict, string> = {
  'in-step': 'InStep',
  'out-of-step': 'OutOfStep',
  changing: 'Changing',
  'not-applicable': 'NotApplicable',
  unknown: 'Unknown',
}

/** `OldestVerdictSeconds`: of the cluster that nobody has looked at for the longest time; 0 without clusters. */
export const countFleet = (latest: readonly { verdict: Verdict; observedAt: string }[], now: Date): FleetCount => {
  const ages = latest.map(({ observedAt }) => (now.getTime() - Date.parse(observedAt)) / 1_000)
  const counts = Object.entries(names).map(([verdict, name]) => [
    `Clusters${name}`,
    latest.filter((it) => it.verdict === verdict).length,
  ])
  const oldest = ages.reduce((most, age) => Math.max(most, age), 0)
  return { ...Object.fromEntries(counts), Clusters: latest.length, OldestVerdictSeconds: Math.round(oldest) }
}

export const metricOf = (verdict: Verdict): string => `Clusters${names[verdict]}`
