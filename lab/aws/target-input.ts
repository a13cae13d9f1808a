import { asText, type Fields, fieldsOf, isFields, textOf } from './json.ts'

/** What a rule's target gets: a constant, a part of the event, a transformed one, or the event as it is. */
export function targetInput(target: Fields, event: Fields, rule: { name: string; arn: string }): unknown {
  const constant = textOf(target['Input'])
  if (constant !== undefined) return JSON.parse(constant)
  const path = textOf(target['InputPath'])
  if (path !== undefined) return at(path, event)
  const transformer = target['InputTransformer']
  return isFields(transformer) ? transform(transformer, event, rule) : event
}

/**
 * A template's `<name>` stands for a value: inside quotes for its text, else for its JSON.
 * https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-transform-target-input.html
 */
function transform(transformer: Fields, event: Fields, rule: { name: string; arn: string }): unknown {
  const paths = Object.entries(fieldsOf(transformer['InputPathsMap']))
  const values: Fields = {
    'aws.events.rule-arn': rule.arn,
    'aws.events.rule-name': rule.name,
    'aws.events.event.ingestion-time': event['time'],
    'aws.events.event': event,
    'aws.events.event.json': event,
    ...Object.fromEntries(paths.map(([name, path]) => [name, at(String(path), event)])),
  }
  const text = fill(String(transformer['InputTemplate']), values)
  try {
    return JSON.parse(text)
  } catch {
    throw new Error(`The input template of rule ${rule.name} does not give JSON: ${text}`)
  }
}

export function fill(template: string, values: Fields): string {
  let quoted = false
  return template.replace(/\\.|"|<([\w.-]+)>/g, (token, name: string | undefined) => {
    if (token === '"') quoted = !quoted
    if (name === undefined || !Object.hasOwn(values, name)) return token
    const value = values[name]
    if (!quoted) return JSON.stringify(value ?? null)
    const text = value === undefined ? '' : asText(value)
    return JSON.stringify(text).slice(1, -1)
  })
}

/** `$`, `$.detail.name`, `$.resources[0]`: as much of JSONPath as EventBridge takes. */
function at(path: string, event: Fields): unknown {
  const steps = path.replace(/^\$\.?/, '').match(/[^.[\]]+/g) ?? []
  let value: unknown = event
  for (const step of steps) {
    if (Array.isArray(value)) value = value[Number(step)]
    else value = fieldsOf(value)[step.replaceAll(/^['"]|['"]$/g, '')]
  }
  return value
}
