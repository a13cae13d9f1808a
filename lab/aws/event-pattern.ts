import { BlockList, isIP } from 'node:net'
import { type Fields, isFields } from './json.ts'

/**
 * EventBridge event patterns, as documented in "Comparison operators for use in event patterns" of the EventBridge user guide.
 * A field of the pattern holds a list, any of whose items may match; an object descends; fields side by side must all match.
 */
export type EventPattern = { readonly [field: string]: unknown }

type Operator = (operand: unknown, value: unknown) => boolean

/** Whether the event has what the pattern asks for. Throws on an operator that EventBridge does not know. */
export function matchesPattern(pattern: EventPattern, event: unknown): boolean {
  if (Array.isArray(event)) return event.some((item) => isFields(item) && matchesPattern(pattern, item))
  const fields = isFields(event) ? event : {}
  return Object.entries(pattern).every(([field, wanted]) => {
    if (field === '$or') return asList(wanted).some((way) => isFields(way) && matchesPattern(way, event))
    const value = Object.hasOwn(fields, field) ? fields[field] : undefined
    if (Array.isArray(wanted)) return wanted.some((item) => matchesLeaf(item, value))
    if (isFields(wanted)) return matchesPattern(wanted, value)
    throw new Error(`Event pattern: ${field} must be a list or an object, is ${JSON.stringify(wanted)}`)
  })
}

function matchesLeaf(wanted: unknown, value: unknown): boolean {
  if (isFields(wanted) && 'exists' in wanted) return wanted['exists'] === isLeaf(value)
  const values = Array.isArray(value) ? value : [value]
  return values.some((one) => isLeaf(one) && (isFields(wanted) ? matchesOperators(wanted, one) : wanted === one))
}

function matchesOperators(wanted: Fields, value: unknown): boolean {
  return Object.entries(wanted).every(([name, operand]) => {
    const operator = operators[name]
    if (operator === undefined) throw new Error(`Event pattern: no operator is called ${name}`)
    return operator(operand, value)
  })
}

const operators: Record<string, Operator> = {
  prefix: (operand, value) => compareText(operand, value, (text, start) => text.startsWith(start)),
  suffix: (operand, value) => compareText(operand, value, (text, end) => text.endsWith(end)),
  'equals-ignore-case': (operand, value) => isText(value) && isText(operand) && sameIgnoringCase(operand, value),
  wildcard: (operand, value) => isText(value) && isText(operand) && wildcard(operand).test(value),
  cidr: (operand, value) => isText(value) && isText(operand) && inNetwork(operand, value),
  numeric: (operand, value) => typeof value === 'number' && comparisons(asList(operand)).every((holds) => holds(value)),
  'anything-but': (operand, value) => !isAnyOf(operand, value),
}

/** `anything-but` excludes values, or what one further operator with one or several operands would match. */
function isAnyOf(operand: unknown, value: unknown): boolean {
  if (!isFields(operand)) return asList(operand).includes(value)
  return Object.entries(operand).some(([name, excluded]) =>
    asList(excluded).some((one) => matchesOperators({ [name]: one }, value)),
  )
}

/** `prefix` and `suffix` take a text, or `{"equals-ignore-case": text}`. */
function compareText(operand: unknown, value: unknown, test: (text: string, part: string) => boolean): boolean {
  if (!isText(value)) return false
  if (isText(operand)) return test(value, operand)
  const part = isFields(operand) ? operand['equals-ignore-case'] : undefined
  if (!isText(part)) throw new Error(`Event pattern: cannot compare text with ${JSON.stringify(operand)}`)
  return test(value.toLowerCase(), part.toLowerCase())
}

/** `[">", 0, "<=", 5]` */
function comparisons([sign, bound, ...rest]: unknown[]): ((value: number) => boolean)[] {
  const compare = isText(sign) ? signs[sign] : undefined
  if (compare === undefined || typeof bound !== 'number')
    throw new Error(`Event pattern: numeric takes =, <, <=, >, >= and a number, not ${JSON.stringify([sign, bound])}`)
  return [(value) => compare(value, bound), ...(rest.length > 0 ? comparisons(rest) : [])]
}

const signs: Record<string, (value: number, bound: number) => boolean> = {
  '=': (value, bound) => value === bound,
  '<': (value, bound) => value < bound,
  '<=': (value, bound) => value <= bound,
  '>': (value, bound) => value > bound,
  '>=': (value, bound) => value >= bound,
}

/** `*` stands for any characters, none included; `\*` and `\\` for themselves. */
function wildcard(pattern: string): RegExp {
  const source = pattern.replace(/\\[*\\]|[\s\S]/g, (token) =>
    token === '*' ? '[\\s\\S]*' : token.slice(-1).replace(/[\\^$.*+?()[\]{}|]/, '\\$&'),
  )
  return new RegExp(`^${source}$`)
}

function inNetwork(network: string, address: string): boolean {
  const [base = '', bits = ''] = network.split('/')
  const family = (ip: string) => (isIP(ip) === 6 ? 'ipv6' : 'ipv4')
  if (isIP(address) === 0 || family(address) !== family(base)) return false
  const list = new BlockList()
  list.addSubnet(base, Number(bits), family(base))
  return list.check(address, family(address))
}

const sameIgnoringCase = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase()
const asList = (value: unknown): unknown[] => (Array.isArray(value) ? value : [value])
const isText = (value: unknown): value is string => typeof value === 'string'
/** A leaf may be null; an object is not one, and what is absent is nothing at all. */
const isLeaf = (value: unknown): boolean => value !== undefined && !isFields(value)
