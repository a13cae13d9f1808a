/** Text functions of Go that differ from JavaScript and affect Felix's result. */

/** strings.ToLower: rune by rune, so that `İ` is `i` and nothing more. */
export const goLower = (text: string): string => text.replaceAll('İ', 'i').toLowerCase()

const digitOf = (code: number): number => {
  if (code >= 48 && code <= 57) return code - 48
  const letter = code | 32
  return letter >= 97 && letter <= 122 ? letter - 87 : 99
}

function baseOf(text: string): { base: number; from: number } {
  if (text.charCodeAt(0) !== 48) return { base: 10, from: 0 }
  const base = text.length >= 3 ? { b: 2, o: 8, x: 16 }[text.charAt(1).toLowerCase()] : undefined
  return base === undefined ? { base: 8, from: 1 } : { base, from: 2 }
}

/**
 * strconv.ParseUint(text, 0, 32): decimal, `0x`, `0b`, `0o` or a leading zero for octal; an underscore between digits
 * or after the prefix. Undefined for anything else and above 4294967295.
 */
export function parseUint32(text: string): number | undefined {
  if (text === '') return undefined
  const { base, from } = baseOf(text)
  let value = 0
  let separable = from > 0
  for (let at = from; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === 95) {
      if (!separable) return undefined
      separable = false
      continue
    }
    const digit = digitOf(code)
    if (digit >= base) return undefined
    separable = true
    value = value * base + digit
    if (value > 0xffffffff) return undefined
  }
  return separable ? value : undefined
}

const shown = 200

/** For messages: quoted, and cut if the text is very long. */
export const quote = (text: string): string => JSON.stringify(short(text))

export const short = (text: string): string => (text.length > shown ? `${text.slice(0, shown)}…` : text)

/** A field that cannot be read, such as `spec.kubeNodePortRanges[0]`, and its content, cut if it is very long. */
export interface BadField {
  field: string
  raw?: string
}

/** The error of Go's decoder for an object that it cannot read. */
export class DecodeError extends Error {
  at?: BadField
}

/** Assigns an error to this field, unless it already names a nested field. `value`: may be shown. */
export function inField<T>(field: string, value: unknown, decode: () => T): T {
  try {
    return decode()
  } catch (error) {
    if (error instanceof DecodeError)
      error.at ??= value === undefined ? { field } : { field, raw: short(textOf(value)) }
    throw error
  }
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value))
