import { DecodeError, inField, short } from './go.ts'
import type { SpecKind } from './params.ts'
import { isDigits, isPortName, parsePortList } from '../ports.ts'

export const readSelector = (value: unknown): string | undefined => decoders.string(value ?? '', 'nodeSelector')

/** The text that Felix gets for a field; undefined if it counts as not set. */
export const decoders: Record<SpecKind, (value: unknown, field: string) => string | undefined> = {
  bool(value, field) {
    if (typeof value !== 'boolean') throw mismatch(value, field, 'bool')
    return String(value)
  },
  string(value, field) {
    if (typeof value !== 'string') throw mismatch(value, field, 'string')
    return value === '' ? undefined : value
  },
  // A pointer to a string type: the empty text is passed on, and then ignored with a log line.
  enum(value, field) {
    if (typeof value !== 'string') throw mismatch(value, field, 'string')
    return value
  },
  uint32: (value, field) => String(wholeNumber(value, field, { type: 'uint32', min: 0, max: 0xffffffff })),
  int64: (value, field) => String(wholeNumber(value, field, { type: 'int64', min: -(2 ** 63), max: 2 ** 63 - 1 })),
  // The syncer has no way to write this type as text, so Felix gets Go's own form of a list: `[30000:32767 40000]`.
  ports(value, field) {
    if (!Array.isArray(value)) throw mismatch(value, field, '[]numorstring.Port')
    const texts = value.map((item, index) => inField(`spec.${field}[${index}]`, item, () => portText(item, field)))
    return `[${texts.join(' ')}]`
  },
}

interface Whole {
  type: string
  min: number
  max: number
}

export function wholeNumber(value: unknown, field: string, { type, min, max }: Whole): number {
  const fits = typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max
  if (!fits) throw mismatch(value, field, type)
  return value
}

/** numorstring.Port: UnmarshalJSON, then String. */
export function portText(item: unknown, field: string): string {
  if (item === null) return '0'
  if (typeof item === 'number') return String(wholeNumber(item, field, { type: 'uint16', min: 0, max: 65535 }))
  if (typeof item !== 'string') throw mismatch(item, field, 'uint16')
  const list = item.includes(',') ? undefined : parsePortList(item)
  const range = list?.ok ? list.ranges[0] : undefined
  if (range) return range.min === range.max ? `${range.min}` : `${range.min}:${range.max}`
  if (isPortName(item)) return item
  throw new DecodeError(portError(item))
}

function portError(item: string): string {
  if (isDigits(item)) return `invalid port format (${short(item)})`
  const [min = '', max = '', ...more] = item.split(':', 3)
  if (more.length > 0 || !isDigits(min) || !isDigits(max)) return `invalid name for named port (${short(item)})`
  if (Number(min) > 65535) return `invalid minimum port number in range (${short(item)})`
  if (Number(max) > 65535) return `invalid maximum port number in range (${short(item)})`
  return `minimum port number (${Number(min)}) is greater than maximum port number (${Number(max)}) in port range`
}

export function mismatch(value: unknown, field: string, type: string): DecodeError {
  const kind = Array.isArray(value) ? 'array' : typeof value === 'boolean' ? 'bool' : typeof value
  const shown = kind === 'number' ? `number ${String(value)}` : kind
  return new DecodeError(
    `json: cannot unmarshal ${shown} into Go struct field FelixConfigurationSpec.spec.${field} of type ${type}`,
  )
}
