import type { ReadFailure } from '../../domain/read.ts'
import { KubeError, type KubeErrorKind } from '../../errors.ts'
import { objectOf, oneLine, textOf } from '../foreign.ts'
import type { Answer } from './exchange.ts'

/** The error for a status of 300 and above. The body is a Status, or plain text if an aggregated API is down. */
export function refusal({
  status,
  text,
  headers = {},
}: Pick<Answer, 'status' | 'text'> & Partial<Pick<Answer, 'headers'>>): KubeError {
  const said = statusOf(text)
  const whole = oneLine(textOf(said['message']) ?? text, 100_000)
  const kind = isDeniedByWebhook(whole) ? 'denied' : kindOf(status)
  return new KubeError(kind, `${status}: ${shortened(whole) || 'no reason given'}`, {
    status,
    reason: textOf(said['reason']) ?? '',
    retryAfterSeconds: retryAfterIn(headers),
  })
}

/**
 * A webhook that denies a request chooses the status, also one that asks to read the object again or to wait. Only the
 * sentence that the API server puts before the webhook's own words tells it from an answer of the server.
 */
const isDeniedByWebhook = (message: string): boolean => /^admission webhook ".*" denied the request/.test(message)

/** The message for a rejected patch contains the whole object before the reason: its beginning and end are kept. */
const shortened = (message: string): string =>
  message.length <= 280 ? message : `${message.slice(0, 100)} … ${message.slice(-170)}`

/** Seconds, an hour at most. API servers send a number; what stands before one may send a date. */
export const retryAfterIn = (headers: Answer['headers']): number | undefined => {
  const text = headers['retry-after']?.trim() || undefined
  const seconds = Number(text ?? Number.NaN)
  const until = (Date.parse(text ?? '') - Date.now()) / 1_000
  const wait = Number.isNaN(seconds) ? until : seconds
  return wait >= 0 ? Math.min(Math.ceil(wait * 100) / 100, 3_600) : undefined
}

/** A failed read as a domain value. `object`: what was read. */
export function failureFrom(error: unknown, object: string): ReadFailure {
  if (!(error instanceof KubeError))
    return { kind: 'unreachable', object, message: oneLine(error instanceof Error ? error.message : String(error)) }
  const { kind, message, status, retryAfterSeconds } = error
  return {
    kind: failureKind(kind),
    object,
    message: oneLine(message),
    ...(status > 0 && { status }),
    ...(retryAfterSeconds !== undefined && { retryAfterSeconds }),
  }
}

function failureKind(kind: KubeErrorKind): ReadFailure['kind'] {
  return kind === 'not-found' || kind === 'conflict' ? 'unavailable' : kind === 'invalid' ? 'malformed' : kind
}

function kindOf(status: number): KubeErrorKind {
  switch (status) {
    case 401:
      return 'unauthenticated'
    case 403:
      return 'denied'
    case 404:
      return 'not-found'
    case 409:
      return 'conflict'
    case 400:
    case 415:
    case 422:
      return 'invalid'
    default:
      return status === 429 || status >= 500 || status === 410 ? 'unavailable' : 'malformed'
  }
}

function statusOf(text: string): Record<string, unknown> {
  try {
    return objectOf(JSON.parse(text))
  } catch {
    return {}
  }
}
