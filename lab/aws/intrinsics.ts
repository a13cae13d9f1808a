import { type Fields, fieldsOf, isFields, listOf, textOf } from './json.ts'

/** What names in a template stand for. */
export interface Scope {
  /** A parameter, pseudo parameter or resource; undefined where there is none of that name. */
  ref: (name: string) => unknown
  attribute: (logicalId: string, name: string) => unknown
  conditions: Fields
  mappings: Fields
}

const noValue = Symbol('AWS::NoValue')
type Intrinsic = (argument: unknown, scope: Scope) => unknown

/** A value of a template with every intrinsic function carried out. Throws, naming it, on what cannot be. */
export function resolve(value: unknown, scope: Scope): unknown {
  const resolved = evaluate(value, scope)
  return resolved === noValue ? undefined : resolved
}

function evaluate(value: unknown, scope: Scope): unknown {
  if (Array.isArray(value)) return value.map((item) => evaluate(item, scope)).filter((item) => item !== noValue)
  if (!isFields(value)) return value
  const [first, ...others] = Object.entries(value)
  const [name, argument] = first ?? ['', undefined]
  const intrinsic = others.length === 0 ? intrinsics[name] : undefined
  if (intrinsic !== undefined) return intrinsic(argument, scope)
  if (name.startsWith('Fn::')) throw new Error(`The lab does not know the intrinsic function ${name}`)
  const entries = Object.entries(value).map(([key, item]) => [key, evaluate(item, scope)] as const)
  return Object.fromEntries(entries.filter(([, item]) => item !== noValue))
}

const intrinsics: Record<string, Intrinsic> = {
  Ref: (name, { ref }) => (name === 'AWS::NoValue' ? noValue : found(ref(String(name)), `Ref ${String(name)}`)),
  'Fn::GetAtt': (argument, { attribute }) => {
    const [logicalId = '', ...path] = typeof argument === 'string' ? argument.split('.') : listOf(argument).map(String)
    return found(attribute(logicalId, path.join('.')), `Fn::GetAtt ${logicalId}.${path.join('.')}`)
  },
  'Fn::Sub': (argument, scope) => {
    const [text, own] = Array.isArray(argument) ? argument : [argument, {}]
    return String(text).replace(/\$\{(!?)([^}]+)\}/g, (_, literal: string, name: string) => {
      if (literal !== '') return `\${${name}}`
      const local = fieldsOf(own)[name]
      if (local !== undefined) return String(evaluate(local, scope))
      return String(evaluate(name.includes('.') ? { 'Fn::GetAtt': name } : { Ref: name }, scope))
    })
  },
  'Fn::Join': (argument, scope) => {
    const [separator, parts] = listOf(evaluate(argument, scope))
    return listOf(parts).map(String).join(String(separator))
  },
  'Fn::Select': (argument, scope) => {
    const [index, items] = listOf(evaluate(argument, scope))
    return found(listOf(items)[Number(index)], `Fn::Select ${String(index)}`)
  },
  'Fn::Split': (argument, scope) => {
    const [separator, text] = listOf(evaluate(argument, scope))
    return String(text).split(String(separator))
  },
  'Fn::If': (argument, scope) => {
    const [condition, yes, no] = listOf(argument)
    return evaluate(holds(condition, scope) ? yes : no, scope)
  },
  'Fn::FindInMap': (argument, scope) => {
    const [map, first, second] = listOf(evaluate(argument, scope)).map(String)
    const row = fieldsOf(fieldsOf(scope.mappings[map ?? ''])[first ?? ''])
    return found(row[second ?? ''], `Fn::FindInMap ${map}.${first}.${second}`)
  },
  'Fn::Base64': (argument, scope) => Buffer.from(String(evaluate(argument, scope))).toString('base64'),
  'Fn::GetAZs': (_, { ref }) => ['a', 'b', 'c'].map((zone) => `${String(ref('AWS::Region'))}${zone}`),
}

function found(value: unknown, what: string): unknown {
  if (value === undefined) throw new Error(`The template does not say what ${what} is`)
  return value
}

/** A condition by name, or a condition function. */
export function holds(condition: unknown, scope: Scope): boolean {
  if (typeof condition === 'string') return holds(found(scope.conditions[condition], `condition ${condition}`), scope)
  const [name, argument] = Object.entries(fieldsOf(condition))[0] ?? ['', undefined]
  const parts = listOf(argument)
  if (name === 'Condition') return holds(textOf(argument), scope)
  if (name === 'Fn::And') return parts.every((part) => holds(part, scope))
  if (name === 'Fn::Or') return parts.some((part) => holds(part, scope))
  if (name === 'Fn::Not') return !holds(parts[0], scope)
  if (name !== 'Fn::Equals') throw new Error(`The lab does not know the condition function ${name}`)
  const [a, b] = parts.map((part) => JSON.stringify(evaluate(part, scope)))
  return a === b
}
