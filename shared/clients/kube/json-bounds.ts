import { depthAtMost } from './budget.ts'

/** The number of values in one answer: each costs a parser far more memory than its bytes. */
const valuesAtMost = 1_500_000

const [quote, backslash, comma] = [0x22, 0x5c, 0x2c]
const [bracket, closed, brace, shut] = [0x5b, 0x5d, 0x7b, 0x7d]

/**
 * Checks the structure of JSON while it arrives, before it is parsed: a parser's memory grows with the number of
 * values and the depth, not with the bytes. Invalid JSON is detected by the parser.
 */
export function jsonBounds(): (piece: Buffer) => string | undefined {
  let [depth, values] = [0, 0]
  let [inText, escaped] = [false, false]
  const count = (byte: number): void => {
    if (byte === bracket || byte === brace) {
      depth += 1
      values += 1
    } else if (byte === closed || byte === shut) depth -= 1
    else if (byte === comma) values += 1
  }
  return (piece) => {
    for (let at = 0; at < piece.length; at += 1) {
      const byte = piece[at] ?? 0
      if (escaped) escaped = false
      else if (inText) {
        escaped = byte === backslash
        inText = byte !== quote
      } else if (byte === quote) inText = true
      else count(byte)
      if (depth > depthAtMost) return `is nested more than ${depthAtMost} levels deep`
    }
    return values > valuesAtMost ? `has more than ${valuesAtMost} values` : undefined
  }
}
