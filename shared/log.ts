import { Logger } from '@aws-lambda-powertools/logger'

/** One JSON line per event, with the facts as fields. Facts never hold secrets: no tokens, no webhook addresses, no environments. */
export const logger = (service: string) => {
  const lines = new Logger({ serviceName: service })
  return {
    lines,
    log: (event: string, facts: object): void => lines.info(event, { ...facts }),
  }
}
