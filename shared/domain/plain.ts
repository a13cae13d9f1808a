import { withoutSecrets } from './secrets.ts'

// Control characters move cursors and control terminals, format characters hide or reverse text, and default-ignorable
// characters are invisible. A line break would create a second line, which could be mistaken for text of this tool.
const lineBreaks = /[\t\n\v\f\r\u0085\u2028\u2029]+/g
const unseen = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu
/** Most texts match this and need no further search. */
const isHarmless = (text: string): boolean => !/[^ -~]|##|^ *::/.test(text)

/**
 * Sanitizes foreign text as one line: line breaks become spaces, invisible characters become `\ufffd`, and commands
 * for the log of a CI job (`::error`, `##[error]`, `##vso[`) are broken up.
 */
export const harmless = (text: string): string =>
  isHarmless(text)
    ? text
    : text
        .replace(lineBreaks, ' ')
        .replace(unseen, '\ufffd')
        .replace(/##(?=[[a-z])/gi, '# #')
        .replace(/^( *):(?=:)/, '$1: ')

/** Foreign text that may be shown, sent, logged and stored: `harmless`, and without text that looks like a secret. */
export const plain = (text: string): string => harmless(withoutSecrets(text))

/** For mail and chat programs, which turn URLs into links: breaks up URLs in foreign text. */
export const unlinked = (text: string): string =>
  text
    .replace(/:\/\//g, '[:]//')
    .replace(/\b(www|ftp)\./gi, '$1[.]')
    .replace(/\bmailto:/gi, 'mailto[:]')

/** `plain`, but keeps line breaks: for remedies that are several commands or a patch. */
export const plainLines = (text: string): string[] =>
  withoutSecrets(shortened(text, 100_000))
    .split(/\r\n|\n|\r/)
    .map(harmless)

/** Replaces a value that is not needed, to show that it exists. */
export const leftOut = '[left out]'

/**
 * The maximum length of a text that is shown; longer texts would take too long to search. A text is cut between
 * words, because half a word might be half a secret.
 */
export const shortened = (text: string, most = 10_000): string =>
  text.length <= most ? text : `${text.slice(0, most).replace(/\s\S{0,1000}$/, '')} …`

/**
 * Makes every text in a document `plain` and limits its length, including field names; the structure does not change.
 */
export const plainAll = <T>(it: T): T => mapped(it, (text) => plain(shortened(text))) as T

export const mapped = (it: unknown, change: (text: string) => string): unknown => {
  if (typeof it === 'string') return change(it)
  if (Array.isArray(it)) return it.map((one: unknown) => mapped(one, change))
  if (typeof it !== 'object' || it === null) return it
  return Object.fromEntries(Object.entries(it).map(([key, value]) => [change(key), mapped(value, change)]))
}

/** JSON that parses to the same value and contains nothing that `harmless` would change. */
export const safeJson = (value: unknown, indent?: number): string =>
  JSON.stringify(value, null, indent)
    .replace(/[^\n -~]/g, (it) => (isPlainLetter(it) ? it : escaped(it)))
    .replace(/##(?=[[a-z])/gi, '\\u0023#')

// Surrogate pairs and noncharacters are escaped as well, so they need not be distinguished from invisible characters.
const isPlainLetter = (unit: string): boolean => unit.search(unseen) < 0 && unit.search(/[\ufffe\uffff]/) < 0
const escaped = (unit: string): string => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`
