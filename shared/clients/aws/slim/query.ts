import type { Operation, Protocol } from './client.ts'
import type { Refused } from './refusal.ts'

const entities: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" }

/** The text of the first element of this name; no element that is read has others inside. */
export const textIn = (xml: string, name: string): string | undefined =>
  new RegExp(`<${name}>([^<]*)</${name}>`)
    .exec(xml)?.[1]
    ?.replace(/&(?:#(\d+)|#x([\da-f]+)|(\w+));/gi, (whole, decimal?: string, hex?: string, named?: string) =>
      decimal || hex
        ? String.fromCodePoint(decimal ? Number(decimal) : Number.parseInt(hex ?? '', 16))
        : (entities[named ?? ''] ?? whole),
    )

export const refusedInXml = (xml: string): Refused => ({ code: textIn(xml, 'Code'), message: textIn(xml, 'Message') })

interface Query {
  /** Of the API. */
  version: string
  answer: (xml: string) => object
}

/** Parameters are a form, answers are XML. */
export const query = (
  about: Omit<Protocol, 'request' | 'answer' | 'refused'>,
  { version, answer }: Query,
): Protocol => ({
  ...about,
  request: ({ name, input }) => ({
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams([
      ['Action', name.replace(/^.*\./, '')],
      ['Version', version],
      ...fieldsOf(input),
    ]).toString(),
  }),
  answer,
  refused: refusedInXml,
})

/** A map is a list of entries, each with its name and the fields of its value. */
const fieldsOf = (input: Operation['input']): [string, string][] =>
  Object.entries(input).flatMap(([key, value]): [string, string][] => {
    if (typeof value === 'string' || typeof value === 'number') return [[key, String(value)]]
    if (typeof value !== 'object' || value === null) return []
    return Object.entries(value).flatMap(([name, inner], at): [string, string][] => [
      [`${key}.entry.${at + 1}.Name`, name],
      ...Object.entries(inner as object).map(([field, it]): [string, string] => [
        `${key}.entry.${at + 1}.Value.${field}`,
        String(it),
      ]),
    ])
  })
