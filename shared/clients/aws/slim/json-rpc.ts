import { exactTextOf as textOf, objectOf } from '../../foreign.ts'
import type { Operation, Protocol, Sent } from './client.ts'
import type { Refused } from './refusal.ts'

/** The code and the message of a refusal in JSON. */
export const refusedInJson = (text: string): Refused => {
  const said = objectOf(JSON.parse(text))
  return {
    code: textOf(said['code']) ?? textOf(said['__type']),
    message: textOf(said['message']) ?? textOf(said['Message']),
  }
}

/** An empty answer says as much as `{}`. */
export const answeredJson = (text: string): Record<string, unknown> => objectOf(JSON.parse(text || '{}'))

/** What JSON has no form for, by the name of its field: another value in its place, or the same. */
type Conversion = (key: string, value: unknown) => unknown

interface Json {
  /** Of the protocol. */
  version: '1.0' | '1.1'
  written?: Conversion
  read?: Conversion
  at?: (input: Operation['input']) => Pick<Sent, 'at'>
}

/** One path for all calls; a header says which it is. */
export const jsonRpc = (
  about: Omit<Protocol, 'request' | 'answer' | 'refused'>,
  { version, written, read, at }: Json,
): Protocol => ({
  ...about,
  request: ({ name, input }): Sent => ({
    headers: { 'content-type': `application/x-amz-json-${version}`, 'x-amz-target': name },
    body: JSON.stringify(written ? converted(input, written) : input),
    ...at?.(input),
  }),
  answer: (text) => {
    const answer = answeredJson(text)
    return read ? objectOf(converted(answer, read)) : answer
  },
  refused: refusedInJson,
})

function converted(value: unknown, by: Conversion): unknown {
  if (Array.isArray(value)) return value.map((it) => converted(it, by))
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => {
      const other = by(key, inner)
      return [key, other === inner ? converted(inner, by) : other]
    }),
  )
}
