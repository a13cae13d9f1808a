import { depthAtMost } from './budget.ts'

/** The number of values in one answer: each costs a parser far more memory than its bytes. */
const valuesAtMost = 1_500_000

const [quote, backslash, comma] = [0x22, 0x5c, 0x2c]
const [bracket, closed, brace, shut] = [0x5b, 0x5d, 0x7b, 0x7d]

/** Where the items of a list go, in pieces, and what is around them. */
export interface Parts {
  around: (bytes: Buffer) => void
  /** `isEnd`: the item is whole with these bytes. */
  item: (bytes: Buffer, isEnd: boolean) => void
}

/**
 * Checks the structure of JSON while it arrives, before it is parsed: a parser's memory grows with the number of
 * values and the depth, not with the bytes. Invalid JSON is detected by the parser. `parts`: the objects in lists that are
 * fields of the outermost object go there one by one.
 */
export function jsonBounds(parts?: Parts): (piece: Buffer) => string | undefined {
  const state = { depth: 0, values: 0, inText: false, escaped: false, inList: false, inItem: false }
  return (piece) => {
    // Local while the bytes are gone through: there are tens of millions of them.
    let { depth, values, inText, escaped, inList, inItem } = state
    const last = piece.length - 1
    let from = 0
    for (let at = 0; at <= last; at += 1) {
      let byte = piece[at]
      if (escaped) escaped = false
      else if (inText) {
        while (byte !== quote && byte !== backslash && at < last) byte = piece[(at += 1)]
        escaped = byte === backslash
        inText = byte !== quote
      } else if (byte === quote) inText = true
      else if (byte === comma) values += 1
      else if (byte === brace || byte === bracket) {
        values += 1
        depth += 1
        if (depth > depthAtMost) return `is nested more than ${depthAtMost} levels deep`
        if (depth === 2) inList = byte === bracket
        if (parts && depth === 3 && inList && byte === brace && !inItem) {
          parts.around(piece.subarray(from, at))
          from = at
          inItem = true
        }
      } else if (byte === closed || byte === shut) {
        if (parts && depth === 3 && inItem && byte === shut) {
          parts.item(piece.subarray(from, at + 1), true)
          from = at + 1
          inItem = false
        }
        depth -= 1
      }
    }
    if (inItem) parts?.item(piece.subarray(from), false)
    else parts?.around(piece.subarray(from))
    Object.assign(state, { depth, values, inText, escaped, inList, inItem })
    return values > valuesAtMost ? `has more than ${valuesAtMost} values` : undefined
  }
}
