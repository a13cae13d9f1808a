import type { Verdict } from './domain/report.ts'

type Facts = Readonly<Record<string, unknown>>
type Unit = 'Count' | 'Seconds'
type Metric = readonly [name: string, value: number, unit?: Unit]

/** A fact whose name begins with a capital letter is a metric: `Events`, `PlacesUnlisted`. */
const namedMetrics = (facts: Facts): Metric[] =>
  Object.entries(facts).flatMap(([name, it]) =>
    typeof it === 'number' && /^[A-Z]/.test(name) ? [[name, it] as const] : [],
  )

/** Log lines with metrics. The dimensions are the function and, for evaluations, the verdict, to limit the costs. */
export const counting: Record<string, (facts: Facts, seconds: number) => Metric[]> = {
  assessed: (facts, seconds) => [['LookSeconds', seconds, 'Seconds'], ...findingsBySeverity(facts['findings'])],
  told: () => [['Notices', 1]],
  'rollout begins': () => [['RolloutsBegun', 1]],
  'rollout finished': () => [['RolloutsDone', 1]],
  'rollout aborted': () => [['RolloutsAborted', 1]],
  'rollout halted': () => [['RolloutsHalted', 1]],
}

const severities = ['critical', 'warning', 'info']
const titled = (word: string): string => `${word.charAt(0).toUpperCase()}${word.slice(1)}`

const findingsBySeverity = (findings: unknown): Metric[] => {
  const all = Array.isArray(findings) ? (findings as { severity?: unknown }[]) : []
  return severities.map((severity) => [
    `Findings${titled(severity)}`,
    all.filter((it) => it.severity === severity).length,
  ])
}

const verdicts: readonly unknown[] = [
  'in-step',
  'out-of-step',
  'changing',
  'not-applicable',
  'unknown',
] satisfies Verdict[]

/**
 * Adds the embedded metric format of CloudWatch to a log line. Powertools Metrics would write separate lines and add 10.5 kB to
 * each bundle: docs/adr/0025-metrics-are-fields-of-log-lines.md.
 */
export const metricsOf = (event: string, facts: Facts, { seconds, now }: { seconds: number; now: number }): object => {
  const counted = Object.hasOwn(counting, event) ? (counting[event]?.(facts, seconds) ?? []) : []
  const metrics = [...counted, ...namedMetrics(facts)]
  if (metrics.length === 0) return {}
  const directive = (dimensions: string[], them: readonly Metric[]) => ({
    Namespace: process.env['POWERTOOLS_METRICS_NAMESPACE'] ?? 'CalicoIpvsSync',
    Dimensions: [dimensions],
    Metrics: them.map(([Name, , Unit = 'Count']) => ({ Name, Unit })),
  })
  const looks: Metric[] = event === 'assessed' && verdicts.includes(facts['verdict']) ? [['Looks', 1]] : []
  return {
    ...Object.fromEntries([...metrics, ...looks]),
    _aws: {
      Timestamp: now,
      CloudWatchMetrics: [
        directive(['service'], metrics),
        ...(looks.length > 0 ? [directive(['service', 'verdict'], looks)] : []),
      ],
    },
  }
}
