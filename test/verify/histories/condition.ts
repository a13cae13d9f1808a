import type { AttributeValue } from '@aws-sdk/client-dynamodb'

export type Item = Record<string, AttributeValue>

interface Given {
  ExpressionAttributeNames?: Record<string, string> | undefined
  ExpressionAttributeValues?: Record<string, AttributeValue> | undefined
}

/** Condition expressions of DynamoDB, as far as the records use them: functions, comparisons, AND, OR, brackets. */
export const holds = (expression: string | undefined, item: Item | undefined, given: Given): boolean => {
  if (expression === undefined) return true
  const words = expression.match(/\w+(?=\()|[#:]?\w+|<=|>=|<>|[=<>(),]/g) ?? []
  let at = 0
  const take = (): string => words[at++] ?? ''
  const expect = (word: string): void => {
    if (take() !== word) throw new Error(`${word} is missing in: ${expression}`)
  }
  const valueAt = (word: string): AttributeValue | undefined => {
    if (word.startsWith(':')) return given.ExpressionAttributeValues?.[word]
    return item?.[word.startsWith('#') ? (given.ExpressionAttributeNames?.[word] ?? word) : word]
  }
  const primary = (): boolean => {
    const word = take()
    if (word === '(') {
      const value = either()
      expect(')')
      return value
    }
    if (word === 'attribute_not_exists') {
      expect('(')
      const value = valueAt(take())
      expect(')')
      return value === undefined
    }
    if (word === 'begins_with') {
      expect('(')
      const text = valueAt(take())?.S
      expect(',')
      const start = valueAt(take())?.S ?? ''
      expect(')')
      return text?.startsWith(start) ?? false
    }
    return compared(valueAt(word), take(), valueAt(take()))
  }
  // Both sides are always parsed.
  const both = (): boolean => {
    let value = primary()
    while (words[at] === 'AND') {
      at += 1
      const next = primary()
      value = value && next
    }
    return value
  }
  const either = (): boolean => {
    let value = both()
    while (words[at] === 'OR') {
      at += 1
      const next = both()
      value = value || next
    }
    return value
  }
  const result = either()
  if (at < words.length) throw new Error(`This condition is not understood: ${expression}`)
  return result
}

const compared = (one: AttributeValue | undefined, operator: string, other: AttributeValue | undefined): boolean => {
  const [left, right] = [plainOf(one), plainOf(other)]
  // An attribute that is not there compares to nothing.
  if (left === undefined || right === undefined || typeof left !== typeof right) return false
  switch (operator) {
    case '=':
      return left === right
    case '<>':
      return left !== right
    case '<':
      return left < right
    case '<=':
      return left <= right
    case '>':
      return left > right
    default:
      throw new Error(`This comparison is not understood: ${operator}`)
  }
}

const plainOf = (it: AttributeValue | undefined): string | number | undefined =>
  it?.S ?? (it?.N === undefined ? undefined : Number(it.N))
