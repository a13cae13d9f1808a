import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import * as z from 'zod'
import { defaultPolicy } from '../shared/domain/policy/policy.ts'
import { root } from './bundle.ts'
import { config } from './config.ts'

interface Shape {
  type?: string
  description?: string
  default?: unknown
  enum?: unknown[]
  const?: unknown
  anyOf?: Shape[]
  items?: Shape
  properties?: Record<string, Shape>
  additionalProperties?: Shape | boolean
  minimum?: number
  maximum?: number
  minItems?: number
  maxItems?: number
  maxLength?: number
  not?: object
}

/** The sources of the descriptions: comments of the schema, and of the policy that it configures. */
const sources = [
  'infra/config.ts',
  'shared/settings.ts',
  'shared/domain/policy/policy.ts',
  'shared/domain/policy/exception.ts',
]

/** The comment above each name; the first one is used. */
const comments = (): Map<string, string> => {
  const found = new Map<string, string>()
  for (const file of sources) {
    const text = readFileSync(join(root, file), 'utf8')
    for (const [, comment = '', name = ''] of text.matchAll(/\/\*\*((?:(?!\*\/)[^])*)\*\/\s*(\w+)\??:/g))
      if (!found.has(name)) found.set(name, comment.replace(/\s*\n\s*\*?\s*/g, ' ').trim())
  }
  return found
}

const largest = Number.MAX_SAFE_INTEGER

const bounds = ({ minimum, maximum }: Shape): string => {
  const [least, most] = [minimum ?? -largest, maximum ?? largest]
  if (least > -largest && most < largest) return ` from ${least} to ${most}`
  return least > -largest ? ` of at least ${least}` : most < largest ? ` of at most ${most}` : ''
}

/** In words, for a table. */
const kindOf = (shape: Shape): string => {
  const { type, anyOf, items, additionalProperties: rest } = shape
  const values = shape.enum ?? (anyOf?.every((it) => 'const' in it) ? anyOf.map((it) => it.const) : undefined)
  if (values) return values.length > 20 ? 'one of its names' : values.map((it) => `\`${String(it)}\``).join(' ')
  if (anyOf) return anyOf.map(kindOf).join(', or ')
  if (type === 'array') return `list of ${kindOf(items ?? {})}${shape.maxItems ? `, at most ${shape.maxItems}` : ''}`
  if (type === 'integer' || type === 'number') return `number${bounds(shape)}`
  if (type === 'object') return typeof rest === 'object' ? `object of ${kindOf(rest)}` : 'object'
  return `${type === 'string' ? 'text' : (type ?? 'text')}${shape.maxLength ? `, at most ${shape.maxLength} characters` : ''}`
}

/** The policy is partial: absent settings get these defaults. */
const policy: Record<string, unknown> = { ...defaultPolicy }

interface Row {
  path: string
  kind: string
  standard: string
  meaning: string
}

/**
 * A comment stands for a name wherever it is. Where two settings have that name, each must be described in the schema.
 */
const withoutDoubt = (rows: Row[]): Row[] => {
  for (const { path, meaning } of rows) {
    const other = rows.find((it) => it.path !== path && it.meaning === meaning && meaning !== '')
    if (other)
      throw new Error(`${path} and ${other.path} have one meaning, from one comment: describe each in the schema.`)
  }
  return rows
}

const rowsOf = (shape: Shape, path: string, meanings: Map<string, string>): Row[] =>
  Object.entries(shape.properties ?? {}).flatMap(([name, it]) => {
    // A setting that is rejected with a message about its replacement.
    if (it.not) return []
    const full = `${path}${name}`
    const preset = it.default ?? (path === 'policy.' ? policy[name] : undefined)
    const standard = preset === undefined ? '' : `\`${JSON.stringify(preset)}\``
    const row = { path: full, kind: kindOf(it), standard, meaning: it.description ?? meanings.get(name) ?? '' }
    return [row, ...rowsOf(it, `${full}.`, meanings), ...rowsOf(it.items ?? {}, `${full}[].`, meanings)]
  })

const cell = (text: string): string => text.replaceAll('|', '\\|')

/** docs/configuration.md, from the schema that parses deploy.json. */
export const configurationPage = (): string => {
  const shape = z.toJSONSchema(config, { io: 'input', unrepresentable: 'any' }) as Shape
  const rows = withoutDoubt(rowsOf(shape, '', comments())).map(
    ({ path, kind, standard, meaning }) => `| \`${path}\` | ${cell(kind)} | ${cell(standard)} | ${cell(meaning)} |`,
  )
  return `# Configuration

All settings of \`deploy.json\`. Every setting has a default: an empty file deploys a fleet of one account in one region that only
reports. An unknown name or an invalid value is rejected at synthesis, with a message that says
how to fix it. To use another file: \`npm run deploy -- -c config=FILE\`. This page is generated from the schema by \`npm run configuration\`.

| setting | type | default | meaning |
|---|---|---|---|
${rows.join('\n')}
`
}

if (process.argv[1] === fileURLToPath(import.meta.url)) process.stdout.write(configurationPage())
