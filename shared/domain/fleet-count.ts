import type { Verdict } from './report.ts'

/** The fleet's metrics, by name. */
export type FleetCount = Record<`Clusters${string}` | 'OldestVerdictSeconds', number>

const names: Record<Verdict, string> = {
  'in-step': 'InStep',
  'out-of-step': 'OutOfStep',
  changing: 'Changing',
  'not-applicable': 'NotApplicable',
  unknown: 'Unknown',
}

/** `OldestVerdictSeconds`: the age of the oldest verdict of a cluster; 0 without clusters. */
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
