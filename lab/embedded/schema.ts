import { type Fieldful, isRecord } from './object.ts'
import type { Cause } from './status.ts'

/**
 * The part of a structural schema (OpenAPI v3 in a CustomResourceDefinition) that storing an object takes into account.
 */
export interface Schema {
  type?: string
  format?: string
  default?: unknown
  enum?: unknown[]
  pattern?: string
  minimum?: number
  maximum?: number
  maxItems?: number
  required?: string[]
  nullable?: boolean
  properties?: Record<string, Schema>
  items?: Schema
  additionalProperties?: Schema | boolean
  'x-kubernetes-int-or-string'?: boolean
  'x-kubernetes-preserve-unknown-fields'?: boolean
}

/** The value without the fields its schema does not name; their paths go to `unknown`. */
export function prune(schema: Schema, value: unknown, path: string, unknown: string[]): unknown {
  if (Array.isArray(value)) {
    const { items } = schema
    return items === undefined ? value : value.map((item, index) => prune(items, item, `${path}[${index}]`, unknown))
  }
  if (!isRecord(value) || schema['x-kubernetes-int-or-string'] === true) return value
  const kept: Fieldful = {}
  for (const [key, child] of Object.entries(value)) {
    const childSchema = schemaOf(schema, key)
    const childPath = path === '' ? key : `${path}.${key}`
    if (childSchema !== undefined) kept[key] = prune(childSchema, child, childPath, unknown)
    else if (schema['x-kubernetes-preserve-unknown-fields'] === true) kept[key] = child
    else unknown.push(childPath)
  }
  return kept
}

function schemaOf({ properties, additionalProperties, type }: Schema, key: string): Schema | undefined {
  const named = properties?.[key]
  if (named !== undefined) return named
  if (typeof additionalProperties === 'object') return additionalProperties
  if (additionalProperties === true || type === undefined) return {}
  return undefined
}

/** The value with every default its schema knows filled in. */
export function fillDefaults(schema: Schema, value: unknown): unknown {
  if (Array.isArray(value)) {
    const { items } = schema
    return items === undefined ? value : value.map((item) => fillDefaults(items, item))
  }
  if (!isRecord(value)) return value
  const filled: Fieldful = { ...value }
  for (const [key, child] of Object.entries(schema.properties ?? {})) {
    if (filled[key] === undefined && child.default !== undefined) filled[key] = structuredClone(child.default)
    if (filled[key] !== undefined) filled[key] = fillDefaults(child, filled[key])
  }
  return filled
}

/** What validation has against the value. */
export function violations(schema: Schema, value: unknown, path: string): Cause[] {
  if (value === null && schema.nullable === true) return []
  const actual = typeOf(value)
  if (!typeFits(schema, actual)) return [wrongType(path, schema.type ?? '', actual)]
  const own = [...formatCauses(schema, value, path), ...valueCauses(schema, value, path)]
  if (Array.isArray(value)) {
    return [...own, ...value.flatMap((item, index) => violations(schema.items ?? {}, item, `${path}[${index}]`))]
  }
  return isRecord(value) ? [...own, ...fieldCauses(schema, value, path)] : own
}

function fieldCauses(schema: Schema, value: Fieldful, path: string): Cause[] {
  const below = (key: string) => (path === '' ? key : `${path}.${key}`)
  const missing = (schema.required ?? [])
    .filter((key) => value[key] === undefined)
    .map((key) => ({ reason: 'FieldValueRequired', message: 'Required value', field: below(key) }))
  const nested = Object.entries(value).flatMap(([key, child]) => {
    const childSchema = schemaOf(schema, key)
    return childSchema === undefined ? [] : violations(childSchema, child, below(key))
  })
  return [...missing, ...nested]
}

function typeOf(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'array'
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number'
  return typeof value
}

function typeFits({ type, 'x-kubernetes-int-or-string': either }: Schema, actual: string): boolean {
  if (either === true) return actual === 'integer' || actual === 'string'
  return type === undefined || type === actual || (type === 'number' && actual === 'integer')
}

const wrongType = (path: string, wanted: string, actual: string): Cause => ({
  reason: 'FieldValueTypeInvalid',
  message: `Invalid value: "${actual}": ${path} in body must be of type ${wanted}: "${actual}"`,
  field: path,
})

/** From Kubernetes 1.36 on, `format: int32` binds. */
function formatCauses({ format }: Schema, value: unknown, path: string): Cause[] {
  if (format !== 'int32' || typeof value !== 'number' || (value >= -(2 ** 31) && value < 2 ** 31)) return []
  const message = `Invalid value: "": Checked value must be of type integer with format int32 in ${path}`
  return [{ reason: 'FieldValueInvalid', message, field: '<nil>' }]
}

function valueCauses(schema: Schema, value: unknown, path: string): Cause[] {
  const causes: Cause[] = []
  const refuse = (reason: string, message: string) => causes.push({ reason, message, field: path })
  if (schema.enum !== undefined && !schema.enum.includes(value)) {
    const supported = schema.enum.map((item) => JSON.stringify(item)).join(', ')
    refuse('FieldValueNotSupported', `Unsupported value: ${JSON.stringify(value)}: supported values: ${supported}`)
  }
  if (schema.pattern !== undefined && typeof value === 'string' && !goPattern(schema.pattern).test(value)) {
    const problem = `${path} in body should match '${schema.pattern}'`
    refuse('FieldValueInvalid', `Invalid value: ${JSON.stringify(value)}: ${problem}`)
  }
  if (schema.minimum !== undefined && typeof value === 'number' && value < schema.minimum) {
    const problem = `${path} in body should be greater than or equal to ${schema.minimum}`
    refuse('FieldValueInvalid', `Invalid value: ${value}: ${problem}`)
  }
  if (schema.maximum !== undefined && typeof value === 'number' && value > schema.maximum) {
    refuse(
      'FieldValueInvalid',
      `Invalid value: ${value}: ${path} in body should be less than or equal to ${schema.maximum}`,
    )
  }
  if (schema.maxItems !== undefined && Array.isArray(value) && value.length > schema.maxItems) {
    refuse('FieldValueTooMany', `Too many: ${value.length}: must have at most ${schema.maxItems} items`)
  }
  return causes
}

const patterns = new Map<string, RegExp>()

/** Go writes "ignore case" inside the pattern, JavaScript beside it. */
function goPattern(source: string): RegExp {
  const known = patterns.get(source)
  if (known !== undefined) return known
  const pattern = new RegExp(source.replaceAll('(?i)', ''), source.includes('(?i)') ? 'i' : '')
  patterns.set(source, pattern)
  return pattern
}
