import { withoutSecrets } from './secrets.ts'

// Control characters move cursors and speak to terminals, format characters hide or turn text around, and what is ignored by
// default is not seen at all. A line break would make a second line, which people would take for one of ours.
const lineBreaks = /[\t\n\v\f\r\u0085\u2028\u2029]+/g
const unseen = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu
/** Nearly every text: nothing to look for. */
const isHarmless = (text: string): boolean => !/[^ -~]|##|^ *::/.test(text)

/**
 * Text of others as one line that can do nothing: breaks become spaces, what is not seen becomes `\ufffd`, and what the log of a
 * CI job would obey (`::error`, `##[error]`, `##vso[`) is pulled apart.
 */
export const harmless = (text: string): string =>
  isHarmless(text)
    ? text
    : text
        .replace(lineBreaks, ' ')
        .replace(unseen, '\ufffd')
        .replace(/##(?=[[a-z])/gi, '# #')
        .replace(/^( *):(?=:)/, '$1: ')

/** Text of others as it may be shown, told, logged and stored: `harmless`, and without what looks like a secret. */
export const plain = (text: string): string => harmless(withoutSecrets(text))

/** As it stands in a mail or a chat, which makes links of what looks like an address: none of ours is among them. */
export const unlinked = (text: string): string =>
  text
    .replace(/:\/\//g, '[:]//')
    .replace(/\b(www|ftp)\./gi, '$1[.]')
    .replace(/\bmailto:/gi, 'mailto[:]')

/** `plain`, but lines stay lines: for remedies that are several commands or a patch. */
export const plainLines = (text: string): string[] =>
  withoutSecrets(bounded(text, 100_000))
    .split(/\r\n|\n|\r/)
    .map(harmless)

/** In the place of a value that decides nothing, where its being there must be seen. */
export const leftOut = '[left out]'

/** More of one text is shown to nobody, and looking through it takes time. A word that is cut in two might be half a secret. */
export const bounded = (text: string, most = 10_000): string =>
  text.length <= most ? text : `${text.slice(0, most).replace(/\s\S{0,1000}$/, '')} …`

/** Every text in a document `plain` and of bounded length, names of fields among them; its shape stays. */
export const plainAll = <T>(it: T): T => mapped(it, (text) => plain(bounded(text))) as T

export const mapped = (it: unknown, change: (text: string) => string): unknown => {
  if (typeof it === 'string') return change(it)
  if (Array.isArray(it)) return it.map((one: unknown) => mapped(one, change))
  if (typeof it !== 'object' || it === null) return it
  return Object.fromEntries(Object.entries(it).map(([key, value]) => [change(key), mapped(value, change)]))
}

/** JSON that reads back the same and holds nothing that `harmless` would change. */
export const safeJson = (value: unknown, indent?: number): string =>
  JSON.stringify(value, null, indent)
    .replace(/[^\n -~]/g, (it) => (isPlainLetter(it) ? it : escaped(it)))
    .replace(/##(?=[[a-z])/gi, '\\u0023#')

// Letters of two halves and noncharacters are escaped as well: nobody has to tell them from what hides.
const isPlainLetter = (unit: string): boolean => unit.search(unseen) < 0 && unit.search(/[\ufffe\uffff]/) < 0
const escaped = (unit: string): string => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`
