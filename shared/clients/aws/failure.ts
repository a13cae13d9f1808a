import type { ReadFailure } from '../../domain/read.ts'
import { objectOf, oneLine, textOf } from '../foreign.ts'

const badCredentials =
  /ExpiredToken|UnrecognizedClient|InvalidClientTokenId|InvalidSignature|SignatureDoesNotMatch|CredentialsProviderError|IncompleteSignature/

export const nameOf = (error: unknown): string => textOf(objectOf(error)['name']) ?? ''
export const isNotFound = (error: unknown): boolean => nameOf(error) === 'ResourceNotFoundException'

/**
 * A failed AWS call as a domain value. `called`: `eks:DescribeCluster`; an error may name another call that it
 * needed.
 */
export function awsFailure(error: unknown, called: string): ReadFailure {
  const object = textOf(objectOf(error)['call']) ?? called
  const status = objectOf(objectOf(error)['$metadata'])['httpStatusCode']
  const name = nameOf(error)
  const message = oneLine(`${name}: ${error instanceof Error ? error.message : String(error)}`)
  return { kind: kindOf(name, status), object, message, ...(typeof status === 'number' && { status }) }
}

function kindOf(name: string, status: unknown): ReadFailure['kind'] {
  if (badCredentials.test(name) || status === 401) return 'unauthenticated'
  if (/AccessDenied|NotAuthorized/.test(name) || status === 403) return 'denied'
  if (typeof status !== 'number') return 'unreachable'
  return status === 429 || status >= 500 || /Throttl|TooManyRequests/.test(name) ? 'unavailable' : 'malformed'
}
