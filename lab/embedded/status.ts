import type { Fieldful } from './object.ts'

export interface Cause {
  reason?: string
  message: string
  field?: string
}

/** `meta/v1 Status`, the body of every failure. */
export interface Status {
  kind: 'Status'
  apiVersion: 'v1'
  metadata: Fieldful
  status: 'Failure' | 'Success'
  message?: string
  reason?: string
  details?: { name?: string; group?: string; kind?: string; uid?: string; causes?: Cause[]; retryAfterSeconds?: number }
  code?: number
}

/** What a Status calls an object: its plural in most failures, its kind where validation speaks. */
export interface Subject {
  group: string
  kind: string
  name?: string
}

/** Thrown anywhere below the HTTP door and answered there as its status. */
export class ApiFailure extends Error {
  readonly status: Status & { code: number }

  constructor(code: number, reason: string | undefined, message: string, details?: Status['details']) {
    super(message)
    this.status = {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message,
      ...(reason === undefined ? {} : { reason }),
      ...(details === undefined ? {} : { details }),
      code,
    }
  }
}

const qualified = ({ group, kind }: Subject): string => (group === '' ? kind : `${kind}.${group}`)

const detailsOf = ({ group, kind, name }: Subject): NonNullable<Status['details']> => ({
  ...(name === undefined || name === '' ? {} : { name }),
  ...(group === '' ? {} : { group }),
  kind,
})

export const badRequest = (message: string): ApiFailure => new ApiFailure(400, 'BadRequest', message)

export const unauthorized = (): ApiFailure => new ApiFailure(401, 'Unauthorized', 'Unauthorized')

export const notFound = (subject: Subject): ApiFailure =>
  new ApiFailure(404, 'NotFound', `${qualified(subject)} "${subject.name}" not found`, detailsOf(subject))

export const alreadyExists = (subject: Subject): ApiFailure =>
  new ApiFailure(409, 'AlreadyExists', `${qualified(subject)} "${subject.name}" already exists`, detailsOf(subject))

export const conflict = (subject: Subject, why: string): ApiFailure =>
  new ApiFailure(
    409,
    'Conflict',
    `Operation cannot be fulfilled on ${qualified(subject)} "${subject.name}": ${why}`,
    detailsOf(subject),
  )

export const modified = (subject: Subject): ApiFailure =>
  conflict(subject, 'the object has been modified; please apply your changes to the latest version and try again')

export const methodNotAllowed = (): ApiFailure =>
  new ApiFailure(405, 'MethodNotAllowed', 'the server does not allow this method on the requested resource', {})

export const unsupportedMediaType = (accepted: readonly string[]): ApiFailure =>
  new ApiFailure(
    415,
    'UnsupportedMediaType',
    `the body of the request was in an unknown format - accepted media types include: ${accepted.join(', ')}`,
  )

export const expired = (message: string): ApiFailure => new ApiFailure(410, 'Expired', message)

export const unprocessable = (): ApiFailure =>
  new ApiFailure(422, 'Invalid', 'the server rejected our request due to an error in our request', {})

export function invalid(subject: Subject, causes: readonly Cause[]): ApiFailure {
  const lines = [...new Set(causes.map(({ field, message }) => `${field}: ${message}`))]
  const all = lines.length === 1 ? lines[0] : `[${lines.join(', ')}]`
  const message = `${qualified(subject)} "${subject.name ?? ''}" is invalid: ${all}`
  return new ApiFailure(422, 'Invalid', message, { ...detailsOf(subject), causes: [...causes] })
}

/** A value that validation refuses: `what` completes the sentence after the value. */
export const invalidValue = (field: string, value: unknown, what: string): Cause => ({
  reason: 'FieldValueInvalid',
  message: `Invalid value: ${JSON.stringify(value)}: ${what}`,
  field,
})

export const requiredValue = (field: string, what?: string): Cause => ({
  reason: 'FieldValueRequired',
  message: what === undefined ? 'Required value' : `Required value: ${what}`,
  field,
})
