import { Logger } from '@aws-lambda-powertools/logger'
import { bounded, plain, plainLines } from './domain/plain.ts'

/** One JSON line per event, with the facts as fields. Facts never hold secrets: no tokens, no webhook addresses, no environments. */
export const logger = (service: string) => {
  const lines = new Logger({ serviceName: service, jsonReplacerFn: clean })
  return {
    lines,
    log: ((event, facts, level = 'info') => lines[level](event, { ...facts })) satisfies Log,
  }
}

export type Log = (event: string, facts: object, level?: 'info' | 'warn') => void

/** Also of errors that somebody else wrote: no text leaves that could be taken for a line of ours or holds a secret. */
const clean = (key: string, value: unknown): unknown =>
  typeof value !== 'string' ? value : key === 'stack' ? plainLines(value).join('\n') : plain(bounded(value))
