import { fieldsOf, isFields, parseFields } from './json.ts'

/**
 * A filter pattern of CloudWatch Logs over JSON: comparisons of a field with a text or number, `EXISTS` and `NOT EXISTS`, joined by `&&`,
 * `||` and parentheses. Throws on anything else, as PutSubscriptionFilter does.
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html
 */
export function matchesFilter(pattern: string, line: string): boolean {
  const inner = /^\{([^]*)\}$/.exec(pattern.trim())?.[1]
  if (inner === undefined || pattern.length > 1024) throw new Error(`${pattern} is no pattern over JSON`)
  const tokens = inner.match(/"[^"]*"|&&|\|\||[()]|[^\s()]+/g) ?? []
  const condition = either(tokens)
  if (tokens.length > 0) throw new Error(`${tokens.join(' ')} is left over in a pattern`)
  const fields = parseFields(line)
  return fields !== undefined && condition(fields)
}

type Condition = (line: Record<string, unknown>) => boolean

const joined =
  (sign: string, part: (tokens: string[]) => Condition, hold: (all: boolean[]) => boolean) =>
  (tokens: string[]): Condition => {
    const all = [part(tokens)]
    while (tokens[0] === sign) {
      tokens.shift()
      all.push(part(tokens))
    }
    return (line) => hold(all.map((it) => it(line)))
  }

const one = (tokens: string[]): Condition => {
  if (tokens[0] !== '(') return comparison(tokens)
  tokens.shift()
  const inner = either(tokens)
  if (tokens.shift() !== ')') throw new Error('a parenthesis is not closed')
  return inner
}
const both = joined('&&', one, (all) => all.every(Boolean))
const either = joined('||', both, (all) => all.some(Boolean))

const comparison = (tokens: string[]): Condition => {
  const [field = '', sign = '', value = ''] = tokens.splice(0, 3)
  if (!/^\$(\.\w+)+$/.test(field)) throw new Error(`${field} is no field`)
  const path = field.split('.').slice(1)
  const read = (line: Record<string, unknown>) =>
    path.reduce<unknown>((at, name) => (isFields(at) ? fieldsOf(at)[name] : undefined), line)
  if (sign === 'NOT' && value === 'EXISTS') return (line) => read(line) === undefined
  if (sign === '<') return (line) => typeof read(line) === 'number' && Number(read(line)) < Number(value)
  if (sign !== '=' && sign !== '!=') throw new Error(`the lab does not know ${sign}`)
  const wanted = value.startsWith('"') ? value.slice(1, -1) : Number(value)
  return (line) => (read(line) === wanted) === (sign === '=')
}
