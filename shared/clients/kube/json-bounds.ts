import { depthAtMost } from './budget.ts'

/** Objects, lists and what stands between commas, in one answer: each costs a parser far more than its byte. */
const valuesAtMost = 1_500_000

const [quote, backslash, comma] = [0x22, 0x5c, 0x2c]
const [bracket, closed, brace, shut] = [0x5b, 0x5d, 0x7b, 0x7d]

/**
 * Goes through JSON as it arrives and says what is wrong with its shape before anybody parses it: a parser's memory grows
 * with the values and the depth, not with the bytes. What is not JSON at all, the parser says.
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
