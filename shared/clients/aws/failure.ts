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
  const message = oneLine(`${name}: ${saidBy(error, status)}`)
  return { kind: kindOf(name, status), object, message, ...(typeof status === 'number' && { status }) }
}

/** In the SDK's own words, but where they are a hint for who debugs the SDK. */
const saidBy = (error: unknown, status: unknown): string => {
  const said = (error instanceof Error ? error.message : String(error)).replace(/\s*Deserialization error: .*$/s, '')
  const isUnread = typeof status === 'number' && status < 400
  return isUnread ? `HTTP ${status} with an answer that cannot be read: ${said}` : said
}

function kindOf(name: string, status: unknown): ReadFailure['kind'] {
  if (badCredentials.test(name) || status === 401) return 'unauthenticated'
  if (/AccessDenied|NotAuthorized/.test(name) || status === 403) return 'denied'
  if (typeof status !== 'number') return 'unreachable'
  // Broken off in the middle, or put there by something in between: the next try may be answered.
  if (status < 400) return 'unavailable'
  return status === 429 || status >= 500 || /Throttl|TooManyRequests/.test(name) ? 'unavailable' : 'malformed'
}

/** Success without what was asked for, as a proxy in between may answer: nothing is known by it, least of all that it is not there. */
export const noAnswer = (what: string): Error =>
  Object.assign(new Error(`the answer is empty where ${what} should be`), {
    name: 'EmptyAnswer',
    $metadata: { httpStatusCode: 200 },
  })
