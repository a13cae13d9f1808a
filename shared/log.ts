import { Logger } from '@aws-lambda-powertools/logger'
import { origin } from './correlation.ts'
import { shortened, plain, plainLines } from './domain/plain.ts'
import { metricsOf } from './metrics.ts'

/**
 * One JSON line for each event, with the facts as fields. Facts never contain secrets: no tokens, no webhook URLs, no
 * environments.
 */
export const logger = (service: string) => {
  const lines = new Logger({ serviceName: service, jsonReplacerFn: clean })
  return {
    lines,
    log: ((event, facts, level = 'info') => {
      const it = { ...whereFrom(), ...facts }
      const seconds = (performance.now() - (origin()?.startedAt ?? performance.now())) / 1_000
      lines[level](event, { ...placeOf(it), ...it, ...metricsOf(event, it, { seconds, now: Date.now() }) })
    }) satisfies Log,
    failed: (error: Error) => lines.error('failed', { ...placeOf(whereFrom()), ...whereFrom(), error }),
  }
}

const whereFrom = (): { correlationId?: string; cluster?: unknown } => {
  const { correlationId, cluster } = origin() ?? {}
  return { ...(correlationId !== undefined && { correlationId }), ...(cluster !== undefined && { cluster }) }
}

/** From a cluster's key, so that a query by account or region needs no pattern. */
const placeOf = ({ cluster }: { cluster?: unknown }): object => {
  const [account, region, name] = typeof cluster === 'string' ? cluster.split('/') : []
  return name === undefined ? {} : { account, region }
}

export type Log = (event: string, facts: object, level?: 'info' | 'warn') => void

/** Also for foreign error texts: no text is logged that could be mistaken for a log line or contains a secret. */
const clean = (key: string, value: unknown): unknown =>
  typeof value !== 'string' ? value : key === 'stack' ? plainLines(value).join('\n') : plain(shortened(value))
