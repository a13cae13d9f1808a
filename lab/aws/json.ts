/** What JSON holds, and the narrow doors through which it is looked at. */
export type Fields = Record<string, unknown>

export const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** The value where it is an object, else an empty one: for looking into what may be absent. */
export const fieldsOf = (value: unknown): Fields => (isFields(value) ? value : {})

export const textOf = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined)

/** As text: what is not text already becomes JSON, which for numbers and booleans is their plain spelling. */
export const asText = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value ?? ''))

/** CloudFormation takes numbers and booleans as text too. */
export const numberOf = (value: unknown): number | undefined => {
  const number = typeof value === 'string' && value !== '' ? Number(value) : value
  return typeof number === 'number' && Number.isFinite(number) ? number : undefined
}

export const listOf = (value: unknown): unknown[] => (Array.isArray(value) ? value : [])

/** The object that the text holds; undefined where it is not JSON or not an object. */
export function parseFields(text: string): Fields | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return isFields(value) ? value : undefined
  } catch {
    return undefined
  }
}
