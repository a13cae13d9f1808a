import { createHash, createHmac, timingSafeEqual } from 'node:crypto'

/**
 * The receiving side of AWS Signature Version 4 for presigned GET requests, computed from its specification alone, so that it can
 * tell whether a signer is right. https://docs.aws.amazon.com/IAM/latest/UserGuide/create-signed-request.html
 */
export interface PresignedRequest {
  path: string
  /** Decoded, in any order. */
  query: [name: string, value: string][]
  /** By lower-case name, as they arrived. */
  headers: Record<string, string | string[] | undefined>
}

export interface Presigned {
  accessKeyId: string
  /** `yyyymmdd`, the first part of the credential's scope. */
  day: string
  region: string
  service: string
  /** When it was signed. */
  signedAt: Date
  sessionToken: string | undefined
}

/** What the request says of its signature; undefined when it is not presigned, or not in this form. */
export function readPresigned({ query }: PresignedRequest): Presigned | undefined {
  const parameters = new Map(query)
  const scope = parameters.get('X-Amz-Credential')?.split('/') ?? []
  const [accessKeyId, day, region, service, end] = scope
  const date = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(parameters.get('X-Amz-Date') ?? '')
  const known = parameters.get('X-Amz-Algorithm') === 'AWS4-HMAC-SHA256' && end === 'aws4_request'
  if (!known || !accessKeyId || !day || !region || !service || !date || date[0].slice(0, 8) !== day) return undefined
  const [year, month, ...rest] = date.slice(1).map(Number)
  const [dayOfMonth = 0, hour = 0, minute = 0, second = 0] = rest
  const signedAt = new Date(Date.UTC(year ?? 0, (month ?? 1) - 1, dayOfMonth, hour, minute, second))
  return { accessKeyId, day, region, service, signedAt, sessionToken: parameters.get('X-Amz-Security-Token') }
}

/** Whether the holder of the secret signed exactly this request. */
export function isSignedBy(secretAccessKey: string, request: PresignedRequest, presigned: Presigned): boolean {
  const { day, region, service } = presigned
  const parameters = new Map(request.query)
  const scope = `${day}/${region}/${service}/aws4_request`
  const text = ['AWS4-HMAC-SHA256', parameters.get('X-Amz-Date'), scope, sha256(canonical(request))].join('\n')
  const key = [day, region, service, 'aws4_request'].reduce<string | Buffer>(hmac, `AWS4${secretAccessKey}`)
  const expected = hmac(key, text)
  const given = Buffer.from(parameters.get('X-Amz-Signature') ?? '', 'hex')
  return given.length === expected.length && timingSafeEqual(given, expected)
}

function canonical({ path, query, headers }: PresignedRequest): string {
  const signed = new Map(query).get('X-Amz-SignedHeaders') ?? ''
  const lines = signed.split(';').map((name) => `${name}:${String(headers[name] ?? '').trim()}\n`)
  const pairs = query
    .filter(([name]) => name !== 'X-Amz-Signature')
    .map(([name, value]) => `${encode(name)}=${encode(value)}`)
  return ['GET', path, pairs.toSorted().join('&'), lines.join(''), signed, sha256('')].join('\n')
}

/** RFC 3986: `encodeURIComponent` leaves five characters that AWS wants encoded. */
const encode = (text: string): string =>
  encodeURIComponent(text).replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`)

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')
const hmac = (key: string | Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest()
